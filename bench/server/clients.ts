import { join } from "node:path";
import { quantile } from "../compare/statistics.ts";
import type { ClientReport } from "./fetch-clients.ts";
import { CLIENTS, type Scene } from "./scene.ts";

/** What many clients saw, each with one request at a time. */
export interface Served {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The program that they are of. */
  readonly by: string;
}

/**
 * Clients that post one text after the other. wrk's take a tenth of the time that Bun's take from
 * the cores which they share with the server; without wrk, Bun's.
 */
export async function clientsAtOnce(
  url: string,
  { texts, folder }: Pick<Scene, "texts" | "folder">,
  seconds: number,
): Promise<Served> {
  if (Bun.which("wrk") === null) {
    const path = join(folder, "texts.json");
    await Bun.write(path, JSON.stringify(texts));
    const { latenciesMs, seconds: took } = await runClients(
      url,
      path,
      ["clients", CLIENTS],
      seconds,
    );
    const at = (share: number) => quantile(latenciesMs, share);
    return { perSecond: latenciesMs.length / took, p50Ms: at(0.5), p99Ms: at(0.99), by: "Bun" };
  }
  const path = join(folder, "bodies.jsonl");
  const bodies = texts.map((input) => JSON.stringify({ input, encoding_format: "base64" }));
  await Bun.write(path, bodies.join("\n"));
  const script = join(import.meta.dir, "clients.lua");
  const load = ["-t1", `-c${CLIENTS}`, `-d${Math.ceil(seconds)}s`];
  const command = ["wrk", ...load, "-s", script, `${url}v1/embeddings`, "--", path];
  const output = await outputOf(command);
  const report = JSON.parse(output.trimEnd().split("\n").at(-1)!) as WrkReport;
  if (report.failed > 0) throw new Error(`${report.failed} requests failed:\n${output}`);
  const { answers, seconds: took, p50Ms, p99Ms } = report;
  return { perSecond: answers / took, p50Ms, p99Ms, by: "wrk" };
}

/** As `clients.lua` prints it. */
interface WrkReport {
  readonly answers: number;
  readonly seconds: number;
  /** Requests without an answer, or with one that is not 2xx or 3xx. */
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** `clients` with one request at a time each, or requests at a `rate` a second. */
export async function runClients(
  url: string,
  textsPath: string,
  [kind, amount]: readonly ["clients" | "rate", number],
  seconds: number,
): Promise<ClientReport> {
  const script = join(import.meta.dir, "fetch-clients.ts");
  const command = [process.execPath, script, url, textsPath, kind, String(amount), String(seconds)];
  // Else Bun itself would hold requests back.
  return JSON.parse(await outputOf(command, { BUN_CONFIG_MAX_HTTP_REQUESTS: "65000" }));
}

async function outputOf(
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const child = Bun.spawn([...command], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const output = await child.stdout.text();
  if ((await child.exited) !== 0) throw new Error(`the clients failed: ${output}`);
  return output;
}
