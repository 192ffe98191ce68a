import { fileError } from "../gguf/message.ts";

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;
const VARINT_BYTES_MAX = 10;

type Field = number | Uint8Array;

/**
 * One message of Protocol Buffers, its fields by number. Source: "Encoding" of the Protocol Buffers
 * documentation. Numbers are read to 53 bits. The last of a field that is there several times
 * counts, but where all are asked for.
 */
export class Protobuf {
  readonly #path: string;
  readonly #fields = new Map<number, Field[]>();

  /** Throws `BAD_FILE`, with `path` for its file. */
  constructor(path: string, bytes: Uint8Array) {
    this.#path = path;
    const reader = new Reader(bytes);
    while (reader.at < bytes.length) {
      const tag = reader.varint();
      const value = tag === undefined ? undefined : reader.field(tag % 8);
      if (tag === undefined || value === undefined) throw this.#damaged(reader.at);
      const number = Math.floor(tag / 8);
      const known = this.#fields.get(number);
      if (known === undefined) this.#fields.set(number, [value]);
      else known.push(value);
    }
  }

  number(field: number): number | undefined {
    const value = this.#fields.get(field)?.at(-1);
    return typeof value === "number" ? value : undefined;
  }

  bytes(field: number): Uint8Array | undefined {
    const value = this.#fields.get(field)?.at(-1);
    return typeof value === "number" ? undefined : value;
  }

  text(field: number): string | undefined {
    const bytes = this.bytes(field);
    return bytes && new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  }

  /** A field of 32 bits. */
  float(field: number): number | undefined {
    const bytes = this.bytes(field);
    if (bytes?.length !== Float32Array.BYTES_PER_ELEMENT) return undefined;
    return new DataView(bytes.buffer, bytes.byteOffset).getFloat32(0, true);
  }

  message(field: number): Protobuf | undefined {
    const bytes = this.bytes(field);
    return bytes && new Protobuf(this.#path, bytes);
  }

  messages(field: number): Protobuf[] {
    return (this.#fields.get(field) ?? []).map((value) => {
      if (typeof value === "number") throw this.#damaged(0);
      return new Protobuf(this.#path, value);
    });
  }

  #damaged(at: number): Error {
    const message = `not a sound file of Protocol Buffers, at byte ${at} of a message`;
    return fileError("BAD_FILE", this.#path, `${message}. Download it again.`);
  }
}

class Reader {
  at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** `undefined` where the bytes end, or are none. */
  varint(): number | undefined {
    let value = 0;
    let unit = 1;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const byte = this.#bytes[this.at++];
      if (byte === undefined) return undefined;
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value;
      unit *= 0x80;
    }
    return undefined;
  }

  field(type: number): Field | undefined {
    if (type === VARINT) return this.varint();
    if (type === FIXED32) return this.#take(4);
    if (type === FIXED64) return this.#take(8);
    const length = type === LENGTH ? this.varint() : undefined;
    return length === undefined ? undefined : this.#take(length);
  }

  #take(length: number): Uint8Array | undefined {
    const start = this.at;
    if (start + length > this.#bytes.length) return undefined;
    this.at += length;
    return this.#bytes.subarray(start, this.at);
  }
}
