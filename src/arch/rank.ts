import { fileError, quote } from "../gguf/message.ts";
import type { GgufFile, StringArray } from "../gguf/types.ts";
import type { PlanBuilder } from "./builder.ts";
import { describeModel } from "./config.ts";
import type { Hyperparameters } from "./hyperparameters.ts";
import type { BufferId } from "./plan.ts";
import type { Model } from "./types.ts";

const HEAD = "cls";
const OUTPUT = "cls.output";
/** A language model's own head, of which a reranker's has the two rows that count. */
const LANGUAGE_HEAD = "output.weight";
/** What the rows of a judge's head stand for. */
const JUDGEMENTS = ["yes", "no"];

export interface ClassifierFields {
  /** Hidden states, one row a token. */
  readonly src: BufferId;
  readonly typeCount: number;
}

/**
 * Ends a plan with the head of a classifier: `out · tanh(dense · h + bias) + bias` of the first
 * token's hidden state h. Source: `BertPooler` and `BertForSequenceClassification`, and
 * `XLMRobertaClassificationHead`, of Hugging Face transformers, which are the same sum.
 */
export function finishClassifier(
  file: GgufFile,
  plan: PlanBuilder,
  sizes: Hyperparameters,
  { src, typeCount }: ClassifierFields,
): Model {
  const { hiddenSize } = sizes;
  checkHead(file);
  const pooled = plan.texts(hiddenSize);
  const activated = plan.texts(hiddenSize);
  const logit = plan.texts(1);
  plan.pool({ src, dst: pooled, kind: "cls" });
  const dense = [{ name: HEAD, rows: hiddenSize }];
  const activation = { kind: "tanh", gated: false } as const;
  plan.activatedMatmul({ src: pooled, parts: dense, bias: true, dst: activated, ...activation });
  const bias = file.tensors.has(`${OUTPUT}.bias`);
  plan.matmul({ src: activated, parts: [{ name: OUTPUT, rows: 1 }], bias, dst: logit });
  return finish(file, plan, sizes, { logits: logit, width: 1, typeCount, reranker: "classifier" });
}

/**
 * Ends a plan with the logits of "yes" and "no" after the last token: two rows of the language
 * model's head. Source: the model card of Qwen3-Reranker.
 */
export function finishJudge(
  file: GgufFile,
  plan: PlanBuilder,
  sizes: Hyperparameters,
  src: BufferId,
): Model {
  checkLabels(file);
  const width = JUDGEMENTS.length;
  const pooled = plan.texts(sizes.hiddenSize);
  const logits = plan.texts(width);
  plan.pool({ src, dst: pooled, kind: "last" });
  plan.matmul({ src: pooled, parts: [{ name: OUTPUT, rows: width }], dst: logits });
  return finish(file, plan, sizes, { logits, width, typeCount: 1, reranker: "judge" });
}

interface Head extends Required<Pick<Model, "reranker">> {
  readonly logits: BufferId;
  readonly width: number;
  readonly typeCount: number;
}

function finish(
  file: GgufFile,
  plan: PlanBuilder,
  { contextLength, vocabSize, hiddenSize, layerCount }: Hyperparameters,
  { logits, width, typeCount, reranker }: Head,
): Model {
  const finished = plan.output(logits, {
    contextLength,
    vocabSize,
    typeCount,
    hiddenSize,
    embeddingSize: width,
    pooling: "rank",
    ignoredTensors: [LANGUAGE_HEAD],
  });
  return { config: describeModel(file, finished, layerCount), plan: finished, reranker };
}

/** Some converters drop BERT's pooler: what is left gives other scores, without a word. */
function checkHead({ path, tensors }: GgufFile): void {
  const missing = [HEAD, OUTPUT].filter((name) => !tensors.has(`${name}.weight`));
  if (missing.length === 0) return;
  throw fileError(
    "BAD_MODEL",
    path,
    `the file says that it is a reranker, but lacks ${missing.join(" and ")}.weight, of the head ` +
      "that makes the score: some converters drop it. Get a conversion with the whole head " +
      "(pooler and classifier).",
  );
}

function checkLabels(file: GgufFile): void {
  const key = `${file.metadata.requireString("general.architecture")}.classifier.output_labels`;
  const stored = file.metadata.getStrings(key);
  if (stored === undefined) return;
  const labels = textsOf(stored);
  if (labels.length === 2 && labels.every((label, i) => label === JUDGEMENTS[i])) return;
  throw fileError(
    "UNSUPPORTED",
    file.path,
    `metadata key ${quote(key)}: expected yes, no; found ${labels.slice(0, 5).join(", ")}. This ` +
      "version cannot run such a reranker.",
  );
}

function textsOf({ bytes, starts, ends, length }: StringArray): string[] {
  const decoder = new TextDecoder();
  return Array.from({ length }, (_, i) => decoder.decode(bytes.subarray(starts[i], ends[i])));
}
