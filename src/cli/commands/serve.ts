import { readFileSync } from "node:fs";
import {
  type Embedder,
  GgufEmbedError,
  type IndexSettings,
  type OpenOptions,
  openSearchIndex,
} from "../../index.ts";
import { parseKeys } from "../../server/keys.ts";
import { jsonLog, type Log } from "../../server/log.ts";
import { Models } from "../../server/models.ts";
import { openServedIndex, type ServedIndex } from "../../server/served-index.ts";
import type { EmbeddingServer } from "../../server/server.ts";
import { DEFAULTS, type ServerSettings } from "../../server/settings.ts";
import { defineCommand } from "../command.ts";
import { Failure, UsageError } from "../errors.ts";
import { requireSource } from "../index-file.ts";
import { openModel, PRECISION_OPTION, warnAbout } from "../model.ts";
import { untilStop } from "../signals.ts";
import { complain, writeStderr } from "../terminal.ts";

/** Keys of the server, where `--api-key-file` names no file. */
const KEYS_VARIABLE = "GGUFEMBED_API_KEYS";
const MEGABYTE = 2 ** 20;
const PORT_MAX = 65_535;
/** Of pages and of browsers' extensions: scheme and host, no path. */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#A-Z]+$/;

export const serve = defineCommand({
  name: "serve",
  summary: "answer requests for embeddings and reranking over HTTP",
  usage: "-m MODEL… [options]",
  options: {
    model: {
      type: "texts",
      short: "m",
      value: "MODEL",
      help: "a .gguf file or a model's name; several times for several models",
    },
    index: { type: "text", value: "FILE", help: "search it, too: what 'ggufembed index' made" },
    host: { type: "text", value: "HOST", help: `address (default: ${DEFAULTS.hostname})` },
    port: {
      type: "text",
      value: "PORT",
      help: `port, 0 for a free one (default: ${DEFAULTS.port})`,
    },
    threads: { type: "count", value: "N", help: "worker threads (default: the usable cores)" },
    ...PRECISION_OPTION,
    "cache-mb": {
      type: "count",
      value: "N",
      help: "megabytes for vectors of texts that come again",
    },
    "queue-limit": { type: "count", value: "N", help: "texts that may wait (default: 65536)" },
    "max-body-mb": { type: "count", value: "N", help: "megabytes of a request (default: 8)" },
    "max-items": { type: "count", value: "N", help: "texts of a request (default: 2048)" },
    "max-tokens": { type: "count", value: "N", help: "tokens of a request (default: no limit)" },
    deadline: { type: "count", value: "S", help: "seconds that a request may take (default: 30)" },
    grace: { type: "count", value: "S", help: "seconds to finish after SIGTERM (default: 20)" },
    "api-key-file": { type: "text", value: "FILE", help: "keys, one a line (default: no keys)" },
    cors: { type: "texts", value: "ORIGIN", help: "let pages of ORIGIN ask; * for all" },
    log: { type: "choice", choices: ["json", "off"], help: "requests on stderr (default: json)" },
  },
  details: `
Endpoints: / (a page to try it with), /v1/embeddings and /v1/models (OpenAI), /embed (an array of
texts, or as Text Embeddings Inference) and /tokenize, /api/embed (Ollama), /rerank, /v1/rerank and
/v2/rerank (Cohere, Jina), /v1/search (with --index), /health, /ready, /info, /metrics (Prometheus),
/openapi.json. With --index and without -m the model is the one that the index was made with.

Keys come from --api-key-file or, separated by commas, from ${KEYS_VARIABLE};
/, /health, /ready, /metrics and /openapi.json never ask for one. SIGTERM and SIGINT finish what
runs and exit.`,
  async run({ values, positionals }) {
    if (positionals.length > 0) throw new UsageError("takes no arguments; models come with -m");
    const settings = settingsOf(values);
    const stored = values.index === undefined ? undefined : await settingsIn(values.index);
    // A model that the index names is opened as it was then.
    const isNamed = values.model.length > 0;
    const sources = isNamed ? values.model : [requireSource(undefined, stored)];
    const options: OpenOptions = {
      threads: values.threads,
      precision: values.precision ?? (isNamed ? undefined : stored?.precision),
      pooling: isNamed ? undefined : stored?.pooling,
      cacheBytes: values["cache-mb"] === undefined ? undefined : values["cache-mb"] * MEGABYTE,
      queueLimit: values["queue-limit"],
    };
    const opened: { source: string; embedder: Embedder }[] = [];
    for (const source of sources) {
      const embedder = await openModel(source, options);
      warnAbout(embedder.config.warnings);
      opened.push({ source, embedder });
    }
    const log: Log = values.log === "off" ? () => {} : jsonLog(writeStderr);
    const models = new Models(opened);
    const index = values.index === undefined ? undefined : await openIndex(values.index, models);
    const server = await listen(settings, models, log, index);
    complain(`listening on ${server.url.href}`);
    const stopped = untilStop();
    const isWarm = server.warmUp().then(() => true);
    if (await Promise.race([isWarm, stopped.then(() => false)])) complain("ready");
    await stopped;
    if (!(await server.stop())) {
      throw new Failure(
        `some requests had not finished ${settings.graceMs / 1000} s after the signal`,
      );
    }
  },
});

interface ServeValues {
  readonly host: string | undefined;
  readonly port: string | undefined;
  readonly "max-body-mb": number | undefined;
  readonly "max-items": number | undefined;
  readonly "max-tokens": number | undefined;
  readonly deadline: number | undefined;
  readonly grace: number | undefined;
  readonly "api-key-file": string | undefined;
  readonly cors: readonly string[];
}

function settingsOf(values: ServeValues): ServerSettings {
  const bodyMegabytes = values["max-body-mb"];
  return {
    hostname: values.host ?? DEFAULTS.hostname,
    port: readPort(values.port),
    bodyBytesMax: bodyMegabytes === undefined ? DEFAULTS.bodyBytesMax : bodyMegabytes * MEGABYTE,
    itemsMax: values["max-items"] ?? DEFAULTS.itemsMax,
    tokenLimit: values["max-tokens"],
    deadlineMs: values.deadline === undefined ? DEFAULTS.deadlineMs : values.deadline * 1000,
    idleSeconds: DEFAULTS.idleSeconds,
    graceMs: values.grace === undefined ? DEFAULTS.graceMs : values.grace * 1000,
    apiKeys: readKeys(values["api-key-file"]),
    corsOrigins: values.cors.map(readOrigin),
  };
}

function readPort(value: string | undefined): number {
  if (value === undefined) return DEFAULTS.port;
  const port = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (port <= PORT_MAX) return port;
  throw new UsageError(`option '--port' takes a number from 0 to ${PORT_MAX}, found '${value}'`);
}

function readOrigin(value: string): string {
  // Browsers send it without a path, and compare it as it is.
  if (value === "*" || ORIGIN.test(value)) return value;
  throw new UsageError(`option '--cors' takes * or an origin, https://HOST, found '${value}'`);
}

function readKeys(path: string | undefined): string[] {
  if (path === undefined) return keysOfEnvironment();
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new Failure(`${path}: the keys cannot be read; check the path`, { cause });
  }
  const keys = parseKeys(text);
  // An empty file that opens the server to everybody is nobody's wish.
  if (keys.length === 0) throw new Failure(`${path}: there is no key in it; write one a line`);
  return keys;
}

function keysOfEnvironment(): string[] {
  const text = process.env[KEYS_VARIABLE] ?? "";
  const keys = parseKeys(text);
  if (keys.length > 0 || text === "") return keys;
  throw new Failure(`there is no key in ${KEYS_VARIABLE}; set one, or leave it out`);
}

async function settingsIn(path: string): Promise<IndexSettings> {
  await using index = await openSearchIndex({ path, create: false });
  const { settings } = index.stats();
  if (settings !== undefined) return settings;
  throw new Failure(`${path}: nothing is indexed in it yet; run 'ggufembed index' first`);
}

async function openIndex(path: string, models: Models): Promise<ServedIndex> {
  try {
    return await openServedIndex(path, models);
  } catch (error) {
    if (!(error instanceof GgufEmbedError) || error.code !== "WRONG_MODEL") throw error;
    throw new Failure(`${error.message}; or leave -m out: the index knows its model`, {
      cause: error,
    });
  }
}

async function listen(
  settings: ServerSettings,
  models: Models,
  log: Log,
  index: ServedIndex | undefined,
): Promise<EmbeddingServer> {
  // Imported here: it brings libraries that no other command should wait for.
  const { EmbeddingServer } = await import("../../server/server.ts");
  try {
    return EmbeddingServer.start(settings, models, log, index);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Failure(`cannot listen on ${settings.hostname}:${settings.port}: ${why}`, { cause });
  }
}
