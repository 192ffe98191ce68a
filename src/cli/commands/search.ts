import { type IndexHit, openSearchIndex } from "../../index.ts";
import { defineCommand } from "../command.ts";
import { UsageError } from "../errors.ts";
import {
  DocumentNames,
  INDEX_OPTION,
  indexToRead,
  openModelOf,
  requireSource,
} from "../index-file.ts";
import { MODEL_OPTION, openModel, PRECISION_OPTION } from "../model.ts";
import { printOut } from "../output/stdout.ts";
import { snippetOf } from "../snippet.ts";
import { complain } from "../terminal.ts";

export const search = defineCommand({
  name: "search",
  summary: "find what was indexed, by meaning and by words",
  usage: "[options] QUERY…",
  options: {
    ...MODEL_OPTION,
    ...INDEX_OPTION,
    limit: { type: "count", short: "k", value: "N", help: "how many chunks to find (default: 10)" },
    mode: {
      type: "choice",
      choices: ["hybrid", "vector", "text"],
      help: "by meaning and words, or one of them (default: hybrid)",
    },
    in: { type: "text", value: "GLOB", help: "only in documents named like this; * is any path" },
    rerank: {
      type: "text",
      value: "MODEL",
      help: "a reranker, which puts the best chunks in its order",
    },
    exact: { type: "flag", help: "compare with every vector, in large indexes too" },
    ...PRECISION_OPTION,
    threads: { type: "count", value: "N", help: "worker threads (default: the usable cores)" },
    json: { type: "flag", help: "print one JSON array" },
    jsonl: { type: "flag", help: "print a JSON object for each chunk, one a line" },
  },
  details: `
The index is the one of this folder, or of the nearest above; it knows its model. Any text is a
query: there is no syntax. With --mode text no model is needed.

Each chunk comes as SCORE PATH:LINE-LINE and its best lines. The score is a cosine with --mode
vector, BM25 with --mode text, and otherwise the sum of 1 / (60 + rank) over both; with --rerank it
is the reranker's, from 0 to 1, of the best 50 chunks or as many as -k says.`,
  async run({ values, positionals }) {
    const query = positionals.join(" ");
    if (query.trim() === "") throw new UsageError("what to search for? give QUERY");
    if (values.json && values.jsonl) throw new UsageError("give either --json or --jsonl");
    const path = indexToRead(values.index);
    const { limit, mode, exact } = values;
    const filter = values.in === undefined ? undefined : { id: values.in };
    const hits = await find(path, query, { limit, mode, exact, filter }, values);
    const names = new DocumentNames(path);
    await printOut(render(hits, query, names, values));
    if (hits.length === 0 && !values.json && !values.jsonl) complain("nothing was found");
  },
});

type Options = Parameters<Awaited<ReturnType<typeof openSearchIndex>>["search"]>[1];

interface ModelValues {
  readonly model: string | undefined;
  readonly threads: number | undefined;
  readonly precision: "default" | "high" | undefined;
  readonly rerank: string | undefined;
}

async function find(
  path: string,
  query: string,
  firstStage: NonNullable<Options>,
  { model: named, threads, precision, rerank }: ModelValues,
): Promise<IndexHit[]> {
  await using reranker =
    rerank === undefined ? null : await openModel(rerank, { threads, precision });
  const options = { ...firstStage, reranker: reranker ?? undefined };
  await using stored = await openSearchIndex({ path, create: false });
  const { settings } = stored.stats();
  if (settings === undefined || options.mode === "text") return await stored.search(query, options);
  const source = requireSource(named, settings);
  await using model = await openModelOf(source, settings, { threads, precision });
  await using index = await openSearchIndex({ path, create: false, model });
  return await index.search(query, options);
}

interface FormatValues {
  readonly json: boolean;
  readonly jsonl: boolean;
}

function render(
  hits: readonly IndexHit[],
  query: string,
  names: DocumentNames,
  { json, jsonl }: FormatValues,
): string {
  const rows = hits.map((hit) => ({ path: names.pathOf(hit.id), ...hit }));
  if (json) return `${JSON.stringify(rows, null, 2)}\n`;
  if (jsonl) return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  return rows
    .map(({ path, score, line, lineEnd, text }) => {
      const lines = line === lineEnd ? `${line}` : `${line}-${lineEnd}`;
      return `${score.toFixed(4)}  ${path}:${lines}\n${snippetOf(text, line, query)}`;
    })
    .join("\n");
}
