import { cpus } from "node:os";
import packageJson from "../package.json" with { type: "json" };
import { usableCores } from "./cores.ts";
import { GgufEmbedError } from "./errors.ts";
import { type ModelCache, modelCaches } from "./hub/folders.ts";
import { type NativeInfo, nativeInfo } from "./native/system.ts";
import { VARIANT_VARIABLE } from "./native/variant.ts";

/** Version of this package. */
export const version: string = packageJson.version;

/** A machine and an installation. */
export interface SystemInfo {
  /** Of this package. */
  readonly version: string;
  /** Version of Bun. */
  readonly bun: string;
  /** System and architecture, as `linux x64`. */
  readonly platform: string;
  /** As the CPU names itself. */
  readonly cpu: string;
  /** Cores that this process may use, and the default of `OpenOptions.threads`. */
  readonly cores: number;
  /** Where models may lie: this package's cache, and those of other programs. */
  readonly caches: readonly ModelCache[];
  /** What the native library says; undefined where it says nothing. */
  readonly native: NativeInfo | undefined;
  /** Why models cannot run here, and what to do; undefined where they can. */
  readonly problem: string | undefined;
}

/**
 * What this machine and this installation are, for `doctor` and for bug reports. Where models
 * cannot run, `problem` says why: it does not throw for that.
 */
export async function systemInfo(): Promise<SystemInfo> {
  return {
    version,
    bun: Bun.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model ?? "unknown",
    cores: usableCores(),
    caches: modelCaches(),
    ...(await tryNative()),
  };
}

async function tryNative(): Promise<Pick<SystemInfo, "native" | "problem">> {
  try {
    const native = await nativeInfo();
    return { native, problem: variantProblem(native) };
  } catch (error) {
    if (!(error instanceof GgufEmbedError)) throw error;
    return { native: undefined, problem: error.message };
  }
}

function variantProblem({ variant, variants }: NativeInfo): string | undefined {
  if (variants.length === 0) {
    const floor = "x86-64-v3 (AVX2, FMA, F16C) or AArch64 with NEON";
    return `this CPU is below what the native library needs: ${floor}`;
  }
  if (variant !== undefined && variants.includes(variant)) return undefined;
  const named = `the variant ${variant} that ${VARIANT_VARIABLE} names`;
  return `this CPU cannot run ${named}; it can run ${variants.join(", ")}`;
}
