import type { EmbedResult, VectorOf } from "../types.ts";
import { encodeVectors } from "../vectors/encode.ts";
import type { Encoding } from "../vectors/types.ts";
import type { Call } from "./call.ts";
import type { Settings } from "./settings.ts";

/** What a finished call gives, in the form that it asked for: still the rows of one buffer. */
export function resultsOf<E extends Encoding>(
  call: Call,
  { encoding, dimensions }: Pick<Settings, "encoding" | "dimensions">,
): EmbedResult<E>[] {
  if (encoding === "float32") {
    return call.vectors.map(({ vector, ...counts }) => result<E>(vector, 1, counts));
  }
  // One overload takes both.
  const { data, scales } = encodeVectors(call.rows, dimensions, encoding as "int8");
  const width = data.length / call.texts;
  return call.vectors.map(({ tokens, truncated }, i) => {
    const row = data.subarray(i * width, (i + 1) * width);
    return result<E>(row, scales[i]!, { tokens, truncated });
  });
}

/** The settings decide which array `E` is. */
function result<E extends Encoding>(
  embedding: VectorOf[Encoding],
  scale: number,
  counts: { readonly tokens: number; readonly truncated: number },
): EmbedResult<E> {
  return { embedding: embedding as VectorOf[E], scale, ...counts };
}
