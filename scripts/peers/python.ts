/** Virtual environments for peers that live in Python. */
import { join } from "node:path";
import { type Log, runOrThrow } from "../process.ts";

/** The Python of a virtual environment. */
export function pythonOf(folder: string): string {
  return join(folder, "bin", "python");
}

export interface Step {
  /** `name==version` of every package: nothing is resolved. */
  readonly packages: readonly string[];
  readonly options?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Makes a virtual environment and installs into it, step by step. Throws with pip's last lines. */
export async function installPython(
  folder: string,
  name: string,
  steps: readonly Step[],
  log: Log,
): Promise<void> {
  await runOrThrow(["python3", "-m", "venv", folder], name, log);
  for (const step of steps) await addPackages(folder, name, step, log);
}

/** To a virtual environment that is there. */
export async function addPackages(
  folder: string,
  name: string,
  { packages, options = [], env }: Step,
  log: Log,
): Promise<void> {
  const told = packages.length > 3 ? [...packages.slice(0, 3), "…"] : packages;
  log(`${name}: installing ${told.join(", ")}`);
  const pip = [pythonOf(folder), "-m", "pip", "install", "--disable-pip-version-check"];
  const fixed = ["--no-input", "--no-deps", "--progress-bar=off", ...options, ...packages];
  await runOrThrow([...pip, ...fixed], name, log, env);
}
