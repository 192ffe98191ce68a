import { hostPlatform } from "./host.ts";
import { PLATFORMS, type Platform, platformNamed } from "./platforms.ts";

/** The options by which scripts are told for which platforms to work. */
export const CHOICE = {
  all: { type: "boolean" },
  target: { type: "string", multiple: true },
} as const;

export interface Choice {
  readonly all?: boolean | undefined;
  readonly target?: readonly string[] | undefined;
}

/** What `--all` or any number of `--target NAME` choose; without them, this machine's. */
export function choosePlatforms({ all, target }: Choice): readonly Platform[] {
  if (all) return PLATFORMS;
  return target === undefined ? [hostPlatform()] : target.map(platformNamed);
}
