import { LOOKUP_WORK, type Work } from "./encoder.ts";
import type { PieceTable } from "./piece-table.ts";
import type { IdList } from "./scratch.ts";
import type { SegmentSolver } from "./segments.ts";

/** For vocabularies that ignore merges: a word that is a piece is that piece. Others are merged. */
export class WholeWords implements SegmentSolver {
  readonly #table: PieceTable;
  readonly #merger: SegmentSolver;
  readonly #work: Work;
  /** The piece that the word is, or -1. */
  #piece = -1;

  constructor(table: PieceTable, merger: SegmentSolver, work: Work) {
    this.#table = table;
    this.#merger = merger;
    this.#work = work;
  }

  begin(bytes: Uint8Array<ArrayBuffer>, length: number): void {
    this.#work.left -= LOOKUP_WORK;
    this.#piece = this.#table.find(bytes, 0, length);
    if (this.#piece < 0) this.#merger.begin(bytes, length);
  }

  advance(ids: IdList): boolean {
    if (this.#piece < 0) return this.#merger.advance(ids);
    ids.push(this.#piece);
    return true;
  }

  reset(): void {
    this.#merger.reset();
  }
}
