import { NONE, SystemInfo, VARIANTS } from "./abi.ts";
import { bytesOf, expectOk, loadLibrary } from "./bindings.ts";
import { readField } from "./struct.ts";
import { wantedVariant } from "./variant.ts";

/** What the native library says of itself and of this machine. */
export interface NativeInfo {
  /** Path of the native library. */
  readonly library: string;
  /** Of the boundary to the library: that of this package, or models cannot run. */
  readonly abiVersion: number;
  /** The CPU variant that models opened now use; undefined below the floor. */
  readonly variant: string | undefined;
  /** The variants that this machine can run, best first. */
  readonly variants: readonly string[];
}

export async function nativeInfo(): Promise<NativeInfo> {
  const library = await loadLibrary();
  const info = new DataView(new ArrayBuffer(SystemInfo.$size));
  expectOk(library.symbols.ggufembed_system(bytesOf(info)), "asking for the system's abilities");
  const mask = readField(info, SystemInfo, "variants");
  const wanted = wantedVariant();
  const chosen = wanted === NONE ? readField(info, SystemInfo, "variant") : wanted;
  return {
    library: library.path,
    abiVersion: readField(info, SystemInfo, "abi_version"),
    variant: VARIANTS[chosen],
    variants: VARIANTS.filter((_, index) => (mask & (1 << index)) !== 0),
  };
}
