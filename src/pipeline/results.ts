import { GgufEmbedError } from "../errors.ts";
import type { EmbedResult, VectorOf } from "../types.ts";
import { encodeVectors } from "../vectors/encode.ts";
import { COMPONENTS_PER_BYTE, type Encoding } from "../vectors/types.ts";
import type { Settings } from "./settings.ts";

/** What one vector becomes in a result. */
export type Row<E extends Encoding> = Pick<EmbedResult<E>, "embedding" | "scale">;

/** Where the vectors of a call go, in the form that it asked for. */
export interface Rows<E extends Encoding> {
  /** Copies a vector in; gives its row. */
  put(index: number, vector: Float32Array): Row<E>;
}

/** @param tokenLevel vectors are `[tokens][dimensions]`, each in an array of its own */
export function newRows<E extends Encoding>(
  texts: number,
  { encoding, dimensions }: Pick<Settings, "encoding" | "dimensions">,
  tokenLevel: boolean,
): Rows<E> {
  // The encoding decides which array `E` is.
  const row = (embedding: VectorOf[Encoding], scale: number): Row<E> => ({
    embedding: embedding as VectorOf[E],
    scale,
  });
  if (tokenLevel) return { put: (_, vector) => row(vector.slice(), 1) };
  if (encoding === "float32") {
    const rows = allocate(texts, dimensions, Float32Array);
    return {
      put(index, vector) {
        const embedding = rows.subarray(index * dimensions, (index + 1) * dimensions);
        embedding.set(vector);
        return row(embedding, 1);
      },
    };
  }
  const width = encoding === "int8" ? dimensions : dimensions / COMPONENTS_PER_BYTE;
  const rows: Int8Array | Uint8Array =
    encoding === "int8" ? allocate(texts, width, Int8Array) : allocate(texts, width, Uint8Array);
  return {
    put(index, vector) {
      // One overload takes both.
      const { data, scales } = encodeVectors(vector, dimensions, encoding as "int8");
      const embedding = rows.subarray(index * width, (index + 1) * width);
      embedding.set(data);
      return row(embedding, scales[0]!);
    },
  };
}

function allocate<T>(texts: number, width: number, Kind: new (length: number) => T): T {
  try {
    return new Kind(texts * width);
  } catch (cause) {
    throw new GgufEmbedError(
      "OUT_OF_RESOURCES",
      `there is no memory for the vectors of ${texts} texts at once; use stream()`,
      { cause },
    );
  }
}
