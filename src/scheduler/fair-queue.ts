/** Callers in a row without a text that fits, after which a batch is left as full as it is. */
const MISSES_MAX = 64;

/** What texts of one batch must have in common. */
export interface Shape {
  readonly dimensions: number;
  readonly normalize: boolean;
}

/** Where a caller's vectors go. */
export interface Receiver {
  /** `vector` is a view that lives until this returns: copy it. */
  vector(tag: number, vector: Float32Array): void;
  /** A text has no vector: by its own fault where it is named, else by no text's. */
  failed(error: unknown, tag?: number): void;
}

/** A text that waits for its vector. */
export interface Job {
  readonly ids: Int32Array;
  /** The caller's own number of the text. */
  readonly tag: number;
}

/** One caller's place in the queue. */
export class Line {
  readonly shape: Shape;
  readonly receiver: Receiver;
  /** In the order they came; each longest first, so that the texts of a batch are alike. */
  readonly groups: Job[][] = [];
  /** Tokens that it has had, counted from where an equal share was when it came. */
  served = 0;
  /** Number in the order of coming, among those that have had as much. */
  order = 0;
  /** Nobody waits for its vectors any more. */
  closed = false;

  constructor(shape: Shape, receiver: Receiver) {
    this.shape = shape;
    this.receiver = receiver;
  }

  /** Tokens of the longest text that is next; 0 where nothing waits. */
  get longest(): number {
    return this.groups[0]?.[0]?.ids.length ?? 0;
  }

  /** Takes the longest text of the oldest group that has at most so many tokens. */
  next(tokens_max: number): Job | undefined {
    const group = this.groups[0];
    const at = group?.findIndex(({ ids }) => ids.length <= tokens_max) ?? -1;
    if (group === undefined || at < 0) return undefined;
    const [job] = group.splice(at, 1);
    if (group.length === 0) this.groups.shift();
    return job;
  }
}

export interface QueuedJob extends Job {
  readonly line: Line;
}

/**
 * Texts of many callers, shared out by tokens: whoever has had the least is next, and who comes
 * later begins where an equal share of all tokens is by then (the virtual time of weighted fair
 * queuing; A. Demers, S. Keshav and S. Shenker, 1989). So a caller with long texts or many of them
 * delays the others by no more than its share, one that waits is not overtaken for ever by those
 * that come, and one that is alone gets all.
 */
export class FairQueue {
  readonly #lines = new Set<Line>();
  #texts = 0;
  #tokens = 0;
  /** An equal share of all tokens so far: where those begin that come now. */
  #share = 0;
  #arrivals = 0;

  /** Callers that wait. */
  get lines(): number {
    return this.#lines.size;
  }

  /** Texts that wait. */
  get texts(): number {
    return this.#texts;
  }

  /** Tokens of those texts. */
  get tokens(): number {
    return this.#tokens;
  }

  /** Tokens of the longest text that is next. */
  get longest(): number {
    return this.#first()?.longest ?? 0;
  }

  push(line: Line, jobs: readonly Job[]): void {
    if (jobs.length === 0) return;
    if (!this.#lines.has(line)) {
      this.#lines.add(line);
      line.served = Math.max(line.served, this.#share);
      line.order = this.#arrivals++;
    }
    line.groups.push(jobs.toSorted((a, b) => b.ids.length - a.ids.length || a.tag - b.tag));
    this.#texts += jobs.length;
    for (const { ids } of jobs) this.#tokens += ids.length;
  }

  /** Forgets what waits for a caller. */
  drop(line: Line): void {
    for (const group of line.groups) for (const job of group) this.#count(job);
    line.groups.length = 0;
    this.#lines.delete(line);
  }

  /**
   * The texts of the next batch: of one shape, and of at most `budget` tokens together, unless the
   * first text alone has more. Empty only when nothing waits.
   */
  take(budget: number): QueuedJob[] {
    const head = this.#first();
    const batch: QueuedJob[] = [];
    if (head === undefined) return batch;
    const company = new LeastServed(
      [...this.#lines].filter(({ shape }) => isSame(shape, head.shape)),
    );
    let room = budget;
    let misses = 0;
    while (room > 0 && misses < MISSES_MAX) {
      const line = company.first;
      if (line === undefined) break;
      const job = line.next(batch.length === 0 ? Number.POSITIVE_INFINITY : room);
      if (job === undefined) {
        // Nothing more of this caller has room now; in the next batch it is among the first.
        company.removeFirst();
        misses += 1;
        continue;
      }
      misses = 0;
      this.#share += job.ids.length / this.#lines.size;
      line.served += job.ids.length;
      room -= job.ids.length;
      batch.push({ ...job, line });
      this.#count(job);
      if (line.groups.length > 0) {
        company.sinkFirst();
      } else {
        company.removeFirst();
        this.#lines.delete(line);
      }
    }
    return batch;
  }

  #first(): Line | undefined {
    let first: Line | undefined;
    for (const line of this.#lines) {
      if (first === undefined || isBefore(line, first)) first = line;
    }
    return first;
  }

  #count({ ids }: Job): void {
    this.#texts -= 1;
    this.#tokens -= ids.length;
  }
}

function isSame(a: Shape, b: Shape): boolean {
  return a.dimensions === b.dimensions && a.normalize === b.normalize;
}

function isBefore(a: Line, b: Line): boolean {
  return a.served === b.served ? a.order < b.order : a.served < b.served;
}

/** A binary heap of callers: the one that has had the least is first. */
class LeastServed {
  readonly #lines: Line[];

  constructor(lines: Line[]) {
    this.#lines = lines;
    for (let i = lines.length >> 1; i-- > 0; ) this.#sink(i);
  }

  get first(): Line | undefined {
    return this.#lines[0];
  }

  removeFirst(): void {
    const last = this.#lines.pop();
    if (this.#lines.length === 0 || last === undefined) return;
    this.#lines[0] = last;
    this.#sink(0);
  }

  /** Puts the first where it belongs, now that it has had more. */
  sinkFirst(): void {
    this.#sink(0);
  }

  #sink(start: number): void {
    const lines = this.#lines;
    const line = lines[start]!;
    let at = start;
    while (true) {
      let child = 2 * at + 1;
      if (child >= lines.length) break;
      if (child + 1 < lines.length && isBefore(lines[child + 1]!, lines[child]!)) child += 1;
      if (!isBefore(lines[child]!, line)) break;
      lines[at] = lines[child]!;
      at = child;
    }
    lines[at] = line;
  }
}
