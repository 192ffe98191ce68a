import { z } from "zod";
import { version } from "../../index.ts";
import type { Endpoint } from "../endpoint.ts";
import { RequestError } from "../request-error.ts";
import { operation } from "../schema.ts";
import { formatOpenAiError, OpenAiError } from "./openai.ts";

const Model = z.object({
  id: z.string(),
  object: z.literal("model"),
  created: z.int(),
  owned_by: z.string(),
});

/** Alive: the process answers. Whether it takes work, `/ready` says. */
export const health: Endpoint = {
  method: "GET",
  path: "/health",
  guarded: false,
  formatError: formatOpenAiError,
  operation: operation({
    summary: "Whether the process answers",
    response: z.object({ status: z.literal("ok") }),
  }),
  run: () => Response.json({ status: "ok" }),
};

export const ready: Endpoint = {
  method: "GET",
  path: "/ready",
  guarded: false,
  formatError: formatOpenAiError,
  operation: operation({
    summary: "Whether requests are taken: warmed up, and not stopping",
    response: z.object({ status: z.literal("ready") }),
    error: OpenAiError,
  }),
  run({ service }) {
    const why = service.unready();
    if (why !== undefined) throw new RequestError(503, "not_ready", why);
    return Response.json({ status: "ready" });
  },
};

export const models: Endpoint = {
  method: "GET",
  path: "/v1/models",
  guarded: true,
  formatError: formatOpenAiError,
  operation: operation({
    summary: "The models that are open",
    response: z.object({ object: z.literal("list"), data: z.array(Model) }),
    error: OpenAiError,
  }),
  run: ({ service }) =>
    Response.json({
      object: "list",
      data: service.models.all.map(({ id, created }) => ({
        id,
        object: "model",
        created,
        owned_by: "ggufembed",
      })),
    }),
};

export const info: Endpoint = {
  method: "GET",
  path: "/info",
  guarded: true,
  formatError: formatOpenAiError,
  operation: operation({
    summary: "What runs here, and its limits",
    response: z.object({
      model_id: z.string(),
      version: z.string(),
      max_input_length: z.int(),
      max_client_batch_size: z.int(),
      models: z.array(
        z.object({
          id: z.string(),
          architecture: z.string(),
          context_length: z.int(),
          dimensions: z.int(),
          pooling: z.string(),
          weight_type: z.string(),
          tasks: z.array(z.string()),
          fingerprint: z.string(),
        }),
      ),
      index: z
        .object({ model: z.string(), documents: z.int(), chunks: z.int() })
        .nullable()
        .meta({ description: "What `/v1/search` looks in." }),
    }),
    error: OpenAiError,
  }),
  async run({ service }) {
    const described = await Promise.all(
      service.models.all.map(async ({ id, embedder }) => ({
        id,
        architecture: embedder.config.architecture,
        context_length: embedder.config.contextLength,
        dimensions: embedder.config.embeddingSize,
        pooling: embedder.config.pooling,
        weight_type: embedder.config.weightType,
        tasks: embedder.tasks,
        fingerprint: await embedder.fingerprint(),
      })),
    );
    const { index } = service;
    const counts = index?.index.stats();
    return Response.json({
      model_id: described[0]?.id,
      version,
      max_input_length: described[0]?.context_length,
      max_client_batch_size: service.settings.itemsMax,
      models: described,
      index:
        index === undefined || counts === undefined
          ? null
          : { model: index.model.id, documents: counts.documents, chunks: counts.chunks },
    });
  },
};

export const metrics: Endpoint = {
  method: "GET",
  path: "/metrics",
  guarded: false,
  formatError: formatOpenAiError,
  operation: {
    summary: "Metrics for Prometheus",
    responses: {
      200: { description: "Done.", content: { "text/plain": { schema: { type: "string" } } } },
    },
  },
  run: ({ service }) => service.metrics.response(),
};
