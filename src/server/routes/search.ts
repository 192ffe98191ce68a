import { z } from "zod";
import { readJson } from "../body.ts";
import { type Endpoint, type Exchange, underLoad } from "../endpoint.ts";
import { RequestError } from "../request-error.ts";
import { operation } from "../schema.ts";
import type { ServedIndex } from "../served-index.ts";
import { formatOpenAiError, OpenAiError } from "./openai.ts";

const LIMIT_MAX = 100;
const Metadata = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));

/** Null says that something is not set, as in `/v1/embeddings`. */
export const SearchRequest = z.strictObject({
  query: z.string(),
  limit: z.int().min(1).max(LIMIT_MAX).nullish().meta({ description: "Default: 10." }),
  mode: z
    .enum(["hybrid", "vector", "text"])
    .nullish()
    .meta({ description: "By meaning and words, or one of them. Default: hybrid." }),
  filter: z
    .strictObject({
      id: z.string().optional().meta({ description: "Pattern of ids, as SQLite's GLOB has it." }),
      metadata: Metadata.optional(),
    })
    .nullish(),
  exact: z.boolean().nullish().meta({ description: "Compare with every vector." }),
});

export const SearchResponse = z.object({
  object: z.literal("list"),
  model: z.string(),
  data: z.array(
    z.object({
      id: z.string().meta({ description: "Of the document." }),
      text: z.string(),
      start: z.int().meta({ description: "UTF-16 units, as `end`." }),
      end: z.int(),
      line: z.int().meta({ description: "From 1." }),
      line_end: z.int(),
      score: z.number(),
      similarity: z.number().optional().meta({ description: "Absent with mode text." }),
      metadata: Metadata.optional(),
    }),
  ),
});

export const searchRoute: Endpoint = {
  method: "POST",
  path: "/v1/search",
  guarded: true,
  formatError: formatOpenAiError,
  operation: operation({
    summary: "Chunks of the documents of `--index` that answer a query",
    request: SearchRequest,
    response: SearchResponse,
    error: OpenAiError,
  }),
  async run(exchange) {
    const { query, limit, mode, filter, exact } = await readJson(exchange, SearchRequest);
    const { index, model } = requireIndex(exchange);
    exchange.notes.model = model.id;
    exchange.notes.texts = 1;
    const hits = await underLoad(exchange, model, () =>
      index.search(query, {
        limit: limit ?? undefined,
        mode: mode ?? undefined,
        filter: filter ?? undefined,
        exact: exact ?? undefined,
        signal: exchange.signal,
      }),
    );
    return Response.json({
      object: "list",
      model: model.id,
      data: hits.map(({ lineEnd, ...hit }) => ({ ...hit, line_end: lineEnd })),
    });
  },
};

function requireIndex({ service }: Exchange): ServedIndex {
  if (service.index !== undefined) return service.index;
  throw new RequestError(404, "no_index", "nothing is indexed here; start serve with --index FILE");
}
