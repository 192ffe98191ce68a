import { existsSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Runs a script in a process of its own. */
export async function runScriptIn(
  folder: string,
  source: string,
  env: Record<string, string> = {},
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const path = join(folder, `script-${Bun.hash(source)}.ts`);
  writeFileSync(path, source);
  const child = Bun.spawn([process.execPath, path], {
    env: { ...process.env, ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { exitCode: await child.exited, stdout, stderr };
}

/** Paths that this process has open, as the system tells them. */
export function openFiles(): string[] {
  return readdirSync("/proc/self/fd").map((fd) => {
    const link = `/proc/self/fd/${fd}`;
    return existsSync(link) ? readlinkSync(link) : "";
  });
}
