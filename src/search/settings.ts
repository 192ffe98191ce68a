import type { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { GgufEmbedError, invalidArgument } from "../errors.ts";
import type { Embedder } from "../types.ts";
import type { IndexSettings, SearchIndexOptions } from "./types.ts";

/** Long enough for a thought, short enough for its vector to mean it. */
const MAX_TOKENS = 256;

/** Options that must be what they were when the first document was added. */
const FIXED = ["maxTokens", "overlap", "dimensions", "documentTask", "queryTask"] as const;

export function readSettings(database: Database): IndexSettings | undefined {
  const row = database.query("SELECT value FROM settings WHERE name = 'index'").get() as {
    value: string;
  } | null;
  return row === null ? undefined : JSON.parse(row.value);
}

/** Keeps what another process has stored meanwhile. */
export function storeSettings(database: Database, settings: IndexSettings): void {
  const insert = "INSERT OR IGNORE INTO settings (name, value) VALUES ('index', ?)";
  database.query(insert).run(JSON.stringify(settings));
}

/** What a new index will have in common, by its model. */
export async function newSettings(
  model: Embedder,
  options: SearchIndexOptions,
): Promise<IndexSettings> {
  const { config } = model;
  const { pooling } = config;
  if (pooling === "rank") {
    throw invalidArgument(`${config.name} is a reranker: an index needs an embedding model`);
  }
  const documentTask = taskOf(model, "document", options.documentTask);
  const { dimensions = config.embeddingSize } = options;
  const kind = { task: documentTask ?? undefined, dimensions, normalize: true };
  return {
    model: sourceOf(options),
    modelName: config.name,
    fingerprint: await model.fingerprint(kind),
    dimensions,
    maxTokens: options.maxTokens ?? Math.min(MAX_TOKENS, config.contextLength),
    overlap: options.overlap ?? 0,
    documentTask,
    queryTask: taskOf(model, "query", options.queryTask),
    precision: config.precision,
    pooling,
  };
}

/** Throws `INVALID_ARGUMENT` for an option that the index was made without. */
export function checkFixed(stored: IndexSettings, options: SearchIndexOptions): void {
  for (const name of FIXED) {
    const asked = options[name];
    if (asked === undefined || asked === stored[name]) continue;
    const has = JSON.stringify(stored[name]);
    throw invalidArgument(
      `${name} is ${JSON.stringify(asked)}, and the index ${options.path} was made with ${has}: ` +
        "leave it out, or make another index",
    );
  }
}

/** Throws `WRONG_MODEL` where a model would give vectors of another kind than those stored. */
export async function checkModel(
  path: string,
  stored: IndexSettings,
  model: Embedder,
): Promise<void> {
  const { dimensions, documentTask, fingerprint, modelName } = stored;
  const isWide = dimensions <= model.config.embeddingSize;
  const hasTask = documentTask === null || model.tasks.includes(documentTask);
  const kind = { task: documentTask ?? undefined, dimensions, normalize: true };
  const found = isWide && hasTask ? await model.fingerprint(kind) : undefined;
  if (found === fingerprint) return;
  throw new GgufEmbedError(
    "WRONG_MODEL",
    `${path}: its vectors are of ${modelName} (${fingerprint}), those of ${model.config.name} ` +
      `(${found ?? "no such kind"}) cannot be compared with them: open that model as it was, ` +
      "or index again into another file",
  );
}

function taskOf(model: Embedder, usual: string, asked: string | null | undefined): string | null {
  if (asked === undefined) return model.tasks.includes(usual) ? usual : null;
  // What it has to say of a task that it does not have is better than what could be said here.
  return asked;
}

/** So that it is found from another folder, too. */
function sourceOf({ model, source }: SearchIndexOptions): string {
  if (model instanceof URL) return model.href;
  const text = typeof model === "string" ? model : (source ?? "");
  return existsSync(text) ? resolve(text) : text;
}
