import { describeEntry, fileError, quote, REPAIR } from "../gguf/message.ts";
import type { Metadata } from "../gguf/types.ts";

const COUNT_MAX = 2 ** 31 - 1;

/** A whole number from `min` to `max`. */
export function requireAtLeast(
  metadata: Metadata,
  key: string,
  min: number,
  max = COUNT_MAX,
): number {
  const value = metadata.requireCount(key, max);
  if (value < min) throw badKey(metadata, key, `a whole number from ${min} to ${max}`);
  return value;
}

/** The epsilon of a norm. */
export function requireEpsilon(metadata: Metadata, key: string): number {
  const epsilon = metadata.requireNumber(key);
  if (!(epsilon > 0 && epsilon < 1)) throw badKey(metadata, key, "a number between 0 and 1");
  return epsilon;
}

/** The base of a rotary embedding; `implied` when the file leaves it to the architecture. */
export function readRopeBase(metadata: Metadata, key: string, implied: number): number {
  const base = metadata.getNumber(key) ?? implied;
  if (base <= 1) throw badKey(metadata, key, "a number above 1");
  return base;
}

/** `BAD_MODEL` for a key whose type is right and whose value cannot be. */
export function badKey(metadata: Metadata, key: string, expected: string): Error {
  return fileError("BAD_MODEL", metadata.path, `${mismatch(metadata, key, expected)} ${REPAIR}`);
}

/**
 * Keys that would change the forward pass in ways that no plan here has: each must be absent or say
 * what is done anyway. Throws `UNSUPPORTED` that names the key.
 */
export function requireIfPresent(
  metadata: Metadata,
  expected: Readonly<Record<string, number | string | boolean>>,
): void {
  for (const [key, value] of Object.entries(expected)) {
    const found = metadata.entries.get(key)?.value;
    if (found === undefined || found === value) continue;
    throw unsupportedKey(metadata, key, String(value));
  }
}

/** `UNSUPPORTED` for a key whose value no plan here can follow; `what` it means for the model. */
export function unsupportedKey(
  metadata: Metadata,
  key: string,
  expected: string,
  what = "",
): Error {
  const advice = `${what === "" ? "" : `${what} `}This version cannot run such a model.`;
  return fileError("UNSUPPORTED", metadata.path, `${mismatch(metadata, key, expected)} ${advice}`);
}

function mismatch(metadata: Metadata, key: string, expected: string): string {
  const entry = metadata.entries.get(key);
  const found = entry === undefined ? "nothing" : describeEntry(entry);
  return `metadata key ${quote(key)}: expected ${expected}, found ${found}.`;
}
