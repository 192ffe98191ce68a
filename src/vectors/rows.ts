import { invalidArgument } from "../errors.ts";
import type { SearchRows } from "../native/search.ts";
import { checkAlike, isLike } from "./similarity.ts";
import {
  componentsOf,
  encodingOf,
  isVectorArray,
  joined,
  newArray,
  type ScaledVector,
  type VectorArray,
  type VectorLike,
  type VectorMatrix,
  vectorOf,
} from "./types.ts";

/**
 * Vectors to search: one matrix; its numbers alone, in rows as long as the query; or a list of
 * vectors or of results of `embed`. Views that follow each other in one buffer are read where they
 * are, others are copied together as they are read.
 */
export type Vectors = VectorMatrix | VectorArray | readonly VectorLike[];

/** Vectors that are read in order, as some rows of a matrix each time. */
export interface RowSource {
  readonly count: number;
  /** Rows from `from` on: `most` of them, or fewer, but one at least. */
  read(from: number, most: number): SearchRows;
}

/** What all rows are to be like. */
export interface RowShape {
  /** One of the queries. */
  readonly example: VectorArray;
  /** Whether int8 and binary rows need scales. */
  readonly needsScales: boolean;
}

export function rowsOf(vectors: Vectors, shape: RowShape): RowSource {
  if (isVectorArray(vectors)) {
    return new MatrixRows({ data: vectors, dimensions: componentsOf(shape.example) }, shape);
  }
  if (Array.isArray(vectors)) return new ListRows(vectors, shape);
  if (isMatrix(vectors)) return new MatrixRows(vectors, shape);
  throw invalidArgument(
    `vectors must be a list of vectors, or a matrix: { data, dimensions }, with scales`,
  );
}

export function isMatrix(value: unknown): value is VectorMatrix {
  return typeof value === "object" && value !== null && "data" in value && "dimensions" in value;
}

class MatrixRows implements RowSource {
  readonly count: number;
  readonly #data: VectorArray;
  readonly #width: number;
  readonly #scales: Float32Array | undefined;

  constructor({ data, dimensions, scales }: VectorMatrix, { example, needsScales }: RowShape) {
    this.#width = example.length;
    if (!isVectorArray(data)) throw invalidArgument(`vectors.data is no typed array of vectors`);
    checkEncoding(data, example);
    if (dimensions !== componentsOf(example)) {
      throw invalidArgument(
        `vectors have ${dimensions} dimensions, the query has ${componentsOf(example)}`,
      );
    }
    if (data.length % this.#width !== 0) {
      throw invalidArgument(
        `vectors are ${data.length} elements, which are no whole number of rows of ${this.#width}`,
      );
    }
    this.count = data.length / this.#width;
    if (needsScales && scales?.length !== this.count) {
      throw invalidArgument(
        `vectors are ${this.count} rows with ${scales?.length ?? 0} scales; ` +
          `of ${encodingOf(data)} rows the metric "dot" needs one each`,
      );
    }
    this.#data = data;
    this.#scales = needsScales ? scales : undefined;
  }

  read(from: number, most: number): SearchRows {
    const count = Math.min(most, this.count - from);
    return {
      data: this.#data.subarray(from * this.#width, (from + count) * this.#width),
      count,
      scales: this.#scales?.subarray(from, from + count),
    };
  }
}

/** Neighbours in one buffer that are worth a call of their own. */
const RUN_MIN = 64;
/** Bytes that are copied together at a time: they stay in the second-level cache. */
const STAGE_BYTES = 1 << 18;

class ListRows implements RowSource {
  readonly count: number;
  readonly #list: readonly VectorLike[];
  readonly #shape: RowShape;
  readonly #stageRows: number;
  #stage: VectorArray | undefined;

  constructor(list: readonly VectorLike[], shape: RowShape) {
    this.count = list.length;
    this.#list = list;
    this.#shape = shape;
    const rows = Math.max(1, Math.floor(STAGE_BYTES / shape.example.byteLength));
    this.#stageRows = Math.min(rows, this.count);
  }

  read(from: number, most: number): SearchRows {
    const first = this.#vector(from);
    const run = this.#run(first, from, Math.min(most, this.count - from));
    const count =
      run >= RUN_MIN || from + run === this.count || run === most
        ? run
        : Math.min(most, this.#stageRows, this.count - from);
    const data = count === run ? joined(first, run) : this.#copy(from, count);
    return { data, count, scales: this.#scales(from, count) };
  }

  /** How many vectors from `from` on, `first`, lie one behind the other. */
  #run(first: VectorArray, from: number, most: number): number {
    let run = 1;
    let end = first.byteOffset + first.byteLength;
    while (run < most) {
      const vector = this.#vector(from + run);
      // The offset is asked first: an array of its own need not make a buffer object for this.
      if (vector.byteOffset !== end || vector.buffer !== first.buffer) break;
      end += first.byteLength;
      run++;
    }
    return run;
  }

  #copy(from: number, count: number): VectorArray {
    const { example } = this.#shape;
    this.#stage ??= newArray(example, this.#stageRows * example.length);
    for (let i = 0; i < count; i++) this.#stage.set(this.#vector(from + i), i * example.length);
    return this.#stage.subarray(0, count * example.length);
  }

  #vector(index: number): VectorArray {
    const { example } = this.#shape;
    const value = this.#list[index] as VectorLike;
    const vector = isVectorArray(value) ? value : value?.embedding;
    if (isVectorArray(vector) && isLike(vector, example)) return vector;
    const label = `vectors[${index}]`;
    checkAlike(vectorOf(value, label), example, label, "the query");
    return vector;
  }

  #scales(from: number, count: number): Float32Array | undefined {
    const { example, needsScales } = this.#shape;
    if (!needsScales) return undefined;
    return Float32Array.from({ length: count }, (_, i) =>
      scaleOf(this.#list[from + i] as VectorLike, example, `vectors[${from + i}]`),
    );
  }
}

/** The scale that `metric: "dot"` takes a vector by. */
export function scaleOf(value: VectorLike, example: VectorArray, name: string): number {
  const scale = (value as Partial<ScaledVector>).scale;
  if (typeof scale === "number" && Number.isFinite(scale)) return scale;
  throw invalidArgument(
    `the scale of ${name} is ${scale}; of ${encodingOf(example)} vectors the metric "dot" ` +
      "needs it: pass { embedding, scale }",
  );
}

function checkEncoding(data: VectorArray, example: VectorArray): void {
  if (encodingOf(data) === encodingOf(example)) return;
  throw invalidArgument(
    `vectors are ${encodingOf(data)} and the query is ${encodingOf(example)}; ` +
      "encode both alike (encodeVectors)",
  );
}
