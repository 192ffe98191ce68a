/** How to cut a document. */
export interface ChunkOptions {
  /**
   * Most tokens of a chunk as the model will see it, special tokens and prompt included. Default:
   * the model's context.
   */
  readonly maxTokens?: number | undefined;
  /**
   * About how many tokens at most a chunk repeats of the one before, from the beginning of a
   * sentence or a word on; less than half of what a chunk has room for. Default 0: chunks end where
   * the text itself does, and what is repeated is embedded, stored and found twice.
   */
  readonly overlap?: number | undefined;
  /** What the model will get before each chunk. Default: nothing. */
  readonly prompt?: string | undefined;
  /** Ends the work with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** A part of a document. */
export interface Chunk {
  /** `document.slice(start, end)`, without white space at its ends. */
  readonly text: string;
  /** Where it begins in the document, in UTF-16 units. */
  readonly start: number;
  /** Where it ends. */
  readonly end: number;
  /** Tokens as the model will see them, special tokens and prompt included. */
  readonly tokens: number;
  /** From 0. */
  readonly index: number;
}
