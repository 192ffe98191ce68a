import type {
  EmbedOptions,
  EmbedResult,
  RerankOptions,
  RerankResult,
  TextInput,
} from "../index.ts";
import type { Load } from "./load.ts";
import type { Metrics } from "./metrics.ts";
import type { Models, ServedModel } from "./models.ts";
import { overloaded, RequestError, tooLarge } from "./request-error.ts";
import type { ServedIndex } from "./served-index.ts";
import type { ServerSettings } from "./settings.ts";

/** What a request was about, for log and metrics. */
export interface Notes {
  model?: string;
  texts?: number;
  tokens?: number;
}

/** What the parts of the server share. */
export interface Service {
  readonly settings: ServerSettings;
  readonly models: Models;
  /** What `/v1/search` looks in; undefined where there is none. */
  readonly index: ServedIndex | undefined;
  readonly metrics: Metrics;
  readonly load: Load;
  /** Undefined while requests are taken; else why they are not. */
  readonly unready: () => string | undefined;
}

/** One request on its way. */
export interface Exchange {
  readonly request: Request;
  readonly service: Service;
  /** Aborts when the client has gone or the deadline has passed. */
  readonly signal: AbortSignal;
  readonly notes: Notes;
}

/** How an interface says that something went wrong. */
export type FormatError = (error: RequestError) => object;

/** A path, what it does, and how it is described. */
export interface Endpoint {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Whether it needs a key where keys are on, and is refused while the server is not ready. */
  readonly guarded: boolean;
  readonly formatError: FormatError;
  /** An OpenAPI operation. */
  readonly operation: object;
  run(exchange: Exchange): Promise<Response> | Response;
}

/** What a request asks for, in the library's terms. */
export interface EmbedRequest extends Omit<EmbedOptions, "signal" | "encoding" | "tokenLimit"> {
  readonly model: string | undefined;
  readonly texts: readonly TextInput[];
}

export interface Answer<R> {
  readonly model: ServedModel;
  readonly results: readonly R[];
  /** Of all texts. */
  readonly tokens: number;
}

/** What a request asks to rerank, in the library's terms. */
export interface RerankRequest extends Pick<RerankOptions, "truncate"> {
  readonly model: string | undefined;
  readonly query: string;
  readonly documents: readonly string[];
}

/** Embeds what a request asks for, within the server's limits. Throws `RequestError`. */
export function embedFor(
  exchange: Exchange,
  { model: name, texts, ...options }: EmbedRequest,
): Promise<Answer<EmbedResult>> {
  const model = exchange.service.models.find(name, "embedding");
  return answerFor(exchange, model, texts.length, (limits) =>
    model.embedder.embed(texts, { ...options, ...limits }),
  );
}

/** Scores documents, the best first, within the server's limits. Throws `RequestError`. */
export function rerankFor(
  exchange: Exchange,
  { model: name, query, documents, truncate }: RerankRequest,
): Promise<Answer<RerankResult>> {
  const model = exchange.service.models.find(name, "reranker");
  return answerFor(exchange, model, documents.length, (limits) =>
    model.embedder.rerank(query, documents, { truncate, ...limits }),
  );
}

interface Limits {
  readonly tokenLimit: number | undefined;
  readonly signal: AbortSignal;
}

/** Lets a model work where there is room for it, and notes what it did. */
async function answerFor<R extends { readonly tokens: number }>(
  exchange: Exchange,
  model: ServedModel,
  texts: number,
  work: (limits: Limits) => Promise<R[]>,
): Promise<Answer<R>> {
  const { service, signal, notes } = exchange;
  const { settings, metrics } = service;
  notes.model = model.id;
  notes.texts = texts;
  if (texts > settings.itemsMax) {
    throw tooLarge(`${texts} texts; a request takes ${settings.itemsMax}`);
  }
  const start = performance.now();
  const results = await underLoad(exchange, model, () =>
    work({ tokenLimit: settings.tokenLimit, signal }),
  );
  const tokens = results.reduce((total, result) => total + result.tokens, 0);
  notes.tokens = tokens;
  const seconds = (performance.now() - start) / 1000;
  metrics.embedded({ model: model.id, texts, tokens, seconds });
  return { model, results, tokens };
}

/**
 * Work that waits for a model, where it may be expected to end in time. Throws `RequestError` 429,
 * and what the work rejects with.
 */
export async function underLoad<T>(
  { service, signal }: Exchange,
  { embedder }: ServedModel,
  work: () => Promise<T>,
): Promise<T> {
  const expectedMs = embedder.expectedWaitMs;
  const retryAfterSeconds = service.load.refusal(expectedMs);
  if (retryAfterSeconds !== undefined) throw overloaded(retryAfterSeconds);
  const start = performance.now();
  const observe = () => service.load.observe(expectedMs, performance.now() - start);
  const result = await work().catch((error: unknown) => {
    // What was refused or left says nothing of how long work takes.
    if (signal.aborted && isDeadline(signal)) observe();
    throw error;
  });
  observe();
  return result;
}

/** Whether it aborted because of the deadline; else the client has gone. */
export function isDeadline({ reason }: AbortSignal): boolean {
  return reason instanceof DOMException && reason.name === "TimeoutError";
}

/** The signal's reason as what a client should hear. */
export function abortError(signal: AbortSignal): RequestError {
  return isDeadline(signal)
    ? new RequestError(504, "deadline_exceeded", "the request took longer than it may")
    : new RequestError(499, "client_closed_request", "the client has gone");
}
