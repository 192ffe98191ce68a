/** Virtual environments for peers that live in Python. */
import { join } from "node:path";
import { type Log, runCommand, tail } from "./process.ts";

/** The Python of a virtual environment. */
export function pythonOf(folder: string): string {
  return join(folder, "bin", "python");
}

export interface Installation {
  /** `name==version` of every package: nothing is resolved. */
  readonly packages: readonly string[];
  readonly options?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Makes a virtual environment and installs into it, step by step. Throws with pip's last lines. */
export async function installPython(
  folder: string,
  name: string,
  steps: readonly Installation[],
  log: Log,
): Promise<void> {
  await runOrThrow(["python3", "-m", "venv", folder], name, {}, log);
  for (const { packages, options = [], env = {} } of steps) {
    log(`${name}: installing ${packages.join(", ")}`);
    const pip = [pythonOf(folder), "-m", "pip", "install", "--disable-pip-version-check"];
    const fixed = ["--no-input", "--no-deps", "--progress-bar=off", ...options, ...packages];
    await runOrThrow([...pip, ...fixed], name, env, log);
  }
}

async function runOrThrow(
  command: readonly string[],
  label: string,
  env: Readonly<Record<string, string>>,
  log: Log,
): Promise<void> {
  const finished = await runCommand(command, { label, log, env: { ...process.env, ...env } });
  if (finished.exitCode === 0) return;
  throw new Error(`${label}: ${command.slice(0, 4).join(" ")} failed\n${tail(finished.output)}`);
}
