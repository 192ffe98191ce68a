import type { Metadata } from "../gguf/types.ts";
import type { MergeOrder } from "./pair-merger.ts";
import { PieceTable } from "./piece-table.ts";
import { grown } from "./scratch.ts";
import { badVocabulary, KEY, PIECE_BYTES_MAX, PIECES_MAX, TOKEN_TYPE } from "./vocabulary.ts";

const SPACE = 0x20;
/** A piece, and a space. */
const LIMIT = { key: KEY.MERGES, max: PIECE_BYTES_MAX + 1 };

/**
 * The merges of a byte-level BPE tokenizer, `left right` each, the earlier the better. A piece may
 * come about in several ways, as with Llama 3, or in one of those that it could be cut.
 */
export class MergeList implements MergeOrder {
  /** By the bytes of a merge. */
  readonly #table: PieceTable;
  #merge = new Uint8Array(0);

  /** Throws `BAD_MODEL` if there are no merges, or too many. */
  constructor(metadata: Metadata) {
    const { path } = metadata;
    const merges = metadata.requireStrings(KEY.MERGES);
    const { length } = merges;
    if (length === 0 || length > PIECES_MAX) {
      throw badVocabulary(path, KEY.MERGES, `expected 1 to ${PIECES_MAX} merges, found ${length}`);
    }
    const types = new Uint8Array(length).fill(TOKEN_TYPE.NORMAL);
    this.#table = new PieceTable({ path, pieces: merges, types }, [TOKEN_TYPE.NORMAL], LIMIT);
  }

  score(_piece: number, text: Uint8Array, start: number, middle: number, end: number): number {
    const length = end - start + 1;
    this.#merge = grown(this.#merge, length);
    const merge = this.#merge;
    let to = 0;
    for (let i = start; i < middle; i++) merge[to++] = text[i]!;
    merge[to++] = SPACE;
    for (let i = middle; i < end; i++) merge[to++] = text[i]!;
    const rank = this.#table.find(merge, 0, length);
    return rank < 0 ? -Infinity : -rank;
  }

  /** Ranks differ. */
  tie(): number {
    return 0;
  }
}
