import type { Server } from "bun";
import { abortError, type Endpoint, type Notes, type Service } from "./endpoint.ts";
import { ApiKeys } from "./keys.ts";
import { Load } from "./load.ts";
import type { Log } from "./log.ts";
import { Metrics } from "./metrics.ts";
import type { Models } from "./models.ts";
import { openApiEndpoint } from "./openapi.ts";
import { RequestError, toRequestError } from "./request-error.ts";
import {
  health,
  info,
  metrics as metricsRoute,
  models as modelsRoute,
  ready,
} from "./routes/about.ts";
import { embedRoute } from "./routes/embed.ts";
import { ollamaEmbed } from "./routes/ollama.ts";
import { formatOpenAiError, openAiEmbeddings } from "./routes/openai.ts";
import { page } from "./routes/page.ts";
import { rerankEndpoints } from "./routes/rerank.ts";
import { searchRoute } from "./routes/search.ts";
import { tokenizeRoute } from "./routes/tokenize.ts";
import type { ServedIndex } from "./served-index.ts";
import type { ServerSettings } from "./settings.ts";

/** Those that make models work. */
const WORK_ENDPOINTS = [openAiEmbeddings, embedRoute, ollamaEmbed, ...rerankEndpoints];
const ENDPOINTS = [
  ...WORK_ENDPOINTS,
  tokenizeRoute,
  searchRoute,
  modelsRoute,
  health,
  ready,
  info,
  metricsRoute,
  page,
];
const ALL: readonly Endpoint[] = [...ENDPOINTS, openApiEndpoint(ENDPOINTS)];
/** Texts that every model sees before the server is ready: a short one, and more than one. */
const WARM_UP = ["warm", "warming up ".repeat(20)];
const REQUEST_ID = /^[\w.:-]{1,100}$/;

/** A server that runs. */
export class EmbeddingServer {
  readonly #server: Server<undefined>;
  readonly #service: Service;
  readonly #keys: ApiKeys;
  readonly #log: Log;
  #unready: string | undefined = "the models are being warmed up";
  #running = 0;
  #whenIdle: (() => void) | undefined;

  private constructor(
    settings: ServerSettings,
    models: Models,
    log: Log,
    index: ServedIndex | undefined,
  ) {
    this.#log = log;
    this.#keys = new ApiKeys(settings.apiKeys);
    const unready = () => this.#unready;
    const load = new Load(settings.deadlineMs);
    const metrics = new Metrics(
      models,
      WORK_ENDPOINTS.map(({ path }) => path),
    );
    this.#service = { settings, models, index, metrics, load, unready };
    this.#server = Bun.serve({
      hostname: settings.hostname,
      port: settings.port,
      // Our own limit speaks: Bun's says nothing in JSON, leaves no line in the log, and closes the
      // connection before a client that still sends has read why. What is not read is not kept.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      idleTimeout: settings.idleSeconds,
      // Bun's own page for errors shows our sources.
      development: false,
      // Else Bun shares a port that is taken, where that page is off.
      reusePort: false,
      fetch: async (request, server) => {
        // It may well wait for its turn in silence; the deadline ends it.
        server.timeout(request, 0);
        const response = await this.#answer(request);
        // Whoever does not read it is not waited for.
        server.timeout(request, settings.idleSeconds);
        return response;
      },
    });
  }

  /**
   * Listens; after `warmUp`, `/ready` says that it takes requests. From then on models and index
   * are the server's to close. Throws if it cannot listen.
   */
  static start(
    settings: ServerSettings,
    models: Models,
    log: Log,
    index?: ServedIndex,
  ): EmbeddingServer {
    return new EmbeddingServer(settings, models, log, index);
  }

  get url(): URL {
    return this.#server.url;
  }

  async warmUp(): Promise<void> {
    for (const { embedder } of this.#service.models.all) {
      if (embedder.config.pooling === "rank") await embedder.rerank(WARM_UP[0]!, WARM_UP);
      else await embedder.embed(WARM_UP, { truncate: "end" });
    }
    if (this.#unready !== STOPPING) this.#unready = undefined;
  }

  /**
   * Takes no new connections, lets what runs finish within `graceMs`, then ends the rest. Resolves
   * to whether all of it finished.
   */
  async stop(): Promise<boolean> {
    this.#unready = STOPPING;
    const idle =
      this.#running === 0
        ? Promise.resolve(true)
        : new Promise<boolean>((resolve) => {
            this.#whenIdle = () => resolve(true);
          });
    const closing = this.#server.stop(false);
    const finished = await Promise.race([
      idle,
      Bun.sleep(this.#service.settings.graceMs).then(() => false),
    ]);
    // Answers that are made may still be on their way out.
    if (finished) await Promise.race([closing, Bun.sleep(FLUSH_MS)]);
    await this.#server.stop(true);
    for (const { embedder } of this.#service.models.all) await embedder.close({ cancel: true });
    await this.#service.index?.index.close();
    return finished;
  }

  async #answer(request: Request): Promise<Response> {
    const start = performance.now();
    const pathname = pathOf(request.url);
    const given = request.headers.get("x-request-id") ?? "";
    const id = REQUEST_ID.test(given) ? given : crypto.randomUUID();
    const endpoint = ALL.find(({ path }) => path === pathname);
    const notes: Notes = {};
    this.#running += 1;
    let response: Response;
    let error: RequestError | undefined;
    try {
      response = this.#preflight(request) ?? (await this.#run(request, endpoint, notes));
    } catch (thrown) {
      error = toRequestError(thrown);
      response = errorResponse(error, endpoint);
    }
    this.#running -= 1;
    if (this.#running === 0) this.#whenIdle?.();
    response.headers.set("x-request-id", id);
    this.#allowOrigin(request, response);
    if (this.#unready === STOPPING) response.headers.set("connection", "close");
    const route = endpoint?.path ?? "other";
    this.#service.metrics.answered(route, response.status, error?.code);
    const { method } = request;
    const { status } = response;
    const cause = status === 500 ? String(error?.cause) : undefined;
    const ms = performance.now() - start;
    this.#log({ id, method, path: route, status, ms, ...notes, code: error?.code, cause });
    return response;
  }

  async #run(request: Request, endpoint: Endpoint | undefined, notes: Notes): Promise<Response> {
    if (endpoint === undefined) {
      throw new RequestError(
        404,
        "not_found",
        "there is nothing here; /openapi.json tells what is",
      );
    }
    const isHead = request.method === "HEAD" && endpoint.method === "GET";
    if (request.method !== endpoint.method && !isHead) {
      const message = `${endpoint.path} takes ${endpoint.method}`;
      throw new RequestError(405, "method_not_allowed", message);
    }
    const signal = AbortSignal.any([
      request.signal,
      AbortSignal.timeout(this.#service.settings.deadlineMs),
    ]);
    if (endpoint.guarded) {
      this.#keys.check(request);
      const why = this.#unready;
      // What came in on an open connection is still answered while the server stops.
      if (why !== undefined && why !== STOPPING) {
        throw new RequestError(503, "not_ready", why, { retryAfterSeconds: 1 });
      }
    }
    try {
      return await endpoint.run({ request, service: this.#service, signal, notes });
    } catch (error) {
      // Whose client has gone fails in many ways, a body that ends early among them.
      const isCut = request.signal.aborted || (signal.aborted && error === signal.reason);
      throw isCut ? abortError(signal) : error;
    }
  }

  #preflight(request: Request): Response | undefined {
    const { corsOrigins } = this.#service.settings;
    if (request.method !== "OPTIONS" || corsOrigins.length === 0) return undefined;
    return new Response(null, {
      status: 204,
      headers: {
        "access-control-allow-methods": "GET, POST",
        // Clients send headers of their own, OpenAI's a dozen; a star would not let the key in.
        "access-control-allow-headers":
          request.headers.get("access-control-request-headers") ?? "authorization, content-type",
        "access-control-max-age": "600",
      },
    });
  }

  #allowOrigin(request: Request, { headers }: Response): void {
    const { corsOrigins } = this.#service.settings;
    const origin = request.headers.get("origin");
    if (origin === null || corsOrigins.length === 0) return;
    headers.append("vary", "Origin");
    headers.set("access-control-expose-headers", "x-request-id, retry-after");
    if (corsOrigins.includes("*")) headers.set("access-control-allow-origin", "*");
    else if (corsOrigins.includes(origin)) headers.set("access-control-allow-origin", origin);
  }
}

/** Of a URL, or of what is left of it where the request names no host, or one that is none. */
function pathOf(url: string): string {
  return /^(?:\w+:\/\/[^/?#]*)?([^?#]*)/.exec(url)![1]!;
}

const STOPPING = "the server is stopping";
const FLUSH_MS = 1000;

function errorResponse(error: RequestError, endpoint: Endpoint | undefined): Response {
  const format = endpoint?.formatError ?? formatOpenAiError;
  const headers = new Headers();
  if (error.retryAfterSeconds !== undefined) {
    headers.set("retry-after", String(error.retryAfterSeconds));
  }
  // The rest of a body that was not waited for must not be taken for a request.
  if (error.status === 408) headers.set("connection", "close");
  if (error.status === 401) headers.set("www-authenticate", "Bearer");
  if (error.status === 405 && endpoint !== undefined) {
    headers.set("allow", endpoint.method === "GET" ? "GET, HEAD" : endpoint.method);
  }
  return Response.json(format(error), { status: error.status, headers });
}
