import type { Log } from "../process.ts";

/** Something that is compared with ggufembed. */
export interface Peer {
  /** In reports. */
  readonly name: string;
  readonly installation: Installation;
  /** The command of its worker, given its folder; `bench/compare/protocol.ts` has what it says. */
  readonly command: (folder: string) => readonly string[];
  /** What its worker opens instead of the GGUF file, if it cannot read that. */
  readonly source?: (folder: string) => string | Promise<string>;
}

/** A folder below `.cache/peers`; several peers may share one. */
export interface Installation {
  /** Of its folder. */
  readonly id: string;
  /** Exact versions and flags: another recipe is another installation. */
  readonly recipe: string;
  /** Why this machine cannot have it; undefined where it can. */
  readonly obstacle: () => string | undefined;
  /** Installs into an empty folder, or throws with a reason that says what to do. */
  readonly install: (folder: string, log: Log) => Promise<void>;
}

/** A peer that is there. */
export interface Installed {
  /** Version, and how it was built. */
  readonly build: string;
  /** Of its worker. */
  readonly command: readonly string[];
  /** What its worker opens, given the GGUF file. */
  readonly source: (path: string) => Promise<string>;
}

/** The obstacle of lacking commands. */
export function missingTools(tools: readonly string[]): string | undefined {
  const missing = tools.filter((tool) => Bun.which(tool) === null);
  return missing.length === 0 ? undefined : `install ${missing.join(", ")} first`;
}
