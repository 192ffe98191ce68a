/** What the native library is built for: each row makes a package and a single executable. */
export interface Platform {
  /** Of the package, behind `@ggufembed/`. */
  readonly name: string;
  /** Fields of its package.json, by which package managers choose. */
  readonly os: "linux" | "darwin";
  readonly cpu: "x64" | "arm64";
  readonly libc?: "glibc" | "musl";
  /** As Zig names it: for glibc with the oldest version that will do. */
  readonly zigTarget: string;
  /** As `bun build --compile` names it. */
  readonly bunTarget: string;
}

export const PLATFORMS: readonly Platform[] = [
  ...(["x64", "arm64"] as const).flatMap((cpu): readonly Platform[] => [
    {
      name: `linux-${cpu}-gnu`,
      os: "linux",
      cpu,
      libc: "glibc",
      zigTarget: `${zigArchitecture(cpu)}-linux-gnu.2.28`,
      bunTarget: `bun-linux-${cpu}`,
    },
    {
      name: `linux-${cpu}-musl`,
      os: "linux",
      cpu,
      libc: "musl",
      zigTarget: `${zigArchitecture(cpu)}-linux-musl`,
      bunTarget: `bun-linux-${cpu}-musl`,
    },
    {
      name: `darwin-${cpu}`,
      os: "darwin",
      cpu,
      zigTarget: `${zigArchitecture(cpu)}-macos`,
      bunTarget: `bun-darwin-${cpu}`,
    },
  ]),
];

function zigArchitecture(cpu: Platform["cpu"]): string {
  return cpu === "x64" ? "x86_64" : "aarch64";
}

export function libraryName({ os }: Platform): string {
  return os === "darwin" ? "libggufembed.dylib" : "libggufembed.so";
}

/** What has sqlite-vec for a platform; it knows one C library, glibc. */
export function extensionPackage({ os, cpu }: Platform): string {
  return `sqlite-vec-${os}-${cpu}`;
}

/** The row of that name. Throws with the names that there are. */
export function platformNamed(name: string): Platform {
  const found = PLATFORMS.find((platform) => platform.name === name);
  if (found !== undefined) return found;
  const names = PLATFORMS.map((platform) => platform.name).join(", ");
  throw new Error(`there is no platform ${name}; there are ${names}`);
}
