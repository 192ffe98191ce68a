import { findKnownModel, namesIn } from "../known-models.ts";
import { impliedPooling } from "./implied-pooling.ts";
import { POOLING_TYPES, POOLING_WORDS } from "./pooling-type.ts";
import type { GgufFile, Metadata } from "./types.ts";

/**
 * What looks wrong in a file without stopping it from running: sentences for a person, in the order
 * of their weight. Throws `BAD_MODEL` when a key that it reads has another type than it must have.
 */
export function modelWarnings(file: GgufFile): string[] {
  const architecture = file.metadata.getString("general.architecture");
  const warnings = [...emptyFileWarnings(file)];
  if (architecture !== undefined) {
    if (architecture === "gemma-embedding") warnings.push(...gemmaWarnings(file));
    warnings.push(...poolingWarnings(file, architecture));
  }
  warnings.push(...specialTokenWarnings(file.metadata));
  return warnings;
}

function* emptyFileWarnings({ tensors }: GgufFile): Generator<string> {
  if (tensors.size === 0) {
    yield "The file holds a vocabulary and no tensors: it can tokenize, but not embed.";
  }
}

/** Two ways in which public EmbeddingGemma files were converted wrongly. */
function* gemmaWarnings({ metadata, tensors }: GgufFile): Generator<string> {
  const dense = ["dense_2.weight", "dense_3.weight"].filter((name) => !tensors.has(name));
  if (dense.length > 0 && tensors.size > 0) {
    const count = `${tensors.size} tensors instead of ${tensors.size + dense.length}`;
    yield `The file lacks ${dense.join(" and ")} (${count}): it was converted without the last ` +
      "layers of the model, and its vectors are not those of the original.";
  }
  const windowKey = "gemma-embedding.attention.sliding_window";
  const window = metadata.getCount(windowKey);
  if (window !== undefined && isHalvedWindow(window)) {
    yield `${windowKey} is ${window}, which looks like half of the model's window plus one (some ` +
      "converters store 512 as 257): vectors of texts longer than " +
      `${Math.floor(window / 2)} tokens differ from those of the original model.`;
  }
}

/**
 * Transformers turns the window w of a bidirectional model into w / 2 + 1 when it loads it, and
 * converters have written that down: 257 instead of 512. Gemma's windows are powers of two.
 */
function isHalvedWindow(window: number): boolean {
  return window % 2 === 1 || Math.abs(window - 257) <= 2;
}

function* poolingWarnings(file: GgufFile, architecture: string): Generator<string> {
  if (file.tensors.size === 0) return;
  const key = `${architecture}.pooling_type`;
  const number = file.metadata.getCount(key);
  if (number === undefined) {
    const { pooling, family } = impliedPooling(file.metadata, architecture);
    const causal =
      pooling === "last" ? " (a model that only writes text was trained for none)" : "";
    const reason = family === undefined ? causal : `, with which ${family} was trained`;
    yield `${key} is missing: ${POOLING_WORDS[pooling]} pooling is assumed${reason}. Check it ` +
      "against the model's description, and set the pooling yourself if it differs.";
    return;
  }
  const pooling = POOLING_TYPES[number];
  const known = findKnownModel(architecture, namesIn(file.metadata));
  if (known !== undefined && pooling !== "rank" && pooling !== known.pooling) {
    const trained = `${known.family} was trained with ${POOLING_WORDS[known.pooling]} pooling`;
    yield `${key} is ${number} (${pooling}), but ${trained}.`;
  }
  if (pooling === "last" && file.metadata.getBoolean(ADD_EOS) !== true) {
    yield `${key} is ${number} (last), but ${ADD_EOS} is not true: the vector is taken from the ` +
      "text's own last token instead of the end-of-text token.";
  }
}

const ADD_BOS = "tokenizer.ggml.add_bos_token";
const ADD_EOS = "tokenizer.ggml.add_eos_token";

/** Tokenizer models whose embedding models all put special tokens on both sides of a text. */
const WRAPPING_TOKENIZERS: ReadonlySet<string> = new Set(["llama", "bert", "t5"]);

function* specialTokenWarnings(metadata: Metadata): Generator<string> {
  const model = metadata.getString("tokenizer.ggml.model");
  if (model === undefined) {
    yield "tokenizer.ggml.model is missing: the file has no tokenizer.";
    return;
  }
  if (!WRAPPING_TOKENIZERS.has(model)) return;
  for (const key of [ADD_BOS, ADD_EOS]) {
    const flag = metadata.getBoolean(key);
    if (flag === true) continue;
    const found = flag === undefined ? "missing: the default of the tokenizer is used" : "false";
    yield `${key} is ${found}. Embedding models with a "${model}" tokenizer are trained with ` +
      "special tokens on both sides of a text.";
  }
}
