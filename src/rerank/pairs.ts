import type { RerankerKind } from "../arch/types.ts";
import { GgufEmbedError } from "../errors.ts";
import type { Metadata } from "../gguf/types.ts";
import type { PreparedText } from "../pipeline/prepare.ts";
import { encodeByLength } from "../tokenizer/in-steps.ts";
import type { Tokenizer } from "../tokenizer/types.ts";
import { readTemplate, type Template } from "./template.ts";

export interface PairsOfModel {
  readonly kind: RerankerKind;
  readonly tokenizer: Tokenizer;
  /** Longest pair in tokens, special tokens included. */
  readonly contextLength: number;
  /** Types that a token can have; with two, those of a document have the second. */
  readonly typeCount: number;
}

/** A query, ready to be put before documents. */
export interface PreparedQuery {
  /** What a pair begins with, special tokens included; of a judge, the text before the document. */
  readonly head: Int32Array;
  readonly text: string;
}

/** What a pair is made of: tokens before the document, its own, and those after it. */
interface Parts {
  readonly head: Int32Array;
  readonly document: Int32Array;
  readonly tail: Int32Array;
}

/** Makes token ids of a query and a document, as a model was trained to see them. */
export class Pairs {
  readonly #model: PairsOfModel;
  readonly #template: Template;
  /** Between query and document, and after the document. */
  readonly #separator: readonly number[];
  readonly #tail: Int32Array;
  readonly #begin: Int32Array;

  /** Throws `BAD_MODEL` for a template that has no place for query and document. */
  constructor(metadata: Metadata, model: PairsOfModel) {
    const { tokenizer, kind } = model;
    const { prefix, suffix } = tokenizer;
    this.#model = model;
    this.#template = readTemplate(metadata);
    const isJudge = kind === "judge";
    // BERT has one between the two, RoBERTa and its kin have it twice.
    this.#separator = tokenizer.model === "bert" ? suffix : [...suffix, ...suffix];
    // A template says all that is around the texts: an end of text behind it would hide the answer.
    this.#begin = isJudge ? tokenizer.encode(this.#template.begin) : Int32Array.from(prefix);
    this.#tail = isJudge ? tokenizer.encode(this.#template.end) : Int32Array.from(suffix);
  }

  /** Throws `INPUT_TOO_LONG` where no token of a document would fit. */
  query(text: string): PreparedQuery {
    const { kind, tokenizer, contextLength } = this.#model;
    const isJudge = kind === "judge";
    const shown = isJudge ? this.#template.query(text) : text;
    const own = tokenizer.encode(shown);
    const after = isJudge ? [] : this.#separator;
    const head = Int32Array.from([...this.#begin, ...own, ...after]);
    const room = contextLength - head.length - this.#tail.length;
    if (room >= 1) return { head, text: shown };
    throw new GgufEmbedError(
      "INPUT_TOO_LONG",
      `the query has ${own.length} tokens${isJudge ? ", the model's instruction included" : ""}, ` +
        `which leave no room for a document in the model's ${contextLength}; shorten the query`,
    );
  }

  /**
   * In steps, as texts are. A document beyond the context loses its end.
   *
   * @param index of the document in the caller's input, for the error
   */
  *steps(
    query: PreparedQuery,
    document: string,
    index: number,
    truncate: "error" | "end",
  ): Generator<undefined, PreparedText, undefined> {
    const { contextLength, tokenizer, typeCount } = this.#model;
    const { head, document: own, tail } = yield* this.#parts(query, document);
    const excess = head.length + own.length + tail.length - contextLength;
    if (excess > 0 && truncate === "error") {
      throw new GgufEmbedError(
        "INPUT_TOO_LONG",
        `text ${index} and the query have ${contextLength + excess} tokens, the model takes ` +
          `${contextLength}; split it, or truncate its "end"`,
        { index },
      );
    }
    const truncated = Math.max(excess, 0);
    const kept = own.subarray(0, own.length - truncated);
    const ids = new Int32Array(head.length + kept.length + tail.length);
    ids.set(head);
    ids.set(kept, head.length);
    ids.set(tail, head.length + kept.length);
    if (typeCount > 1) {
      for (let i = head.length; i < ids.length; i++) ids[i]! += tokenizer.vocabSize;
    }
    return { ids, truncated };
  }

  *#parts(query: PreparedQuery, document: string): Generator<undefined, Parts, undefined> {
    const { kind, tokenizer } = this.#model;
    const tail = this.#tail;
    if (kind === "classifier") {
      return { head: query.head, document: yield* encodeByLength(tokenizer, document), tail };
    }
    // In one text: what is before a document may share a token with it.
    const both = yield* encodeByLength(tokenizer, query.text + document);
    return { head: this.#begin, document: both, tail };
  }
}
