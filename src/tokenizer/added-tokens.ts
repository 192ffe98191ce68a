import { grown } from "./scratch.ts";
import {
  badVocabulary,
  checkPieceLength,
  isMark,
  KEY,
  MARK_BYTES,
  TOKEN_TYPE,
  type Vocabulary,
} from "./vocabulary.ts";

const { CONTROL, UNKNOWN, USER_DEFINED } = TOKEN_TYPE;

/**
 * What `AddedTokens.split` finds in a text, in order. A visitor that has to pause comes back to the
 * same place later.
 */
export interface AddedTokenVisitor {
  /** Text between tokens, `text[start, end)`. Returns how far it came; less than `end` pauses. */
  text(text: Uint8Array, start: number, end: number): number;
  /** There is no more of the text before. False pauses. */
  finish(): boolean;
  token(id: number): void;
}

const SPACE = 0x20;

/** A node of the trie is four numbers; node 0 is none. */
const NODE = 4;
const BYTE = 0;
/** Its first child; the others are that one's siblings. */
const CHILD = 1;
const SIBLING = 2;
/** Id of the token that ends here, plus 1. */
const TOKEN = 3;

/**
 * Tokens that are found in the text before anything else is done to it: user-defined ones, and
 * control tokens such as `<bos>` or `[SEP]`. The longest match at the leftmost position wins. All
 * of that as in Hugging Face `tokenizers` (`AddedVocabulary`), whose default finds control tokens
 * in a text too; llama.cpp's embedding commands do the same.
 */
export class AddedTokens {
  /** The id that the last successful `match` found. */
  matched = -1;
  /** Bytes of the longest token. */
  readonly longest: number;
  /** As many spaces as the longest token has that is made of nothing else. */
  readonly spaces: Uint8Array;
  /** The node of each first byte. */
  readonly #roots = new Int32Array(256);
  #nodes = new Int32Array(NODE);
  #end = NODE;

  /**
   * In the text a ▁ of a token is the byte `mark`, or nothing, or itself. An empty token matches
   * nothing.
   * Throws `BAD_MODEL` if two are equal, or one is too long.
   */
  constructor(vocabulary: Vocabulary, mark: number | "nothing" | "itself") {
    const { path, pieces, types, others } = vocabulary;
    let longest = 0;
    for (const id of others) {
      const type = types[id];
      if (type !== USER_DEFINED && type !== CONTROL && type !== UNKNOWN) continue;
      const node = this.#insert(vocabulary, id, mark);
      const other = this.#nodes[node + TOKEN]! - 1;
      if (other >= 0) {
        throw badVocabulary(path, KEY.TOKENS, `ids ${other} and ${id} are the same token`);
      }
      if (node > 0) this.#nodes[node + TOKEN] = id + 1;
      longest = Math.max(longest, pieces.ends[id]! - pieces.starts[id]!);
    }
    this.longest = longest;
    const spaces = new Uint8Array(longest).fill(SPACE);
    const run = longest === 0 ? 0 : this.match(spaces, 0, longest);
    this.spaces = spaces.subarray(0, Math.max(0, run));
  }

  /**
   * Goes through `text` from left to right, from `start` on, and finds the tokens that begin before
   * `stop`, not reaching beyond `end`. Returns how far it came: less than `stop` only to pause.
   */
  split(
    text: Uint8Array,
    start: number,
    stop: number,
    end: number,
    visitor: AddedTokenVisitor,
  ): number {
    for (let i = start; i < stop; ) {
      const matchEnd = this.#roots[text[i]!] === 0 ? -1 : this.match(text, i, end);
      if (matchEnd < 0) {
        i++;
        continue;
      }
      const { matched } = this;
      if (start < i) {
        const reached = visitor.text(text, start, i);
        if (reached < i) return reached;
      }
      if (!visitor.finish()) return i;
      visitor.token(matched);
      start = matchEnd;
      i = matchEnd;
    }
    return start < stop ? visitor.text(text, start, stop) : start;
  }

  /**
   * End of the longest token that begins at `start`, which is before `end`, its id in `matched`; -1
   * if there is none.
   */
  match(text: Uint8Array, start: number, end: number): number {
    let matchEnd = -1;
    let node = this.#roots[text[start]!]!;
    for (let i = start + 1; node !== 0; i++) {
      const token = this.#nodes[node + TOKEN]!;
      if (token !== 0) {
        matchEnd = i;
        this.matched = token - 1;
      }
      node = i < end ? this.#step(node, text[i]!) : 0;
    }
    return matchEnd;
  }

  /** The node where the token ends. */
  #insert({ path, pieces }: Vocabulary, id: number, mark: number | "nothing" | "itself"): number {
    const { bytes, starts, ends } = pieces;
    const start = starts[id]!;
    const end = ends[id]!;
    checkPieceLength(path, end - start);
    let node = 0;
    for (let i = start; i < end; i++) {
      let byte = bytes[i]!;
      if (mark !== "itself" && isMark(bytes, i, end)) {
        i += MARK_BYTES.length - 1;
        if (mark === "nothing") continue;
        byte = mark;
      }
      node = this.#step(node, byte) || this.#create(node, byte);
    }
    return node;
  }

  #step(node: number, byte: number): number {
    if (node === 0) return this.#roots[byte]!;
    const nodes = this.#nodes;
    let child = nodes[node + CHILD]!;
    while (child !== 0 && nodes[child + BYTE] !== byte) child = nodes[child + SIBLING]!;
    return child;
  }

  #create(parent: number, byte: number): number {
    const node = this.#end;
    this.#end += NODE;
    if (this.#end > this.#nodes.length) this.#nodes = grown(this.#nodes, this.#end);
    this.#nodes[node + BYTE] = byte;
    if (parent === 0) {
      this.#roots[byte] = node;
    } else {
      this.#nodes[node + SIBLING] = this.#nodes[parent + CHILD]!;
      this.#nodes[parent + CHILD] = node;
    }
    return node;
  }
}
