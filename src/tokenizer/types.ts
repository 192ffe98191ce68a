/**
 * Text to token ids and back. Stages as in Hugging Face `tokenizers`: normaliser → pre-tokeniser →
 * model; the post-processor's special tokens are kept apart as `prefix` and `suffix`, so that a
 * truncated text keeps them.
 */
export interface Tokenizer {
  /** `tokenizer.ggml.model` of the file it was built from: `"llama"`, `"bert"`, … */
  readonly model: string;
  /** Tokens; ids are below it. */
  readonly vocabSize: number;
  /** Ids before every text (BOS or [CLS]), by the file's own flags. */
  readonly prefix: readonly number[];
  /** Ids after every text (EOS or [SEP]), by the file's own flags. */
  readonly suffix: readonly number[];
  /** The ids of a text without `prefix` and `suffix`. Lone surrogates read as U+FFFD. */
  encode(text: string): Int32Array;
  /**
   * The same ids, with control given back after about every millisecond of work, however long the
   * text and whatever is in it. The tokenizer may be used for other texts meanwhile, and the text
   * may be given up by not going on.
   */
  encodeInSteps(text: string): Generator<undefined, Int32Array, undefined>;
  /**
   * Ids back to text. Control tokens give nothing; bytes that form no UTF-8 give U+FFFD.
   * Throws `INVALID_ARGUMENT` for an id outside the vocabulary.
   */
  decode(ids: ArrayLike<number>): string;
}
