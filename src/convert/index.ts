import { basename, join, resolve } from "node:path";
import { fileError, quote } from "../gguf/message.ts";
import type { GgufFile, MetadataEntry } from "../gguf/types.ts";
import * as value from "../gguf/values.ts";
import { PROMPT_KEY_PREFIX } from "../prompts.ts";
import { chooseTypes } from "../quantize/mixture.ts";
import { fileTypeEntries, type QuantizeType, requireFileType } from "../quantize/types.ts";
import { type WriteOptions, writeTensors } from "../quantize/write.ts";
import { bert } from "./bert.ts";
import type { Converter } from "./converter.ts";
import { type ModelFolder, readModelFolder } from "./folder.ts";
import { gemmaEmbedding } from "./gemma-embedding.ts";
import { type JsonFile, requireJsonFile } from "./json.ts";
import { listModules } from "./modules.ts";
import { nearestClass } from "./nearest-class.ts";
import { nomicBert } from "./nomic-bert.ts";
import { qwen3 } from "./qwen3.ts";
import { moveTensor } from "./tensor.ts";
import { xlmRoberta } from "./xlm-roberta.ts";

/** Every converter: a new one is a file of its own and a line here. */
const CONVERTERS: readonly Converter[] = [bert, xlmRoberta, gemmaEmbedding, qwen3, nomicBert];

/** How a model is converted. */
export interface ConvertOptions extends WriteOptions {
  /**
   * What most matrices become; vectors, norms and small tables are F32. Rows that are not made of
   * whole blocks of a format get another. Default `"Q8_0"`.
   */
  readonly type?: QuantizeType | undefined;
  /** As in `QuantizeOptions.pure`. Default `false`. */
  readonly pure?: boolean | undefined;
  /**
   * What the file calls the model. Prompts of known models are found by it. Default: the folder's
   * own name.
   */
  readonly name?: string | undefined;
}

/**
 * Converts a sentence-transformers folder (`config.json`, `model.safetensors`, the tokenizer's
 * files, `modules.json`) to a GGUF file: what the converter of its architecture makes of it in F32,
 * quantised. The weights are read, encoded and written slice by slice and never lie in a file of
 * F32. The file appears whole or not at all.
 *
 * Throws `FILE_NOT_FOUND` for a missing part, `BAD_FILE` for a damaged one, `BAD_MODEL` for parts
 * that contradict each other, `UNSUPPORTED` for a model that GGUF or this converter cannot hold,
 * and what `writeTensors` throws.
 */
export async function convertFolder(
  directory: string,
  output: string,
  options: ConvertOptions = {},
): Promise<GgufFile> {
  const { type = "Q8_0", pure = false, name = basename(resolve(directory)) } = options;
  const wanted = requireFileType(String(type));
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
    ...fileTypeEntries(wanted),
  ]);
  const choices = chooseTypes(entries, tensors.map(moveTensor), wanted, pure);
  const moved = choices.map(({ tensor, type }) => ({ ...tensor, type }));
  return writeTensors(output, entries, moved, options);
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
