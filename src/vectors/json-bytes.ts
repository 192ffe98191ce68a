import { FLOAT32_CHARS_MAX, writeFloat32 } from "./float32-text.ts";

const COMMA = 0x2c;
const OPEN = 0x5b;
const CLOSE = 0x5d;
/** UTF-8 takes at most three bytes a UTF-16 code unit. */
const UTF8_BYTES_PER_UNIT_MAX = 3;

/** A growing buffer of UTF-8, reused from row to row. */
export class JsonBytes {
  #bytes = new Uint8Array(1 << 14);
  #length = 0;
  readonly #encoder = new TextEncoder();

  clear(): this {
    this.#length = 0;
    return this;
  }

  text(text: string): this {
    this.#reserve(text.length * UTF8_BYTES_PER_UNIT_MAX);
    this.#length += this.#encoder.encodeInto(text, this.#bytes.subarray(this.#length)).written;
    return this;
  }

  /** `[…]`, each value as the shortest decimal that reads back as the same float32. */
  floats(values: Float32Array): this {
    this.#reserve(values.length * (FLOAT32_CHARS_MAX + 1) + 2);
    const bytes = this.#bytes;
    let at = this.#length;
    bytes[at++] = OPEN;
    for (let i = 0; i < values.length; i++) {
      if (i > 0) bytes[at++] = COMMA;
      at = writeFloat32(bytes, at, values[i] as number);
    }
    bytes[at++] = CLOSE;
    this.#length = at;
    return this;
  }

  /** `[[…],[…]]`, rows of `width` values. */
  floatRows(values: Float32Array, width: number): this {
    this.text("[");
    for (let start = 0; start < values.length; start += width) {
      if (start > 0) this.text(",");
      this.floats(values.subarray(start, start + width));
    }
    return this.text("]");
  }

  /** Valid until the next call. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(extra: number): void {
    const needed = this.#length + extra;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.view());
    this.#bytes = larger;
  }
}
