import { ok as assert } from "node:assert/strict";

/**
 * The best of a set of numbered pairs: highest score first, then highest tie-breaker, then lowest
 * number. A binary heap that knows where each pair is, so that one can be taken out: every
 * operation is O(log n), and nothing outdated is ever in it.
 */
export class PairQueue {
  /** Comparisons so far: what tests of the cost count. */
  comparisons = 0;
  #size = 0;
  #heap = new Int32Array(0);
  /** Where a pair is in the heap, plus 1; 0 when it is not. */
  #place = new Int32Array(0);
  #score = new Float64Array(0);
  #tie = new Float64Array(0);

  /** Makes room for pairs 0 to `count - 1`. The queue must be empty. */
  reserve(count: number): void {
    assert(this.#size === 0);
    this.#heap = new Int32Array(count);
    this.#place = new Int32Array(count);
    this.#score = new Float64Array(count);
    this.#tie = new Float64Array(count);
  }

  clear(): void {
    while (this.#size > 0) this.#place[this.#heap[--this.#size]!] = 0;
  }

  /** Adds a pair that is not in the queue, and for which there is room. */
  add(pair: number, score: number, tie: number): void {
    assert(pair < this.#place.length);
    this.#score[pair] = score;
    this.#tie[pair] = tie;
    this.#siftUp(pair, this.#size++);
  }

  /** Takes out the best pair and returns it; -1 when the queue is empty. */
  take(): number {
    if (this.#size === 0) return -1;
    const best = this.#heap[0]!;
    this.remove(best);
    return best;
  }

  /** Takes out a pair, if it is in the queue. */
  remove(pair: number): void {
    const hole = this.#place[pair]! - 1;
    if (hole < 0) return;
    this.#place[pair] = 0;
    const last = this.#heap[--this.#size]!;
    if (last === pair) return;
    if (hole > 0 && this.#isBefore(last, this.#heap[(hole - 1) >> 1]!)) this.#siftUp(last, hole);
    else this.#siftDown(last, hole);
  }

  #siftUp(pair: number, from: number): void {
    const heap = this.#heap;
    let hole = from;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const other = heap[parent]!;
      if (!this.#isBefore(pair, other)) break;
      heap[hole] = other;
      this.#place[other] = hole + 1;
      hole = parent;
    }
    heap[hole] = pair;
    this.#place[pair] = hole + 1;
  }

  #siftDown(pair: number, from: number): void {
    const heap = this.#heap;
    const size = this.#size;
    let hole = from;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#isBefore(heap[child + 1]!, heap[child]!)) child++;
      const other = heap[child]!;
      if (!this.#isBefore(other, pair)) break;
      heap[hole] = other;
      this.#place[other] = hole + 1;
      hole = child;
    }
    heap[hole] = pair;
    this.#place[pair] = hole + 1;
  }

  #isBefore(a: number, b: number): boolean {
    this.comparisons++;
    const difference = this.#score[a]! - this.#score[b]!;
    if (difference !== 0) return difference > 0;
    const tie = this.#tie[a]! - this.#tie[b]!;
    return tie === 0 ? a < b : tie > 0;
  }
}
