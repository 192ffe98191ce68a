import { basename } from "node:path";
import type { EmbeddingPooling } from "./gguf/pooling-type.ts";
import type { Metadata } from "./gguf/types.ts";
import { comparableName } from "./model-name.ts";

/** Stands in a prompt where the title goes, or `none`. */
export const TITLE = "{title}";

/** What a family of models was trained with and its files rarely say. */
export interface KnownModel {
  /** For a person. */
  readonly family: string;
  readonly architecture: string;
  /** As `comparableName` spells them; a fine-tuned model's name may hold that of its family. */
  readonly names: RegExp;
  readonly pooling: EmbeddingPooling;
  /** Prefix by task, its trailing space included. */
  readonly prompts: Readonly<Record<string, string>>;
}

const NO_PROMPTS = { query: "", document: "" };
/** The retrieval task with which models that take instructions were trained and are measured. */
const RETRIEVAL =
  "Instruct: Given a web search query, retrieve relevant passages that answer the query";
const SEARCHING = "Represent this sentence for searching relevant passages: ";

/** The first that fits counts. */
const KNOWN_MODELS: readonly KnownModel[] = [
  {
    // Source: the model card of google/embeddinggemma-300m, "Prompt instructions".
    family: "EmbeddingGemma",
    architecture: "gemma-embedding",
    // There is no other of its architecture.
    names: /^/,
    pooling: "mean",
    prompts: {
      query: "task: search result | query: ",
      document: `title: ${TITLE} | text: `,
      question_answering: "task: question answering | query: ",
      fact_checking: "task: fact checking | query: ",
      classification: "task: classification | query: ",
      clustering: "task: clustering | query: ",
      sentence_similarity: "task: sentence similarity | query: ",
      code_retrieval: "task: code retrieval | query: ",
    },
  },
  {
    // Converters also write the name of the checkpoint that they were trained from.
    family: "all-MiniLM",
    architecture: "bert",
    names: /(^|-)(all-minilm-l\d+-v[12]|minilm-l\d+-h384-uncased)/,
    pooling: "mean",
    prompts: NO_PROMPTS,
  },
  {
    // Source: the model cards of BAAI/bge-*-en and bge-*-en-v1.5.
    family: "bge (English)",
    architecture: "bert",
    names: /(^|-)bge-(small|base|large)-en/,
    pooling: "cls",
    prompts: { query: SEARCHING, document: "" },
  },
  {
    // Source: the model cards of BAAI/bge-*-zh and bge-*-zh-v1.5.
    family: "bge (Chinese)",
    architecture: "bert",
    names: /(^|-)bge-(small|base|large)-zh/,
    pooling: "cls",
    prompts: { query: "为这个句子生成表示以用于检索相关文章：", document: "" },
  },
  {
    // Source: the model card of BAAI/bge-m3, "no need to add instruction".
    family: "bge-m3",
    architecture: "bert",
    names: /(^|-)bge-m3(?!.*(retromae|unsupervised))/,
    pooling: "cls",
    prompts: NO_PROMPTS,
  },
  {
    // Source: the model card of intfloat/multilingual-e5-large-instruct.
    family: "multilingual-e5-instruct",
    architecture: "bert",
    names: /(^|-)e5-large-instruct/,
    pooling: "mean",
    prompts: { query: `${RETRIEVAL}\nQuery: `, document: "" },
  },
  {
    // Source: the model cards of intfloat/e5-* and multilingual-e5-*.
    family: "e5",
    architecture: "bert",
    names: /(^|-)e5-(small|base|large)(?!.*instruct)/,
    pooling: "mean",
    prompts: { query: "query: ", document: "passage: " },
  },
  {
    // Source: the model cards of thenlper/gte-small, gte-base and gte-large. Others named gte are
    // of other architectures, or Chinese.
    family: "gte",
    architecture: "bert",
    names: /(^|-)gte-(small|base|large)(?!-(zh|en))/,
    pooling: "mean",
    prompts: NO_PROMPTS,
  },
  {
    // Source: the model card of mixedbread-ai/mxbai-embed-large-v1.
    family: "mxbai-embed-large",
    architecture: "bert",
    names: /(^|-)mxbai-embed-(2d-)?large/,
    pooling: "cls",
    prompts: { query: SEARCHING, document: "" },
  },
  {
    // Source: the model cards of nomic-ai/nomic-embed-text-v1 and -v1.5.
    family: "nomic-embed-text",
    architecture: "nomic-bert",
    names: /(^|-)nomic-embed-text/,
    pooling: "mean",
    prompts: {
      query: "search_query: ",
      document: "search_document: ",
      classification: "classification: ",
      clustering: "clustering: ",
    },
  },
  {
    // Source: the model card of Qwen/Qwen3-Embedding-0.6B. Nothing stands between colon and text.
    family: "Qwen3-Embedding",
    architecture: "qwen3",
    names: /(^|-)qwen3-embedding/,
    pooling: "last",
    prompts: { query: `${RETRIEVAL}\nQuery:`, document: "" },
  },
];

/**
 * The family that a model belongs to by its architecture and one of its names; undefined where none
 * is sure.
 */
export function findKnownModel(
  architecture: string | undefined,
  names: readonly string[],
): KnownModel | undefined {
  const spelled = names.map(comparableName);
  return KNOWN_MODELS.find(
    (known) =>
      known.architecture === architecture && spelled.some((name) => known.names.test(name)),
  );
}

/**
 * What a file calls its model: `general.name`, `general.basename`, and its own name, which is that
 * of the hub or of an alias.
 */
export function namesIn(metadata: Metadata): string[] {
  const stated = ["general.name", "general.basename"].map(
    (key) => metadata.entries.get(key)?.value,
  );
  const names = stated.filter((name) => typeof name === "string");
  return [...names, basename(metadata.path, ".gguf")];
}
