import { expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { convertFolder } from "../../src/convert/index.ts";
import type { ErrorCode } from "../../src/errors.ts";
import { rejection } from "../gguf/rejection.ts";
import { temporaryFolder } from "../gguf/temporary.ts";
import { bertFolder, writeFolder } from "./bert-folder.ts";
import { safetensors } from "./safetensors-file.ts";

const INDEX = "model.safetensors.index.json";
const shardName = (i: number) => `model-0000${i + 1}-of-00003.safetensors`;

/** The model of `bertFolder` in three shards; `map` changes what the index says. */
async function writeShards(
  path: string,
  map: (weightMap: Record<string, unknown>) => void = () => {},
): Promise<string> {
  const { files, tensors } = bertFolder();
  const directory = await writeFolder({ files, tensors }, path);
  await rm(join(directory, "model.safetensors"));
  const weightMap: Record<string, unknown> = {};
  for (let shard = 0; shard < 3; shard++) {
    const own = Object.entries(tensors).filter((_, i) => i % 3 === shard);
    for (const [name] of own) weightMap[name] = shardName(shard);
    await Bun.write(join(directory, shardName(shard)), safetensors(Object.fromEntries(own)));
  }
  map(weightMap);
  await Bun.write(join(directory, INDEX), JSON.stringify({ weight_map: weightMap }));
  return directory;
}

test("shards give the same file as one", async () => {
  await using temporary = await temporaryFolder();
  const [whole, parts] = [join(temporary.path, "whole.gguf"), join(temporary.path, "parts.gguf")];
  await convertFolder(await writeFolder(bertFolder(), join(temporary.path, "whole")), whole, {
    name: "same",
  });
  await convertFolder(await writeShards(join(temporary.path, "parts")), parts, { name: "same" });
  expect(await Bun.file(parts).bytes()).toEqual(await Bun.file(whole).bytes());
});

const QUERY = "encoder.layer.0.attention.self.query.weight";

test.each<[string, (map: Record<string, unknown>) => void, ErrorCode, string]>([
  [
    "a shard that is not there",
    (map) => {
      map[QUERY] = "model-00004-of-00003.safetensors";
    },
    "FILE_NOT_FOUND",
    "model-00004-of-00003.safetensors: no such file",
  ],
  [
    "a tensor in another shard",
    (map) => {
      map[QUERY] = map[QUERY] === shardName(0) ? shardName(1) : shardName(0);
    },
    "BAD_FILE",
    `tensor "${QUERY}" is not in`,
  ],
  [
    "a shard elsewhere",
    (map) => {
      map[QUERY] = "../../secret.safetensors";
    },
    "BAD_FILE",
    "is no file's name",
  ],
  [
    "a shard that is no name",
    (map) => {
      map[QUERY] = 7;
    },
    "BAD_FILE",
    "is no file's name",
  ],
])("%s: refused", async (_, map, code, message) => {
  await using temporary = await temporaryFolder();
  const directory = await writeShards(join(temporary.path, "model"), map);
  const error = await rejection(convertFolder(directory, join(temporary.path, "out.gguf")));
  expect(error.message).toContain(message);
  expect(error.code).toBe(code);
});

test.each([
  ["pytorch_model.bin", "UNSUPPORTED", "may run any program"],
  ["pytorch_model.bin.index.json", "UNSUPPORTED", "AutoModel.from_pretrained"],
  [undefined, "FILE_NOT_FOUND", "model.safetensors: no such file"],
] as const)("only %s: refused, with what to do", async (name, code, message) => {
  await using temporary = await temporaryFolder();
  const directory = await writeFolder(bertFolder(), join(temporary.path, "model"));
  await rm(join(directory, "model.safetensors"));
  if (name !== undefined) await Bun.write(join(directory, name), "\x80\x02}q");
  const error = await rejection(convertFolder(directory, join(temporary.path, "out.gguf")));
  expect(error.message).toContain(message);
  expect(error.code).toBe(code);
  if (name !== undefined) expect(error.message).toStartWith(join(directory, name));
});

test("TensorFlow's names of norms", async () => {
  await using temporary = await temporaryFolder();
  const { files, tensors } = bertFolder();
  const old = (name: string) =>
    name.replace(/(LayerNorm)\.weight$/, "$1.gamma").replace(/(LayerNorm)\.bias$/, "$1.beta");
  const renamed = Object.fromEntries(
    Object.entries(tensors).map(([name, value]) => [old(name), value]),
  );
  expect(Object.keys(renamed)).toContain("embeddings.LayerNorm.gamma");
  const paths = await Promise.all(
    [tensors, renamed].map(async (each, i) => {
      const directory = join(temporary.path, `model-${i}`);
      await writeFolder({ files, tensors: each }, directory);
      const path = join(temporary.path, `${i}.gguf`);
      await convertFolder(directory, path, { name: "same" });
      return path;
    }),
  );
  const [expected, found] = await Promise.all(paths.map((path) => Bun.file(path).bytes()));
  expect(found).toEqual(expected!);
});
