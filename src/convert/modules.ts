import { join } from "node:path";
import { fileError, quote } from "../gguf/message.ts";
import type { PoolingType } from "../gguf/pooling-type.ts";
import { isJsonObject, type JsonFile, readJson, requireJsonFile } from "./json.ts";
import type { SafetensorsFile } from "./safetensors.ts";
import { openWeights } from "./weights.ts";

/** What `modules.json` of sentence-transformers lists: the transformer and what follows it. */
export interface ModuleList {
  /** Where the transformer's own files are: the folder itself, where there is no list. */
  readonly transformer: string;
  /** The others. */
  readonly rest: readonly ListedModule[];
  readonly path: string;
}

interface ListedModule {
  /** Of its class. */
  readonly name: string;
  readonly path: string;
}

/** What follows the transformer. */
export interface Modules {
  /** `undefined` in a folder without `modules.json`. */
  readonly pooling: PoolingType | undefined;
  /** After pooling, in order. */
  readonly dense: readonly DenseModule[];
}

/** A product with a matrix and nothing else: neither bias nor activation. */
export interface DenseModule {
  readonly path: string;
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly weights: SafetensorsFile;
}

/** Modes of sentence-transformers' `Pooling` that GGUF can state. */
const POOLING_MODES: ReadonlyMap<string, PoolingType> = new Map([
  ["mean", "mean"],
  ["cls", "cls"],
  ["lasttoken", "last"],
]);
/** Files older than sentence-transformers 6 have one flag a mode. */
const POOLING_FLAG = /^pooling_mode_(.*?)(_tokens?)?$/;

/** Throws `BAD_FILE` for a `modules.json` that is no list of modules. */
export async function listModules(folder: string): Promise<ModuleList> {
  const path = join(folder, "modules.json");
  const list = (await readJson(path)) ?? [];
  if (!Array.isArray(list)) throw fileError("BAD_FILE", path, "expected an array of modules");
  const modules = list.map((module): ListedModule => {
    const { type, path: subfolder } = isJsonObject(module) ? module : {};
    if (typeof type !== "string" || typeof subfolder !== "string") {
      throw fileError("BAD_FILE", path, `expected "type" and "path" in every module`);
    }
    return { name: type.slice(type.lastIndexOf(".") + 1), path: join(folder, subfolder) };
  });
  const transformer = modules.find(({ name }) => name === "Transformer")?.path ?? folder;
  const rest = modules.filter(({ name }) => name !== "Transformer" && name !== "Normalize");
  return { transformer, rest, path };
}

/**
 * A module that GGUF has no place for must not be dropped in silence: the vectors would be others.
 * Throws `UNSUPPORTED` for one.
 */
export async function readModules(list: ModuleList, hasDense: boolean): Promise<Modules> {
  let pooling: PoolingType | undefined;
  const dense: DenseModule[] = [];
  for (const { name, path } of list.rest) {
    if (name === "Pooling") pooling = readPooling(await requireJsonFile(join(path, "config.json")));
    else if (name === "Dense" && hasDense) dense.push(await readDense(path));
    else {
      const message = `the model has a ${quote(name)} module, which GGUF has no place for`;
      throw fileError("UNSUPPORTED", list.path, message);
    }
  }
  return { pooling, dense };
}

function readPooling(file: JsonFile): PoolingType {
  const flags = Object.keys(file.values).filter((key) => file.values[key] === true);
  const flagged = flags.flatMap((key) => POOLING_FLAG.exec(key)?.[1] ?? []);
  const stated = [file.values.pooling_mode].flat().filter((mode) => typeof mode === "string");
  const modes = stated.concat(flagged);
  const [mode = ""] = modes;
  const type = modes.length === 1 ? POOLING_MODES.get(mode) : undefined;
  if (type === undefined) {
    const expected = `expected one of ${[...POOLING_MODES.keys()].join(", ")}`;
    const found = modes.length === 0 ? "none" : modes.map(quote).join(", ");
    throw fileError("UNSUPPORTED", file.path, `pooling mode: ${expected}; found ${found}`);
  }
  if (file.getBoolean("include_prompt") === false) {
    const message = `"include_prompt": false leaves the prompt out of pooling; GGUF cannot say so`;
    throw fileError("UNSUPPORTED", file.path, message);
  }
  return type;
}

async function readDense(path: string): Promise<DenseModule> {
  const config = await requireJsonFile(join(path, "config.json"));
  const activation = config.getString("activation_function") ?? "";
  if (config.getBoolean("bias") === true || !/(^|\.)Identity$/.test(activation)) {
    const found = `bias ${config.getBoolean("bias") ?? false}, activation ${quote(activation)}`;
    const message = `GGUF has dense layers without bias and activation alone; found ${found}`;
    throw fileError("UNSUPPORTED", config.path, message);
  }
  return {
    path,
    inFeatures: config.requireCount("in_features"),
    outFeatures: config.requireCount("out_features"),
    weights: await openWeights(path),
  };
}
