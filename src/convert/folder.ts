import { join } from "node:path";
import type { PoolingType } from "../gguf/pooling-type.ts";
import { isJsonObject, type JsonFile, readJsonFile } from "./json.ts";
import { type DenseModule, type ModuleList, readModules } from "./modules.ts";
import type { SafetensorsFile } from "./safetensors.ts";
import { openWeights } from "./weights.ts";

/** The parts of a model's folder that every architecture's converter needs. */
export interface ModelFolder {
  /** Where the transformer and its tokenizer are. */
  readonly path: string;
  readonly config: JsonFile;
  readonly weights: SafetensorsFile;
  /** `undefined` in a folder without `modules.json`. */
  readonly pooling: PoolingType | undefined;
  /** What follows pooling. */
  readonly dense: readonly DenseModule[];
  readonly tokenizer: JsonFile | undefined;
  readonly tokenizerConfig: JsonFile | undefined;
  /** Prompt prefixes by task name. */
  readonly prompts: ReadonlyMap<string, string>;
  readonly card: ModelCard;
}

/** What the front matter of a model's `README.md` says about it. */
export interface ModelCard {
  readonly license: string | undefined;
  readonly tags: readonly string[];
  readonly languages: readonly string[];
}

const CARD_BYTES_MAX = 1024 * 1024;

/** Throws `FILE_NOT_FOUND`, `BAD_FILE`, `BAD_MODEL` or `UNSUPPORTED`, naming the file. */
export async function readModelFolder(
  root: string,
  modules: ModuleList,
  config: JsonFile,
  hasDense: boolean,
): Promise<ModelFolder> {
  const path = modules.transformer;
  const settings = await readJsonFile(join(root, "config_sentence_transformers.json"));
  return {
    path,
    config,
    weights: await openWeights(path),
    ...(await readModules(modules, hasDense)),
    tokenizer: await readJsonFile(join(path, "tokenizer.json")),
    tokenizerConfig: await readJsonFile(join(path, "tokenizer_config.json")),
    prompts: readPrompts(settings),
    card: await readCard(join(root, "README.md")),
  };
}

function readPrompts(settings: JsonFile | undefined): ReadonlyMap<string, string> {
  const prompts = new Map<string, string>();
  for (const [task, prompt] of Object.entries(settings?.getObject("prompts") ?? {})) {
    if (typeof prompt === "string" && prompt !== "") prompts.set(task, prompt);
  }
  return prompts;
}

async function readCard(path: string): Promise<ModelCard> {
  const file = Bun.file(path);
  const text = (await file.exists()) ? await file.slice(0, CARD_BYTES_MAX).text() : "";
  const [, front = ""] = /^---\r?\n(.*?)\r?\n---/s.exec(text) ?? [];
  const fields = parseFrontMatter(front);
  return {
    license: strings(fields.license)[0],
    tags: strings(fields.tags),
    languages: strings(fields.language),
  };
}

/** A card is prose for people: when it cannot be read, the model is still sound. */
function parseFrontMatter(front: string): Readonly<Record<string, unknown>> {
  try {
    const fields = Bun.YAML.parse(front);
    return isJsonObject(fields) ? fields : {};
  } catch {
    return {};
  }
}

function strings(value: unknown): string[] {
  return [value].flat().filter((item) => typeof item === "string");
}
