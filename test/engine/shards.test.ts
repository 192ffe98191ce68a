import { describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "../../bench/compare/worker.ts";
import { CACHE } from "../../scripts/paths.ts";
import { llamaCpp } from "../../scripts/peers/llama-cpp.ts";
import { pythonOf } from "../../scripts/peers/python.ts";
import { readGguf } from "../../src/gguf/reader.ts";
import * as value from "../../src/gguf/values.ts";
import { formatInspection, inspect, open, openTokenizer, quantize } from "../../src/index.ts";
import { freshFolder } from "../fresh-folder.ts";
import { rejection } from "../gguf/rejection.ts";
import { splitModel } from "../gguf/split.ts";
import { distance, hasShared, sharedNote, sharedPath } from "../reference/golden.ts";
import { loadNative } from "./run-native.ts";
import { tinyModel } from "./tiny-model.ts";

const model = tinyModel();
const folder = freshFolder();
const at = (name: string) => join(folder.path, name);
const TEXTS = ["The weather is lovely today.", "a", "one two three ".repeat(9)];

/** A third of the tensors to each of three shards. */
async function split(path: string): Promise<string[]> {
  const { size } = (await readGguf(path)).tensors;
  const third = Math.floor(size / 3);
  return splitModel(path, at("m"), [third, third, size - 2 * third]);
}

async function vectorsOf(path: string) {
  await using opened = await open(path);
  const outputs = await opened.embed(TEXTS);
  const fingerprint = await opened.fingerprint();
  return { vectors: outputs.map(({ embedding }) => [...embedding]), fingerprint };
}

describe("a split model", () => {
  test("gives the bits and the fingerprint of the file that was split", async () => {
    const paths = await split(model.path);
    const expected = await vectorsOf(model.path);
    for (const path of [paths[0]!, paths[1]!]) expect(await vectorsOf(path)).toEqual(expected);
    // As llama.cpp puts them together.
    const all = model.file!.tensors.size;
    const [whole] = await splitModel(model.path, at("w"), [all], (_, metadata) => {
      metadata.set("split.count", value.uint16(0));
    });
    expect(await vectorsOf(whole!)).toEqual(expected);
  });

  test.skipIf(!hasShared)(`mini-Q8_0 and mini-Q5_K_S: the same bits${sharedNote}`, async () => {
    for (const name of ["mini-Q8_0", "mini-Q5_K_S"]) {
      const path = sharedPath(`models/${name}.gguf`);
      const [first] = await split(path);
      expect(await vectorsOf(first!)).toEqual(await vectorsOf(path));
    }
  });

  test("is described as one", async () => {
    const paths = await split(model.path);
    const { path, fileCount, fileSize, ...found } = await inspect(paths[1]!);
    const { path: _, fileCount: one, fileSize: before, ...expected } = await inspect(model.path);
    expect(found).toEqual(expected);
    expect([path, fileCount, one]).toEqual([paths[0]!, 3, 1]);
    expect(fileSize).toBe(paths.reduce((sum, each) => sum + readFileSync(each).length, 0));
    expect(fileSize).toBeGreaterThan(before);
    expect(formatInspection(await inspect(path))).toContain(
      "m-00001-of-00003.gguf, the first of 3 files\n",
    );
    const tokenizer = await openTokenizer(paths[2]!);
    expect(tokenizer.encode("a b")).toEqual((await openTokenizer(model.path)).encode("a b"));
  });

  test("can be quantised, with the bytes of the file that was split", async () => {
    const options = { type: "Q4_0", requantize: true } as const;
    const [, second] = await split(model.path);
    await quantize(model.path, at("expected.gguf"), options);
    await quantize(second!, at("found.gguf"), options);
    expect(readFileSync(at("found.gguf")).equals(readFileSync(at("expected.gguf")))).toBe(true);
  });

  test("names the shard at fault", async () => {
    const paths = await split(model.path);
    const file = await readGguf(paths[0]!);
    const last = [...file.tensors.values()].at(-1)!;
    truncateSync(paths[2]!, last.offset);
    // Its header was read before.
    const error = await rejection(loadNative(file));
    expect(error.code).toBe("BAD_FILE");
    expect((await rejection(open(paths[0]!))).message).toStartWith(`${paths[2]}: `);
    rmSync(paths[2]!);
    expect((await rejection(loadNative(file))).message).toContain("cannot open file 3 of 3");
    expect((await rejection(open(paths[0]!))).message).toStartWith(`${paths[2]}: `);
  });

  test("has no fingerprint once a shard is another", async () => {
    const paths = await split(model.path);
    await using opened = await open(paths[0]!);
    copyFileSync(paths[1]!, at("copy"));
    rmSync(paths[1]!);
    copyFileSync(at("copy"), paths[1]!);
    const error = await rejection(opened.fingerprint());
    expect([error.code, error.message.includes("it changed")]).toEqual(["BAD_FILE", true]);
  });
});

const LLAMA = join(CACHE, "peers", llamaCpp.installation.id);
const canCompare = hasShared && existsSync(pythonOf(LLAMA));
const note = canCompare ? "" : " (skipped: `bun run bench:compare` installs llama.cpp)";

test.skipIf(!canCompare)(
  `llama.cpp opens the same shards, with the same vectors as of one file${note}`,
  async () => {
    const whole = sharedPath("models/mini-Q8_0.gguf");
    const [first] = await split(whole);
    const env = { PEER_NAME: "llama.cpp", PEER_BUILD: "", PYTHONDONTWRITEBYTECODE: "1" };
    await using worker = await Worker.start({ command: llamaCpp.command(LLAMA), env });
    const loading = worker.ready.loadings[0]!;
    const request = { threads: 1, texts: TEXTS, loading };
    const theirs = await worker.ask("once", { ...request, model: first! });
    expect(theirs.vectors).toEqual(
      (await worker.ask("once", { ...request, model: whole })).vectors,
    );
    const found = theirs.vectors.map(
      (each) => new Float32Array(Uint8Array.fromBase64(each).buffer),
    );
    const ours = (await vectorsOf(first!)).vectors.map((each) => Float64Array.from(each));
    expect(distance(found, ours).rms).toBeLessThan(5e-3);
  },
  60_000,
);
