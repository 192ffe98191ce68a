import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readGguf } from "../../src/gguf/reader.ts";
import { freshFolder } from "../fresh-folder.ts";
import { forward } from "./forward.ts";
import { ReferenceTensors } from "./tensors.ts";
import { makeTinyModel, type TinyOptions } from "./tiny.ts";

const folder = freshFolder();

const GEMMA: TinyOptions = { architecture: "gemma-embedding", type: "Q8_0" };
const BERT: TinyOptions = { architecture: "bert", type: "F32" };
const NOMIC_BERT: TinyOptions = { architecture: "nomic-bert", type: "F32" };
const QWEN3: TinyOptions = { architecture: "qwen3", type: "F32" };

test("the same options give the same bytes, another seed gives others", async () => {
  const bytes = async (options: TinyOptions) => {
    const path = join(folder.path, "tiny.gguf");
    await makeTinyModel(options, path);
    return readFileSync(path);
  };
  for (const options of [GEMMA, BERT, NOMIC_BERT, QWEN3]) {
    const first = await bytes(options);
    expect(first.equals(await bytes(options))).toBe(true);
    const other = await bytes({ ...options, seed: 2 });
    expect(other.length).toBe(first.length);
    expect(other.equals(first)).toBe(false);
  }
});

test("mixed models hold every type, in each kind of stacked matrix", async () => {
  const file = await makeTinyModel({ ...GEMMA, type: "mixed" }, join(folder.path, "tiny.gguf"));
  const types = [...file.tensors.values()].filter(({ shape }) => shape.length === 2);
  expect(new Set(types.map(({ type }) => type))).toEqual(new Set(["F32", "F16", "BF16", "Q8_0"]));
});

/**
 * Pinned when the same passes gave the goldens of `../shared` to 1e-8: machines without it can tell
 * by these that the references still say the same.
 */
const PINNED: readonly [options: TinyOptions, embedding: readonly number[]][] = [
  [GEMMA, [-0.079085509634, 0.445871538579, 0.140051488654, -0.176283768436]],
  [BERT, [0.156229509215, -0.086793760719, 0.067508070612, 0.051133608042]],
  [NOMIC_BERT, [0.021618465485, 0.048161750163, 0.081041948671, 0.027129989594]],
  [QWEN3, [0.09316352024, -0.039411769766, -0.352334019032, -0.124793141886]],
];

for (const [options, pinned] of PINNED) {
  test(`the reference of ${options.architecture} still gives what it gave`, async () => {
    const path = join(folder.path, "tiny.gguf");
    await makeTinyModel(options, path);
    const { embedding } = forward(new ReferenceTensors(await readGguf(path)), IDS);
    for (const [i, value] of pinned.entries()) expect(embedding[i]).toBeCloseTo(value, 9);
  });
}

/** Longer than the window of the local layers. */
const IDS = [2, 70, 7, 71, 99, 3, 42, 11, 101, 55, 23, 64, 8, 1];
