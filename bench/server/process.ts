import { ROOT } from "../../scripts/paths.ts";

export interface ServerProcess extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
}

/** `ggufembed serve`, ready. */
export async function startProcess(
  model: string,
  options: readonly string[] = [],
): Promise<ServerProcess> {
  const command = ["src/cli/main.ts", "serve", "-m", model, "--port", "0", "--log", "off"];
  const child = Bun.spawn([process.execPath, ...command, ...options], {
    cwd: ROOT,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  for await (const part of child.stderr) {
    said += new TextDecoder().decode(part);
    if (said.includes("ready\n")) break;
  }
  const url = /http:\S+/.exec(said)?.[0];
  if (url === undefined || !said.includes("ready\n")) throw new Error(`serve failed: ${said}`);
  return {
    url,
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      if ((await child.exited) !== 0) throw new Error("the server did not end well");
    },
  };
}
