import { fileError, quote } from "../gguf/message.ts";
import type { Metadata } from "../gguf/types.ts";

/** What a language model is asked about a query and a document. */
export interface Template {
  /** Up to the user's turn. */
  readonly begin: string;
  /** The user's turn, up to the document. */
  query(text: string): string;
  /** After the document. */
  readonly end: string;
}

const KEY = "tokenizer.chat_template.rerank";
const QUERY = "{query}";
const DOCUMENT = "{document}";
/** Where the user's turn begins: what is before it is the same for all pairs. */
const TURN = "<|im_start|>user\n";

/** Source: the model card of Qwen3-Reranker, with its default instruction. */
const QWEN3 =
  "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and " +
  'the Instruct provided. Note that the answer can only be "yes" or "no".<|im_end|>\n' +
  `${TURN}<Instruct>: Given a web search query, retrieve relevant passages that answer the ` +
  `query\n<Query>: ${QUERY}\n<Document>: ${DOCUMENT}<|im_end|>\n` +
  "<|im_start|>assistant\n<think>\n\n</think>\n\n";

/** The file's own template, or that of Qwen3. Throws `BAD_MODEL` for one without its two places. */
export function readTemplate(metadata: Metadata): Template {
  const template = metadata.getString(KEY) ?? QWEN3;
  const query = template.indexOf(QUERY);
  const document = template.indexOf(DOCUMENT);
  if (query < 0 || document < query) {
    throw fileError(
      "BAD_MODEL",
      metadata.path,
      `metadata key ${quote(KEY)}: expected ${QUERY} and after it ${DOCUMENT}, which stand for ` +
        "the two texts. Convert the model again.",
    );
  }
  const turn = template.lastIndexOf(TURN, query);
  const start = turn < 0 ? 0 : turn + TURN.length;
  const between = template.slice(query + QUERY.length, document);
  return {
    begin: template.slice(0, start),
    query: (text) => template.slice(start, query) + text + between,
    end: template.slice(document + DOCUMENT.length),
  };
}
