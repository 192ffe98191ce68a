import { dirname, join } from "node:path";
import { fileError, quote } from "../gguf/message.ts";
import { type JsonFile, readJsonFile } from "./json.ts";
import { openSafetensors, type SafetensorsFile, type SafetensorsTensor } from "./safetensors.ts";

const SINGLE = "model.safetensors";
const INDEX = "model.safetensors.index.json";
/** Pickles: to read one is to run the program in it. */
const PICKLES = ["pytorch_model.bin", "pytorch_model.bin.index.json"];
/** No public checkpoint has a tenth as many. */
const SHARDS_MAX = 10_000;

/**
 * All tensors of a folder: of `model.safetensors`, or of the shards that
 * `model.safetensors.index.json` lists. Throws `FILE_NOT_FOUND`, `BAD_FILE`, and `UNSUPPORTED` for
 * a folder that has its weights only as pickles.
 */
export async function openWeights(folder: string): Promise<SafetensorsFile> {
  const single = join(folder, SINGLE);
  if (await Bun.file(single).exists()) return openSafetensors(single);
  const index = await readJsonFile(join(folder, INDEX));
  if (index !== undefined) return openShards(index);
  for (const name of PICKLES) {
    const path = join(folder, name);
    if (await Bun.file(path).exists()) throw pickled(path, folder);
  }
  const message = `no such file, nor ${INDEX} beside it. Bring the model's weights as safetensors.`;
  throw fileError("FILE_NOT_FOUND", single, message);
}

function pickled(path: string, folder: string): Error {
  const at = JSON.stringify(folder);
  const program = `AutoModel.from_pretrained(${at}).save_pretrained(${at})`;
  return fileError(
    "UNSUPPORTED",
    path,
    "the weights are a Python pickle, which may run any program when it is read. Get the model " +
      `as safetensors, or, if you trust it, make ${SINGLE} of it in Python: ` +
      `from transformers import AutoModel; ${program}`,
  );
}

async function openShards(index: JsonFile): Promise<SafetensorsFile> {
  const { path } = index;
  const map = Object.entries(index.requireObject("weight_map"));
  const names = [...new Set(map.map(([, shard]) => shard))];
  if (names.length > SHARDS_MAX) {
    throw fileError("BAD_FILE", path, `${names.length} shards; the limit is ${SHARDS_MAX}`);
  }
  const shards = new Map<unknown, SafetensorsFile>();
  for (const name of names) {
    // A shard lies beside the index: a path that leads elsewhere is no shard.
    if (typeof name !== "string" || !/^[^/\\]+$/.test(name)) {
      throw fileError("BAD_FILE", path, `"weight_map": ${JSON.stringify(name)} is no file's name`);
    }
    shards.set(name, await openShard(join(dirname(path), name), path));
  }
  const tensors = new Map<string, SafetensorsTensor>();
  for (const [name, shard] of map) {
    const tensor = shards.get(shard)?.tensors.get(name);
    if (tensor === undefined) {
      throw fileError("BAD_FILE", path, `tensor ${quote(name)} is not in ${quote(String(shard))}`);
    }
    tensors.set(name, tensor);
  }
  return { path, tensors };
}

async function openShard(path: string, index: string): Promise<SafetensorsFile> {
  if (await Bun.file(path).exists()) return openSafetensors(path);
  const message = `no such file, and ${index} lists it`;
  throw fileError("FILE_NOT_FOUND", path, `${message}. Download all shards of the model.`);
}
