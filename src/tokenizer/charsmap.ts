import type { Metadata } from "../gguf/types.ts";
import { badVocabulary, KEY } from "./vocabulary.ts";

/** That of XLM-RoBERTa has 237,539. */
export const CHARSMAP_BYTES_MAX = 2 ** 24;
/** The longest of NFKC, that of U+FDFA, has 33. */
export const REPLACEMENT_BYTES_MAX = 256;

const LENGTH_BYTES = 4;
const UNIT_BYTES = 4;
/** Units of the double array come in blocks, so that any byte's step stays in one. */
const BLOCK_MASK = 0xff;

/** A unit of a double array (`Darts`, of which SentencePiece has version 0.32). */
const hasLeaf = (unit: number) => (unit & 0x100) !== 0;
const isValue = (unit: number) => unit >>> 31 === 1;
const offsetOf = (unit: number) => (unit >>> 10) << ((unit & 0x200) >>> 6);
/** Its label, but for a value: then nothing that equals a byte. */
const LABEL_MASK = 0x800000ff | 0;

/**
 * The rules of a SentencePiece normaliser: texts and what replaces them. GGUF has them under
 * `tokenizer.ggml.precompiled_charsmap` in SentencePiece's own form: the length of a double array
 * in bytes (uint32), the array (uint32 each), and the replacements in UTF-8, each with a NUL behind
 * it. A key's value is where its replacement begins. Little-endian.
 */
export class Charsmap {
  /** Replacements. */
  readonly bytes: Uint8Array;
  /** Of the key that `step` came to the end of: where its replacement begins; else -1. */
  replacement = -1;
  /** Where a key begins. */
  readonly root: number;
  readonly #units: Int32Array;

  /** Throws `BAD_MODEL` unless all that can be reached is inside. `path` names the file. */
  constructor(path: string, stored: Uint8Array) {
    const bad = (what: string) => badVocabulary(path, KEY.CHARSMAP, what);
    if (stored.length > CHARSMAP_BYTES_MAX) {
      throw bad(`${stored.length} bytes; the limit is ${CHARSMAP_BYTES_MAX}`);
    }
    const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength);
    const length = stored.length < LENGTH_BYTES ? 0 : view.getUint32(0, true);
    const rest = stored.length - LENGTH_BYTES;
    if (length === 0 || length % UNIT_BYTES !== 0 || length > rest) {
      throw bad(`expected a double array and replacements, found ${length} of ${rest} bytes`);
    }
    this.#units = new Int32Array(stored.slice(LENGTH_BYTES, LENGTH_BYTES + length).buffer);
    this.bytes = stored.subarray(LENGTH_BYTES + length);
    this.root = offsetOf(this.#units[0]!);
    const what = findFault(this.#units, this.bytes);
    if (what !== undefined) throw bad(what);
  }

  /** A byte on from `node`, which is `root` or what another step gave; -1 if no key goes on so. */
  step(node: number, byte: number): number {
    const at = node ^ byte;
    const unit = this.#units[at]!;
    this.replacement = -1;
    // In a key there is no NUL: its unit is the value of the key that ends before.
    if (byte === 0 || (unit & LABEL_MASK) !== byte) return -1;
    const next = at ^ offsetOf(unit);
    if (hasLeaf(unit)) this.replacement = this.#units[next]! & 0x7fffffff;
    return next;
  }

  /** Where the replacement that begins at `start` ends. */
  endOf(start: number): number {
    return endOf(this.bytes, start);
  }
}

function endOf(replacements: Uint8Array, start: number): number {
  const end = replacements.indexOf(0, start);
  return end < 0 ? replacements.length : end;
}

/** Says what would lead outside of the array or of the replacements. */
function findFault(units: Int32Array, replacements: Uint8Array): string | undefined {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(replacements);
  } catch {
    return "the replacements are no UTF-8";
  }
  if ((offsetOf(units[0]!) | BLOCK_MASK) >= units.length) return "the root leads outside";
  for (let i = 0; i < units.length; i++) {
    const unit = units[i]!;
    if (isValue(unit)) continue;
    const next = i ^ offsetOf(unit);
    if ((next | BLOCK_MASK) >= units.length) return `unit ${i} leads outside of ${units.length}`;
    if (!hasLeaf(unit)) continue;
    const start = units[next]! & 0x7fffffff;
    if (!isValue(units[next]!)) return `unit ${i} has a key that ends without a value`;
    const fault = findReplacementFault(replacements, start);
    if (fault !== undefined) return `unit ${i}: ${fault}`;
  }
  return undefined;
}

function findReplacementFault(replacements: Uint8Array, start: number): string | undefined {
  if (start >= replacements.length) return `its replacement begins outside, at ${start}`;
  // All but the first byte of a UTF-8 sequence are 10xxxxxx.
  if ((replacements[start]! & 0xc0) === 0x80) return "its replacement begins inside a character";
  const within = replacements.subarray(start, start + REPLACEMENT_BYTES_MAX + 1);
  if (endOf(within, 0) <= REPLACEMENT_BYTES_MAX) return undefined;
  return `its replacement has more than ${REPLACEMENT_BYTES_MAX} bytes`;
}

/** The rules that the file has; where it has none, there are none. Throws `BAD_MODEL`. */
export function readCharsmap(metadata: Metadata): Charsmap {
  const { path } = metadata;
  const array = metadata.getNumbers(KEY.CHARSMAP);
  if (array === undefined || array.length === 0) return new Charsmap(path, withoutRules());
  const { type, values } = array;
  if (values instanceof Uint8Array || values instanceof Int8Array) {
    return new Charsmap(path, new Uint8Array(values));
  }
  throw badVocabulary(path, KEY.CHARSMAP, `expected an array of bytes, found ${type}`);
}

/** A double array of one block, in which the root has no children. */
function withoutRules(): Uint8Array {
  const bytes = new Uint8Array(LENGTH_BYTES + UNIT_BYTES * (BLOCK_MASK + 1));
  new DataView(bytes.buffer).setUint32(0, bytes.length - LENGTH_BYTES, true);
  return bytes;
}
