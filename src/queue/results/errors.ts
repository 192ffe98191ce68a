import { GgufEmbedError } from "../../errors.ts";
import type { ResultKind } from "./types.ts";

/** Something is wrong with a place for results. */
export function resultsError(where: string, cause: unknown, advice: string): GgufEmbedError {
  if (cause instanceof GgufEmbedError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new GgufEmbedError("RESULTS", `${where}: ${why}; ${advice}`, { cause });
}

/** Throws `WRONG_MODEL` where a store has vectors that these must not stand among. */
export function checkKind(where: string, kept: ResultKind, kind: ResultKind): void {
  if (kept.fingerprint === kind.fingerprint) return;
  throw new GgufEmbedError(
    "WRONG_MODEL",
    `${where} has vectors of ${kept.model} (${kept.fingerprint}), these are of ${kind.model} ` +
      `(${kind.fingerprint}), another file or other options: write them elsewhere`,
  );
}
