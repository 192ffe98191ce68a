import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type LayerFingerprint, type OpenOptions, open, systemInfo } from "../../src/index.ts";
import { cli } from "../cli/run-cli.ts";
import { freshFolder } from "../fresh-folder.ts";
import { forward } from "../reference/forward.ts";
import { ReferenceTensors } from "../reference/tensors.ts";
import { makeTinyModel, TINY_ARCHITECTURES } from "../reference/tiny.ts";

const TEXT = "the quick brown fox";
const { native } = await systemInfo();
const variants = native?.variants ?? [];

const folder = freshFolder();
const file = (name: string) => join(folder.path, name);

async function fingerprint(path: string, options?: OpenOptions): Promise<LayerFingerprint[]> {
  await using embedder = await open(path, options);
  return await embedder.fingerprintLayers(TEXT);
}

describe.each(TINY_ARCHITECTURES)("%s:", (architecture) => {
  test("each layer's rms is that of the float64 reference", async () => {
    const header = await makeTinyModel({ architecture, type: "F32" }, file("m.gguf"));
    await using embedder = await open(file("m.gguf"));
    const { layers } = forward(new ReferenceTensors(header), embedder.tokenize(TEXT));
    const found = await embedder.fingerprintLayers(TEXT);
    expect(found.map(({ layer }) => layer)).toEqual([...layers.keys()]);
    for (const { layer, rms } of found) {
      expect(rms / rootMeanSquare(layers[layer]!)).toBeCloseTo(1, 5);
    }
  });

  test("the layers do not depend on threads, pooling or the run", async () => {
    const model = file("m.gguf");
    await makeTinyModel({ architecture, type: "Q8_0" }, model);
    const first = await fingerprint(model, { threads: 1 });
    expect(await fingerprint(model, { threads: 2 })).toEqual(first);
    expect(await fingerprint(model, { threads: 2, pooling: "none" })).toEqual(first);
    expect(new Set(first.map(({ digest }) => digest)).size).toBe(first.length);
  });

  test("one weight of a middle layer changes that layer and those after it", async () => {
    const header = await makeTinyModel({ architecture, type: "Q8_0" }, file("m.gguf"));
    const before = await fingerprint(file("m.gguf"));
    const layer = before.length >> 1;
    const bytes = readFileSync(file("m.gguf"));
    // The first quant of the first block: behind its scale, a float16.
    bytes[header.tensors.get(`blk.${layer}.ffn_down.weight`)!.offset + 2]! ^= 0x40;
    writeFileSync(file("changed.gguf"), bytes);
    const after = await fingerprint(file("changed.gguf"));
    const differs = after.map(({ digest }, i) => digest !== before[i]!.digest);
    expect(differs).toEqual(before.map((_, i) => i >= layer));
  });
});

test("a digest is of the states' bytes: BERT's last layer gives its token vectors", async () => {
  await makeTinyModel({ architecture: "bert", type: "Q8_0" }, file("m.gguf"));
  await using embedder = await open(file("m.gguf"), { pooling: "none" });
  const { embedding } = await embedder.embed(TEXT);
  const last = (await embedder.fingerprintLayers(TEXT)).at(-1)!;
  const digest = new Bun.CryptoHasher("sha256").update(embedding).digest("hex");
  expect(digest).toStartWith(last.digest);
  expect(last.digest).toMatch(/^[0-9a-f]{16}$/);
});

test("after close it rejects, as the other calls do", async () => {
  await makeTinyModel({ architecture: "bert", type: "Q8_0" }, file("m.gguf"));
  const embedder = await open(file("m.gguf"));
  await embedder.close();
  await expect(embedder.fingerprintLayers(TEXT)).rejects.toMatchObject({ code: "CLOSED" });
});

test.skipIf(variants.length < 2)(
  "every variant of the CPU gives the same (skipped: this CPU runs one)",
  async () => {
    await makeTinyModel({ architecture: "gemma-embedding", type: "mixed" }, file("m.gguf"));
    const reports = variants.map(async (GGUFEMBED_VARIANT) => {
      const { stdout } = await cli(["verify", "--json", file("m.gguf")], {
        env: { GGUFEMBED_VARIANT },
      });
      return JSON.parse(stdout).layers;
    });
    const [first, ...others] = await Promise.all(reports);
    expect(first).toHaveLength(7);
    for (const other of others) expect(other).toEqual(first);
  },
);

function rootMeanSquare(rows: readonly Float64Array[]): number {
  const squares = rows.flatMap((row) => [...row]).map((x) => x * x);
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length);
}
