/**
 * Clients of a server, in a process of their own so that their work is not on the server's loop.
 * `bun fetch-clients.ts URL TEXTS.json clients|rate N SECONDS` prints what they saw as JSON.
 */
export interface ClientReport {
  /** Milliseconds of each answer with status 200. */
  readonly latenciesMs: readonly number[];
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly seconds: number;
}

async function main([url, path, kind, amount, seconds]: readonly string[]): Promise<void> {
  const texts = (await Bun.file(path!).json()) as string[];
  const latenciesMs: number[] = [];
  const statuses: Record<string, number> = {};
  const start = performance.now();
  const end = start + Number(seconds) * 1000;
  const send = async (i: number) => {
    const body = JSON.stringify({ input: texts[i % texts.length], encoding_format: "base64" });
    const sent = performance.now();
    const response = await fetch(`${url}v1/embeddings`, { method: "POST", body });
    await response.bytes();
    statuses[response.status] = (statuses[response.status] ?? 0) + 1;
    if (response.status === 200) latenciesMs.push(performance.now() - sent);
  };
  /** One request after the other. */
  const client = async (number: number) => {
    for (let i = number; performance.now() < end; i++) await send(i);
  };
  /** Requests at a rate, whatever becomes of them. */
  const atRate = async (perSecond: number) => {
    const sent: Promise<void>[] = [];
    while (performance.now() < end) {
      const due = ((performance.now() - start) / 1000) * perSecond;
      while (sent.length < due) sent.push(send(sent.length));
      await Bun.sleep(2);
    }
    await Promise.all(sent);
  };
  if (kind === "rate") await atRate(Number(amount));
  else await Promise.all(Array.from({ length: Number(amount) }, (_, i) => client(i * 7)));
  const report: ClientReport = {
    latenciesMs,
    statuses,
    seconds: (performance.now() - start) / 1000,
  };
  console.log(JSON.stringify(report));
}

if (import.meta.main) await main(process.argv.slice(2));
