import { type Embedder, GgufEmbedError, type RerankResult } from "../../index.ts";
import { defineCommand } from "../command.ts";
import { Failure, UsageError } from "../errors.ts";
import { parseRanking, type Ranking } from "../input/rankings.ts";
import { openTexts } from "../input/texts.ts";
import { MODEL_OPTION, openModel, PRECISION_OPTION, requireModel, warnAbout } from "../model.ts";
import { printOut } from "../output/stdout.ts";
import { complain } from "../terminal.ts";

export const rerank = defineCommand({
  name: "rerank",
  summary: "score documents for a query, by a reranker",
  usage: "-m MODEL [options] QUERY [DOCUMENT…]",
  options: {
    ...MODEL_OPTION,
    input: {
      type: "text",
      value: "FILE",
      help: "read documents from FILE, one a line; - is standard input",
    },
    jsonl: { type: "flag", help: 'lines are {"query", "documents"}, answered by {"scores"}' },
    raw: { type: "flag", help: "the model's own scores: logits, or for Qwen3 the probability" },
    limit: { type: "count", short: "k", value: "N", help: "how many documents to print" },
    ...PRECISION_OPTION,
    threads: { type: "count", value: "N", help: "worker threads (default: the usable cores)" },
    truncate: {
      type: "choice",
      choices: ["error", "end"],
      help: "what a document loses that is too long (default: end)",
    },
  },
  details: `
Prints SCORE and DOCUMENT on a line, the best first. A score is from 0 to 1: the sigmoid of the
model's logit, or the probability of "yes" of a Qwen3 reranker. Without DOCUMENT and --input,
documents are read from standard input, one a line.

With --jsonl there is no QUERY: lines come from --input or standard input, and each line of the
output has the scores in the order of that line's documents.`,
  async run({ values, positionals }) {
    const source = requireModel(values.model);
    const [query, ...documents] = positionals;
    const { jsonl, raw, limit, input, truncate } = values;
    if (jsonl && query !== undefined) {
      throw new UsageError("--jsonl has its queries in its lines: leave QUERY and DOCUMENT out");
    }
    if (jsonl && limit !== undefined) throw new UsageError("--limit is not for --jsonl");
    if (!jsonl && query === undefined) throw new UsageError("what to look for? give QUERY");
    const { texts } = await openTexts(documents, { input, jsonl: false });
    const { threads, precision } = values;
    await using model = await openModel(source, { threads, precision });
    warnAbout(model.config.warnings);
    const scorer = new Scorer(model, truncate, raw);
    if (query === undefined) {
      for await (const line of texts) {
        if (line.text.trim() === "") continue;
        const results = await scorer.score(parseRanking(line), line.where);
        const inOrder = results.toSorted((a, b) => a.index - b.index);
        const scores = inOrder.map((result) => scorer.shown(result));
        await printOut(`${JSON.stringify({ scores })}\n`);
      }
    } else {
      const found: string[] = [];
      for await (const { text } of texts) found.push(text);
      const results = await scorer.score({ query, documents: found });
      const lines = results.slice(0, limit).map((result) => {
        const score = scorer.shown(result).toFixed(4);
        return `${score}  ${found[result.index]!.replaceAll(/\s*[\r\n]\s*/g, " ")}\n`;
      });
      await printOut(lines.join(""));
    }
    scorer.tell();
  },
});

/** Scores rankings, and knows what a person should know at the end. */
class Scorer {
  readonly #model: Embedder;
  readonly #truncate: "error" | "end" | undefined;
  readonly #raw: boolean;
  #documents = 0;
  #truncated = 0;

  constructor(model: Embedder, truncate: "error" | "end" | undefined, raw: boolean) {
    this.#model = model;
    this.#truncate = truncate;
    this.#raw = raw;
  }

  /** @param where the ranking stands, if in a file, for the error */
  async score({ query, documents }: Ranking, where?: string): Promise<RerankResult[]> {
    try {
      const results = await this.#model.rerank(query, documents, { truncate: this.#truncate });
      this.#documents += documents.length;
      this.#truncated += results.filter(({ truncated }) => truncated > 0).length;
      return results;
    } catch (error) {
      const { index, code, message } = error instanceof GgufEmbedError ? error : {};
      if (code !== "INPUT_TOO_LONG") throw error;
      const what =
        index === undefined ? message! : message!.replace(/^text \d+/, documentAt(index));
      throw new Failure(where === undefined ? what : `${where}: ${what}`, { cause: error });
    }
  }

  shown({ score, raw }: RerankResult): number {
    return this.#raw ? raw : score;
  }

  tell(): void {
    if (this.#truncated === 0) return;
    const count = `${this.#truncated} of ${this.#documents} documents cut`;
    complain(`warning: ${count} to the model's ${this.#model.config.contextLength} tokens`);
  }
}

function documentAt(index: number): string {
  return `document ${index + 1}`;
}
