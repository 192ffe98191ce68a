import { impliedPooling } from "../gguf/implied-pooling.ts";
import { fileError, quote } from "../gguf/message.ts";
import { POOLING_TYPES } from "../gguf/pooling-type.ts";
import type { GgufFile } from "../gguf/types.ts";
import { badKey } from "./keys.ts";
import type { ModelPooling, Pooling } from "./plan.ts";

/** The file's pooling unless the caller overrides it; `"rank"` makes it a reranker. */
export function readModelPooling(
  file: GgufFile,
  architecture: string,
  override?: Pooling,
): ModelPooling {
  if (override !== undefined) return override;
  const key = `${architecture}.pooling_type`;
  const number = file.metadata.getCount(key);
  if (number === undefined) return impliedPooling(file.metadata, architecture).pooling;
  const pooling = POOLING_TYPES[number];
  if (pooling === undefined) throw badKey(file.metadata, key, "0 (none) to 4 (rank)");
  return pooling;
}

/** The same in architectures without rerankers: there such a file is `UNSUPPORTED`. */
export function readPooling(file: GgufFile, architecture: string, override?: Pooling): Pooling {
  const pooling = readModelPooling(file, architecture, override);
  if (pooling !== "rank") return pooling;
  const key = quote(`${architecture}.pooling_type`);
  throw fileError(
    "UNSUPPORTED",
    file.path,
    `${key} is 4 (rank): this is a reranker, which scores pairs of texts; this version runs ` +
      "those of the architectures bert and qwen3. Use one of them.",
  );
}
