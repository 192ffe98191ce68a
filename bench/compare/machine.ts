/** Where and on what a comparison ran: nothing that tells one machine of a kind from another. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../scripts/paths.ts";
import { systemInfo } from "../../src/index.ts";

/** What decides which kernels run. */
const FLAGS_THAT_MATTER = /^(avx2|fma|f16c|avx_vnni|avx512\w*|amx_\w+|asimddp|i8mm|sve\w*|bf16)$/;
const CACHES = "/sys/devices/system/cpu/cpu0/cache";
/** What figures depend on; that documents differ says nothing of them. */
const SOURCES = ["src", "zig", "bench", "scripts", "build.zig", "bun.lock"];

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly flags: readonly string[];
  /** Of one core, as the system tells them. */
  readonly caches: readonly string[];
  readonly memoryGigabytes: number;
  readonly system: string;
  readonly bun: string;
  /** Our kernels' variant. */
  readonly variant: string;
}

export interface Revision {
  readonly commit: string;
  /** Whether files that figures depend on differ from the commit. */
  readonly dirty: boolean;
}

export async function describeMachine(): Promise<Machine> {
  const { cpu, cores, native, platform, bun } = await systemInfo();
  return {
    cpu,
    cores,
    flags: cpuFlags(),
    caches: cpuCaches(),
    memoryGigabytes: Math.round(totalmem() / 1e9),
    system: platform,
    bun,
    variant: native?.variant ?? "none",
  };
}

export function describeRevision(): Revision {
  return {
    commit: git("rev-parse", "HEAD") ?? "unknown",
    dirty: git("status", "--porcelain", "--", ...SOURCES) !== "",
  };
}

function cpuFlags(): string[] {
  const path = "/proc/cpuinfo";
  if (!existsSync(path)) return [];
  const line = readFileSync(path, "utf8").match(/^(?:flags|Features)\s*:\s*(.*)$/m)?.[1] ?? "";
  return line.split(" ").filter((flag) => FLAGS_THAT_MATTER.test(flag));
}

function cpuCaches(): string[] {
  if (!existsSync(CACHES)) return [];
  const read = (name: string, file: string) =>
    readFileSync(join(CACHES, name, file), "utf8").trim();
  return readdirSync(CACHES)
    .filter((name) => /^index\d+$/.test(name))
    .sort()
    .map((name) => `L${read(name, "level")} ${read(name, "type")} ${read(name, "size")}`);
}

/** Undefined where this is no checkout or there is no git. */
function git(...parameters: string[]): string | undefined {
  if (Bun.which("git") === null) return undefined;
  const { exitCode, stdout } = Bun.spawnSync(["git", ...parameters], { cwd: ROOT });
  return exitCode === 0 ? stdout.toString().trim() : undefined;
}
