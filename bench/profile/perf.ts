/** What Linux's `perf` can tell of this process while it works: counters, and where it is. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ensureBuilt, LIBRARY_NAME } from "../../scripts/build.ts";
import { CACHE, ROOT } from "../../scripts/paths.ts";
import { LIBRARY_VARIABLE } from "../../src/native/library.ts";
import { drawFlames, foldStacks, readStacks } from "./flame.ts";

export interface PerfReport {
  /** By perf's names; undefined for those that this machine does not count. */
  readonly counters: Readonly<Record<string, number | undefined>>;
  /** What was sampled: cycles, or time where there is no counter of cycles. */
  readonly sampled: "cycles" | "cpu-clock";
  readonly flameGraph: string;
  readonly foldedStacks: string;
}

const COUNTERS = [
  "task-clock",
  "context-switches",
  "cpu-migrations",
  "page-faults",
  "cycles",
  "instructions",
  "branch-misses",
  "L1-dcache-load-misses",
  "LLC-loads",
  "LLC-load-misses",
  "dTLB-load-misses",
];
const SAMPLES_A_SECOND = 999;

/** The library with names and frame pointers, which the shipped one has not. */
const WITH_SYMBOLS = {
  name: "the native library with symbols",
  step: "install",
  options: ["-Dsymbols", "--prefix", "zig-out/symbols"],
  output: join("symbols", "lib", LIBRARY_NAME),
};

/** Why there can be no report; undefined where there can. */
export function perfProblem(): string | undefined {
  if (process.platform !== "linux") return "perf is Linux's";
  if (Bun.which("perf") === null) return "there is no perf (on Debian: apt-get install linux-perf)";
  return undefined;
}

/** To be called before a model is opened: makes this process load the library with symbols. */
export async function loadSymbols(): Promise<void> {
  await ensureBuilt(undefined, WITH_SYMBOLS);
  process.env[LIBRARY_VARIABLE] = join(ROOT, "zig-out", WITH_SYMBOLS.output);
}

/** Runs `work` again and again, for so many seconds each time. Writes below `.cache/profile`. */
export async function watchWork(
  work: () => Promise<unknown>,
  seconds: number,
  title: string,
): Promise<PerfReport> {
  const folder = join(CACHE, "profile");
  mkdirSync(folder, { recursive: true });
  const data = join(folder, "perf.data");
  const counters = readCounters(
    await during(work, [
      "stat",
      ...["-x", ";", "-e", COUNTERS.join(","), "-p", String(process.pid)],
      ...["--", "sleep", String(seconds)],
    ]),
  );
  const sampled = counters.cycles === undefined ? "cpu-clock" : "cycles";
  await during(work, [
    "record",
    ...["-q", "-g", "-e", sampled, "-F", String(SAMPLES_A_SECOND), "-p", String(process.pid)],
    ...["-o", data, "--", "sleep", String(seconds)],
  ]);
  const root = readStacks(await perf(["script", "-i", data, "-F", "comm,ip,sym"]));
  const flameGraph = join(folder, "flame.svg");
  const foldedStacks = join(folder, "folded.txt");
  await Bun.write(flameGraph, drawFlames(root, title));
  await Bun.write(foldedStacks, foldStacks(root));
  return { counters, sampled, flameGraph, foldedStacks };
}

/** Works until perf has seen enough; gives what perf printed. */
async function during(work: () => Promise<unknown>, args: readonly string[]): Promise<string> {
  let done = false;
  const watching = perf(args).finally(() => {
    done = true;
  });
  while (!done) await work();
  return watching;
}

/** Counters go to stderr, scripts to stdout. */
async function perf(args: readonly string[]): Promise<string> {
  const child = Bun.spawn(["perf", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) === 0) return out === "" ? err : out;
  throw new Error(`perf ${args[0]} failed: ${err.trim()}`);
}

/** Reads `perf stat -x ;`: value, unit, name. */
export function readCounters(csv: string): Record<string, number | undefined> {
  const counters: Record<string, number | undefined> = {};
  for (const line of csv.split("\n")) {
    const [value = "", , name = ""] = line.split(";");
    if (name === "") continue;
    const number = Number(value);
    counters[name.replace(/:u$/, "")] = value === "" || Number.isNaN(number) ? undefined : number;
  }
  return counters;
}
