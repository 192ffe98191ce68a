/** Where and on what a comparison ran. */
import { existsSync, readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { ROOT } from "../../scripts/paths.ts";
import { systemInfo } from "../../src/index.ts";

/** What decides which kernels run. */
const FLAGS_THAT_MATTER = /^(avx2|fma|f16c|avx_vnni|avx512\w*|amx_\w+|asimddp|i8mm|sve\w*|bf16)$/;

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly flags: readonly string[];
  readonly memoryBytes: number;
  readonly system: string;
  readonly bun: string;
  /** Our kernels' variant. */
  readonly variant: string;
  readonly commit: string;
  /** Whether files differ from the commit. */
  readonly dirty: boolean;
  /** Processes that wanted to run, over the last minute, when the comparison began. */
  readonly load: number;
  readonly date: string;
}

export async function describeMachine(): Promise<Machine> {
  const { cores, native } = await systemInfo();
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores,
    flags: cpuFlags(),
    memoryBytes: totalmem(),
    system: `${process.platform} ${process.arch} ${release()}`,
    bun: Bun.version,
    variant: native?.variant ?? "none",
    commit: git("rev-parse", "HEAD") ?? "unknown",
    dirty: git("status", "--porcelain") !== "",
    load: loadavg()[0]!,
    date: new Date().toISOString(),
  };
}

function cpuFlags(): string[] {
  const path = "/proc/cpuinfo";
  if (!existsSync(path)) return [];
  const line = readFileSync(path, "utf8").match(/^(?:flags|Features)\s*:\s*(.*)$/m)?.[1] ?? "";
  return line.split(" ").filter((flag) => FLAGS_THAT_MATTER.test(flag));
}

/** Undefined where this is no checkout or there is no git. */
function git(...parameters: string[]): string | undefined {
  if (Bun.which("git") === null) return undefined;
  const { exitCode, stdout } = Bun.spawnSync(["git", ...parameters], { cwd: ROOT });
  return exitCode === 0 ? stdout.toString().trim() : undefined;
}
