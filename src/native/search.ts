import { GgufEmbedError } from "../errors.ts";
import { Encoding, Metric, SearchSpec, Status } from "./abi.ts";
import { bytesOf, expectOk, type Library, loadLibrary } from "./bindings.ts";
import { writeStruct } from "./struct.ts";
import { wantedVariant } from "./variant.ts";

type Bytes = Float32Array | Int8Array | Uint8Array;

export interface SearchQueries {
  readonly encoding: keyof typeof Encoding;
  readonly metric: keyof typeof Metric;
  readonly dimensions: number;
  readonly count: number;
  /** `[count]` vectors, row-major. */
  readonly data: Bytes;
  /** Of each query: for the cosine the sum of its squares, for the dot product its scale. */
  readonly numbers: Float64Array;
}

/** Some rows of a search. */
export interface SearchRows {
  /** `[count]` vectors, row-major. */
  readonly data: Bytes;
  readonly count: number;
  /** Of each row; for dot products of int8 and binary vectors, which need them. */
  readonly scales?: Float32Array | undefined;
}

const NO_SCALES = new Float32Array(0);

/**
 * A search under way: rows come in parts, each a call that runs in this thread. The best of each
 * query are kept here, outside the collector's heap.
 */
export class NativeSearch {
  readonly capacity: number;
  readonly #library: Library;
  readonly #queries: SearchQueries;
  readonly #spec: DataView;
  readonly #scores: Float64Array;
  readonly #indices: Uint32Array;
  readonly #counts: Uint32Array;
  #rows = 0;

  /** @param capacity Most rows to keep for each query; from 1 on. */
  static async start(queries: SearchQueries, capacity: number): Promise<NativeSearch> {
    return new NativeSearch(await loadLibrary(), queries, capacity);
  }

  private constructor(library: Library, queries: SearchQueries, capacity: number) {
    this.#library = library;
    this.#queries = queries;
    this.capacity = capacity;
    const kept = capacity * queries.count;
    try {
      this.#scores = new Float64Array(new ArrayBuffer(kept * 8));
      this.#indices = new Uint32Array(new ArrayBuffer(kept * 4));
    } catch (cause) {
      throw new GgufEmbedError(
        "OUT_OF_RESOURCES",
        `there is no memory for the ${capacity} best of ${queries.count} queries at once; ` +
          "ask for fewer, or in several calls",
        { cause },
      );
    }
    this.#counts = new Uint32Array(new ArrayBuffer(queries.count * 4));
    this.#spec = new DataView(new ArrayBuffer(SearchSpec.$size));
    writeStruct(this.#spec, 0, SearchSpec, {
      size: SearchSpec.$size,
      variant: wantedVariant(),
      encoding: Encoding[queries.encoding],
      metric: Metric[queries.metric],
      dimensions: queries.dimensions,
      query_count: queries.count,
      row_count: 0,
      first_row: 0,
      capacity,
    });
  }

  /** The next rows. False: a score is not finite, so a row or a scale is not. */
  add({ data, count, scales = NO_SCALES }: SearchRows): boolean {
    this.#spec.setUint32(SearchSpec.row_count[0], count, true);
    this.#spec.setUint32(SearchSpec.first_row[0], this.#rows, true);
    const status = this.#library.symbols.ggufembed_search(
      bytesOf(this.#spec),
      this.#queries.data,
      this.#queries.numbers,
      data,
      scales,
      this.#scores,
      this.#indices,
      this.#counts,
    );
    if (status === Status.not_finite) return false;
    expectOk(status, "comparing vectors");
    this.#rows += count;
    return true;
  }

  /**
   * Sorts what a query kept, once all rows were added: its ranks from `from` up to `to`, best
   * first, are final afterwards. Parts of it come in turn from the last rank down.
   */
  sort(query: number, from: number, to: number): void {
    const at = query * this.capacity;
    const status = this.#library.symbols.ggufembed_search_sort(
      this.#scores.subarray(at),
      this.#indices.subarray(at),
      to,
      from,
    );
    expectOk(status, "sorting scores");
  }

  /** Rows that a query kept. */
  count(query: number): number {
    return this.#counts[query] ?? 0;
  }

  /** Of a rank that `sort` made final, from 0. */
  index(query: number, rank: number): number {
    return this.#indices[query * this.capacity + rank] ?? 0;
  }

  score(query: number, rank: number): number {
    return this.#scores[query * this.capacity + rank] ?? 0;
  }
}
