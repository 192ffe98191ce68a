import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { EmbedderStats } from "../index.ts";
import { BatchSizeHistogram } from "./batch-size-histogram.ts";
import type { Models } from "./models.ts";

/** Seconds; those of the program that this one takes over from. */
const LATENCY_BUCKETS = [0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5];
/** How a request for vectors ends when the server is at fault. */
const FAULTS = [500, 503, 504];

/** What a request that embedded texts adds. */
export interface Embedded {
  readonly model: string;
  readonly texts: number;
  readonly tokens: number;
  readonly seconds: number;
}

/** Prometheus metrics of a server; those of its models are read when somebody asks. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #latency = new Histogram({
    name: "embedding_latency_seconds",
    help: "Time of a request that embedded texts, waiting included.",
    labelNames: ["model"],
    buckets: LATENCY_BUCKETS,
    registers: [this.#registry],
  });
  readonly #embeddings = this.#counter("embeddings_total", "Vectors given.", ["model"]);
  readonly #tokens = this.#counter("embedding_tokens_total", "Tokens of those texts.", ["model"]);
  readonly #requests = this.#counter("embedding_requests_total", "Requests by how they ended.", [
    "route",
    "status",
  ]);
  readonly #errors = this.#counter("embedding_errors_total", "Requests that failed.", ["code"]);

  readonly #models: Models;
  readonly #batchSizes = new BatchSizeHistogram(this.#registry);
  readonly #ofModels = MODEL_METRICS.map(({ name, help, type, value }) => {
    const Kind = type === "counter" ? Counter : Gauge;
    const metric = new Kind({ name, help, labelNames: ["model"], registers: [this.#registry] });
    return { metric, value };
  });
  readonly #info = new Gauge({
    name: "embedding_model_info",
    help: "1, with what a model is and which CPU variant runs it.",
    labelNames: ["model", "architecture", "variant", "threads"],
    registers: [this.#registry],
  });
  readonly #memory = new Gauge({
    name: "process_resident_memory_bytes",
    help: "Resident memory of the process.",
    registers: [this.#registry],
  });

  /** `routes` are those that give vectors. */
  constructor(models: Models, routes: readonly string[]) {
    this.#models = models;
    // A rate sees no increase in the first sample of a series: that would hide the first failure.
    for (const route of routes) {
      for (const status of FAULTS) this.#requests.inc({ route, status }, 0);
    }
    for (const { id: model } of models.all) {
      this.#latency.zero({ model });
      this.#embeddings.inc({ model }, 0);
      this.#tokens.inc({ model }, 0);
    }
  }

  embedded({ model, texts, tokens, seconds }: Embedded): void {
    this.#latency.observe({ model }, seconds);
    this.#embeddings.inc({ model }, texts);
    this.#tokens.inc({ model }, tokens);
  }

  answered(route: string, status: number, code: string | undefined): void {
    this.#requests.inc({ route, status });
    if (code !== undefined) this.#errors.inc({ code });
  }

  async response(): Promise<Response> {
    this.#readModels();
    this.#memory.set(process.memoryUsage.rss());
    const text = await this.#registry.metrics();
    return new Response(text, { headers: { "content-type": this.#registry.contentType } });
  }

  /** Asks each model once: that is not free, and the figures of one answer belong together. */
  #readModels(): void {
    this.#info.reset();
    this.#batchSizes.clear();
    for (const { metric } of this.#ofModels) metric.reset();
    for (const { id: model, embedder } of this.#models.all) {
      const stats = embedder.stats();
      const { variant, threads } = stats;
      this.#info.set({ model, architecture: embedder.config.architecture, variant, threads }, 1);
      this.#batchSizes.add(model, stats);
      for (const { metric, value } of this.#ofModels) {
        const found = value(stats);
        if (found !== undefined) metric.inc({ model }, found);
      }
    }
  }

  #counter<const L extends readonly string[]>(name: string, help: string, labelNames: L) {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }
}

interface ModelMetric {
  readonly name: string;
  readonly help: string;
  readonly type: "gauge" | "counter";
  /** Undefined: this model has none. */
  readonly value: (stats: EmbedderStats) => number | undefined;
}

const MODEL_METRICS: readonly ModelMetric[] = [
  {
    name: "embedding_queue_depth",
    help: "Texts that were taken on and have no vector yet.",
    type: "gauge",
    value: ({ queue }) => queue.texts,
  },
  {
    name: "embedding_queue_tokens",
    help: "Tokens that wait for a batch.",
    type: "gauge",
    value: ({ queue }) => queue.waiting.tokens,
  },
  {
    name: "embedding_running_texts",
    help: "Texts in the batches that run.",
    type: "gauge",
    value: ({ running }) => running.texts,
  },
  {
    name: "embedding_batch_tokens_total",
    help: "Tokens of the batches that ran.",
    type: "counter",
    value: ({ done }) => done.tokens,
  },
  {
    name: "embedding_tokens_per_second",
    help: "Speed of the last batches.",
    type: "gauge",
    value: ({ tokensPerSecond }) => tokensPerSecond,
  },
  {
    name: "embedding_cache_hits_total",
    help: "Texts whose vector the cache knew.",
    type: "counter",
    value: ({ cache }) => cache?.hits,
  },
  {
    name: "embedding_cache_misses_total",
    help: "Texts whose vector it did not know.",
    type: "counter",
    value: ({ cache }) => cache?.misses,
  },
  {
    name: "embedding_cache_bytes",
    help: "Bytes of the cache.",
    type: "gauge",
    value: ({ cache }) => cache?.bytes,
  },
  {
    name: "embedding_weight_bytes",
    help: "Packed weights.",
    type: "gauge",
    value: ({ memory }) => memory.weightBytes,
  },
  {
    name: "embedding_workspace_bytes",
    help: "Buffers of batches.",
    type: "gauge",
    value: ({ memory }) => memory.workspaceBytes,
  },
];
