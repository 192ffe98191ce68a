import { impliedPooling } from "../gguf/implied-pooling.ts";
import { fileError, quote } from "../gguf/message.ts";
import { POOLING_TYPES } from "../gguf/pooling-type.ts";
import type { GgufFile } from "../gguf/types.ts";
import { badKey } from "./keys.ts";
import type { Pooling } from "./plan.ts";

/**
 * The file's pooling unless the caller overrides it. A reranker's file without an override is
 * `UNSUPPORTED`.
 */
export function readPooling(file: GgufFile, architecture: string, override?: Pooling): Pooling {
  if (override !== undefined) return override;
  const key = `${architecture}.pooling_type`;
  const number = file.metadata.getCount(key);
  if (number === undefined) return impliedPooling(file.metadata, architecture).pooling;
  const pooling = POOLING_TYPES[number];
  if (pooling === undefined) throw badKey(file.metadata, key, "0 (none) to 4 (rank)");
  if (pooling === "rank") {
    throw fileError(
      "UNSUPPORTED",
      file.path,
      `${quote(key)} is 4 (rank): this is a reranker, which scores pairs of texts; this version ` +
        "only embeds. Use an embedding model.",
    );
  }
  return pooling;
}
