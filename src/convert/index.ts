import { basename, join, resolve } from "node:path";
import { fileError, quote } from "../gguf/message.ts";
import type { GgufFile, MetadataEntry } from "../gguf/types.ts";
import * as value from "../gguf/values.ts";
import { type WriteOptions, writeGguf } from "../gguf/writer.ts";
import { PROMPT_KEY_PREFIX } from "../prompts.ts";
import { FILE_TYPES, QUANTIZATION_VERSION } from "../quantize/types.ts";
import { bert } from "./bert.ts";
import type { Converter } from "./converter.ts";
import { type ModelFolder, readModelFolder } from "./folder.ts";
import { gemmaEmbedding } from "./gemma-embedding.ts";
import { type JsonFile, requireJsonFile } from "./json.ts";
import { listModules } from "./modules.ts";
import { nearestClass } from "./nearest-class.ts";
import { nomicBert } from "./nomic-bert.ts";
import type { OutputType } from "./quantize.ts";
import { qwen3 } from "./qwen3.ts";
import { tensorSource } from "./tensor.ts";
import { xlmRoberta } from "./xlm-roberta.ts";

/** Every converter: a new one is a file of its own and a line here. */
const CONVERTERS: readonly Converter[] = [bert, xlmRoberta, gemmaEmbedding, qwen3, nomicBert];

export interface ConvertOptions extends WriteOptions {
  /** Format of the matrices. Default `"Q8_0"`. */
  readonly type?: OutputType | undefined;
  /** `general.name`. Default: the folder's own name. */
  readonly name?: string | undefined;
}

/**
 * Converts a sentence-transformers folder (`config.json`, `model.safetensors`, the tokenizer's
 * files, `modules.json`) to a GGUF file, tensor by tensor in constant memory. The file appears
 * whole or not at all.
 *
 * Throws `FILE_NOT_FOUND` for a missing part, `BAD_FILE` for a damaged one, `BAD_MODEL` for parts
 * that contradict each other and `UNSUPPORTED` for a model that GGUF or this converter cannot hold.
 */
export async function convertFolder(
  directory: string,
  output: string,
  options: ConvertOptions = {},
): Promise<GgufFile> {
  const { type = "Q8_0", name = basename(resolve(directory)) } = options;
  const modules = await listModules(directory);
  const config = await requireJsonFile(join(modules.transformer, "config.json"));
  const converter = converterOf(config);
  const hasDense = converter.hasDense === true;
  const folder = await readModelFolder(directory, modules, config, hasDense);
  const { metadata, tensors } = await converter.convert(folder);
  const entries = new Map([
    ["general.architecture", value.string(converter.name)],
    ["general.type", value.string("model")],
    ["general.name", value.string(name)],
    ...cardMetadata(folder),
    ...metadata,
    ...promptMetadata(folder),
    ["general.quantization_version", value.uint32(QUANTIZATION_VERSION)],
    ["general.file_type", value.uint32(FILE_TYPES[type].number)],
  ]);
  const sources = tensors.map((plan) => tensorSource(plan, type));
  return writeGguf(output, entries, sources, options);
}

function converterOf(config: JsonFile): Converter {
  const [name] = (config.getArray("architectures") ?? []).map(String);
  const found = CONVERTERS.find(({ classes }) => classes.includes(name ?? ""));
  if (found !== undefined) return found;
  const known = CONVERTERS.flatMap(({ classes }) => classes);
  const near = name === undefined ? undefined : nearestClass(name, known);
  const nearby = near === undefined ? "" : `, of which ${near} is the nearest`;
  const message = `"architectures": expected one of ${known.join(", ")}${nearby}`;
  throw fileError("UNSUPPORTED", config.path, `${message}; found ${quote(String(name))}`);
}

function cardMetadata({ card }: ModelFolder): [string, MetadataEntry][] {
  const entries: [string, MetadataEntry][] = [];
  if (card.license !== undefined) entries.push(["general.license", value.string(card.license)]);
  if (card.tags.length > 0) entries.push(["general.tags", value.strings(card.tags)]);
  if (card.languages.length > 0) {
    entries.push(["general.languages", value.strings(card.languages)]);
  }
  return entries;
}

/** GGUF has no keys for prompts: these are our own. */
function promptMetadata({ prompts }: ModelFolder): [string, MetadataEntry][] {
  return [...prompts].map(([task, prompt]) => [
    `${PROMPT_KEY_PREFIX}${task}`,
    value.string(prompt),
  ]);
}
