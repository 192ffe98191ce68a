/** What an entry costs beside its vector: its key, and the map's own bookkeeping. */
const ENTRY_BYTES = 256;

export interface CachedVector {
  readonly vector: Float32Array;
  readonly tokens: number;
  readonly truncated: number;
}

/** What a cache of vectors holds, and what it did since the model was opened. */
export interface CacheStats {
  /** Vectors that it holds. */
  readonly entries: number;
  /** That it takes, keys and bookkeeping included. */
  readonly bytes: number;
  /** `OpenOptions.cacheBytes`. */
  readonly bytesMax: number;
  /** Texts that were found. */
  readonly hits: number;
  /** Texts that were not. */
  readonly misses: number;
  /** Vectors that had to make room. */
  readonly evictions: number;
}

/**
 * Vectors of texts seen before, the least recently used forgotten first. What comes out is a copy
 * of what went in, so nobody can change another's.
 */
export class VectorCache {
  readonly #bytesMax: number;
  /** In the order of their last use. */
  readonly #entries = new Map<string, CachedVector>();
  #bytes = 0;
  #hits = 0;
  #misses = 0;
  #evictions = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /**
   * The key of a text under what else changes its vector. The text itself may be long and goes in
   * as its SHA-256.
   */
  static key(settings: string, input: string | Int32Array): string {
    const kind = typeof input === "string" ? "text" : "ids";
    return `${kind} ${settings} ${Bun.SHA256.hash(input, "base64")}`;
  }

  get stats(): CacheStats {
    return {
      entries: this.#entries.size,
      bytes: this.#bytes,
      bytesMax: this.#bytesMax,
      hits: this.#hits,
      misses: this.#misses,
      evictions: this.#evictions,
    };
  }

  find(key: string): CachedVector | undefined {
    const found = this.#entries.get(key);
    if (found === undefined) {
      this.#misses += 1;
      return undefined;
    }
    this.#hits += 1;
    this.#entries.delete(key);
    this.#entries.set(key, found);
    return found;
  }

  put(key: string, { vector, tokens, truncated }: CachedVector): void {
    const bytes = bytesOf(key, vector);
    if (bytes > this.#bytesMax) return;
    this.#drop(key);
    // A view of a larger buffer would keep all of it.
    this.#entries.set(key, { vector: vector.slice(), tokens, truncated });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#drop(oldest);
      this.#evictions += 1;
    }
  }

  #drop(key: string): void {
    const found = this.#entries.get(key);
    if (found === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= bytesOf(key, found.vector);
  }
}

function bytesOf(key: string, vector: Float32Array): number {
  return ENTRY_BYTES + key.length + vector.byteLength;
}
