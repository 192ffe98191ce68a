/** Elements of scratch memory that outlive a call; what one huge text needed is given back. */
const KEPT_MAX = 2 ** 18;

type TypedArray = Uint8Array | Int32Array | Float64Array;

/** `array`, or a copy with room for at least `length` elements, and at least twice as large. */
export function grown<T extends TypedArray>(array: T, length: number): T {
  if (length <= array.length) return array;
  const larger = new (array.constructor as new (length: number) => T)(
    Math.max(length, 2 * array.length),
  );
  larger.set(array);
  return larger;
}

/** `array`, or a small fresh one if it has grown beyond what is worth keeping. */
export function trimmed<T extends TypedArray>(array: T): T {
  if (array.length <= KEPT_MAX) return array;
  return new (array.constructor as new (length: number) => T)(0);
}

/** Token ids that grow at the end. */
export class IdList {
  #ids = new Int32Array(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  at(index: number): number {
    return this.#ids[index]!;
  }

  push(id: number): void {
    if (this.#length === this.#ids.length) this.#ids = grown(this.#ids, this.#length + 1);
    this.#ids[this.#length++] = id;
  }

  /** A copy of what was pushed. */
  take(): Int32Array {
    return this.#ids.slice(0, this.#length);
  }

  /** Makes the list empty, and gives back what a huge text needed. */
  reset(): void {
    this.#ids = trimmed(this.#ids);
    this.#length = 0;
  }
}

/** UTF-8 bytes of one window at a time. Lone surrogates become U+FFFD, as `TextEncoder` does it. */
export class Utf8Text {
  bytes = new Uint8Array(0);
  readonly #encoder = new TextEncoder();

  /** Puts the text into `bytes` and returns its length in bytes. */
  write(text: string): number {
    // A UTF-16 code unit takes at most three bytes.
    this.bytes = grown(this.bytes, 3 * text.length);
    return this.#encoder.encodeInto(text, this.bytes).written;
  }
}
