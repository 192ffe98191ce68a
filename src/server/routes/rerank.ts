import { z } from "zod";
import { readJson } from "../body.ts";
import { checked, isFilled, isText } from "../checked.ts";
import { type Endpoint, type FormatError, rerankFor } from "../endpoint.ts";
import { operation } from "../schema.ts";

type Document = string | { readonly text: string };

const isDocument = (value: unknown): boolean =>
  isText(value) ||
  (typeof value === "object" && value !== null && "text" in value && isText(value.text));

/**
 * https://docs.cohere.com/reference/rerank and https://api.jina.ai/redoc, "rerank": where both have
 * a field, it means the same. Null is how Python's clients say that something is not set.
 */
export const RerankRequest = z.strictObject({
  model: z
    .string()
    .nullish()
    .meta({ description: "An id of `/v1/models`. Default: the first reranker." }),
  query: z.string(),
  documents: checked<readonly Document[]>(
    z.array(z.union([z.string(), z.looseObject({ text: z.string() })])).min(1),
    (value) => isFilled(value, isDocument),
    { error: "expected an array of strings, or of objects with a string `text`" },
  ),
  top_n: z.int().min(1).nullish().meta({ description: "Give the best so many. Default: all." }),
  return_documents: z.boolean().nullish().meta({ description: "Default: false." }),
  truncate: z
    .enum(["error", "end"])
    .nullish()
    .meta({ description: "Ours: what a document beyond the context loses. Default: end." }),
  raw_scores: z
    .boolean()
    .nullish()
    .meta({ description: "Ours: the model's own scores instead of 0 to 1. Default: false." }),
});

export const RerankResponse = z.object({
  id: z.string(),
  object: z.literal("list"),
  model: z.string(),
  results: z.array(
    z.object({
      index: z.int().meta({ description: "Of the document in the request." }),
      relevance_score: z.number(),
      document: z.object({ text: z.string() }).optional(),
    }),
  ),
  usage: z.object({ prompt_tokens: z.int(), total_tokens: z.int() }),
  meta: z.object({
    tokens: z.object({ input_tokens: z.int() }),
    warnings: z.array(z.string()).optional(),
  }),
});

/** Cohere's clients read the one, Jina's the other. */
export const RerankError = z.object({ message: z.string(), detail: z.string(), code: z.string() });

export const formatRerankError: FormatError = ({ message, code }) => ({
  message,
  detail: message,
  code,
});

/** The same under the paths that clients of either know. */
export const rerankEndpoints: readonly Endpoint[] = ["/rerank", "/v1/rerank", "/v2/rerank"].map(
  (path) => ({
    method: "POST",
    path,
    guarded: true,
    formatError: formatRerankError,
    operation: operation({
      summary: "Documents by their relevance for a query, as Cohere and Jina give them",
      request: RerankRequest,
      response: RerankResponse,
      error: RerankError,
    }),
    run: answer,
  }),
);

async function answer(exchange: Parameters<Endpoint["run"]>[0]): Promise<Response> {
  const body = await readJson(exchange, RerankRequest);
  const texts = body.documents.map((item) => (typeof item === "string" ? item : item.text));
  const { model, results, tokens } = await rerankFor(exchange, {
    model: body.model ?? undefined,
    query: body.query,
    documents: texts,
    truncate: body.truncate ?? "end",
  });
  const cut = results.filter(({ truncated }) => truncated > 0).length;
  const { contextLength } = model.embedder.config;
  const warning = `${cut} of ${texts.length} documents cut to the model's ${contextLength} tokens`;
  return Response.json({
    id: crypto.randomUUID(),
    object: "list",
    model: model.id,
    results: results.slice(0, body.top_n ?? undefined).map(({ index, score, raw }) => ({
      index,
      relevance_score: body.raw_scores ? raw : score,
      ...(body.return_documents ? { document: { text: texts[index] } } : {}),
    })),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
    meta: { tokens: { input_tokens: tokens }, ...(cut === 0 ? {} : { warnings: [warning] }) },
  });
}
