import { expect } from "bun:test";

interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** More of them, for `serve`. */
  readonly args?: readonly string[];
}

/** `PROGRAM… serve` on a free port: ready, or else ended, and then without a URL. */
export async function startProcess(
  program: readonly string[],
  model: string | undefined,
  { args = [], ...surroundings }: Surroundings,
) {
  const named = model === undefined ? [] : ["-m", model];
  const command = [...program, "serve", ...named, "--port", "0", ...args];
  const child = Bun.spawn(command, { ...surroundings, stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  const reading = (async () => {
    for await (const part of child.stderr) stderr += new TextDecoder().decode(part);
  })();
  while (!/^ggufembed: ready$/m.test(stderr) && child.exitCode === null) await Bun.sleep(2);
  const url = /http:\S+/.exec(stderr)?.[0] ?? "";
  const ended = async () => {
    const code = await child.exited;
    await reading;
    return { code, stderr };
  };
  return { url, child, ended };
}

/**
 * What must work wherever the command line does: gives the vector that a server started as
 * `program` answers with for a text, after it counted it, described itself and ended by SIGTERM.
 */
export async function embedByServer(
  program: readonly string[],
  model: string,
  text: string,
  surroundings: Surroundings,
): Promise<Float32Array> {
  const { url, child, ended } = await startProcess(program, model, surroundings);
  try {
    const body = JSON.stringify({ input: text });
    const answer = await fetch(`${url}v1/embeddings`, { method: "POST", body });
    expect(answer.status).toBe(200);
    const { data } = (await answer.json()) as { data: { embedding: number[] }[] };
    const metrics = await (await fetch(`${url}metrics`)).text();
    expect(metrics).toMatch(/^embeddings_total\S* 1$/m);
    const { paths } = (await (await fetch(`${url}openapi.json`)).json()) as { paths: object };
    expect(Object.keys(paths)).toContain("/v1/embeddings");
    expect(await (await fetch(url)).text()).toContain("<title>ggufembed</title>");
    child.kill("SIGTERM");
    expect((await ended()).code).toBe(0);
    return Float32Array.from(data[0]!.embedding);
  } finally {
    child.kill("SIGKILL");
  }
}
