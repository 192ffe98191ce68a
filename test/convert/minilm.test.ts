import { expect, test } from "bun:test";
import { join } from "node:path";
import { convertFolder } from "../../src/convert/index.ts";
import { readGguf } from "../../src/gguf/reader.ts";
import type { GgufFile } from "../../src/gguf/types.ts";
import { plain } from "../gguf/plain.ts";
import { temporaryFolder } from "../gguf/temporary.ts";
import { type EncodedType, encode } from "../reference/encode.ts";
import { hasShared, sharedPath } from "../reference/golden.ts";
import { squaredError } from "../reference/squared-error.ts";
import { readDigests, sha256 } from "./digests.ts";
import { hasWeights, WEIGHTS, weightsNote } from "./weights.ts";

test.skipIf(!hasWeights)(
  `all-MiniLM-L6-v2: no tensor errs more than in llama.cpp's conversion${weightsNote}`,
  async () => {
    await using folder = await temporaryFolder();
    const paths = { F32: join(folder.path, "F32.gguf"), Q8_0: join(folder.path, "Q8_0.gguf") };
    const floats = await convertFolder(WEIGHTS, paths.F32, { type: "F32" });
    const own = await convertFolder(WEIGHTS, paths.Q8_0, { type: "Q8_0" });
    const digests: Record<string, string> = {};
    for (const [name, { type }] of own.tensors) {
      const bytes = await bytesOf(own, name);
      const values = new Float32Array((await bytesOf(floats, name)).buffer);
      // By ggml's own rule: the digests say that it is.
      const theirs = encode(type as EncodedType, values)!;
      digests[name] = await sha256([theirs]);
      if (type === "F32") expect(bytes).toEqual(theirs);
      else {
        const bound = squaredError("Q8_0", theirs, values);
        expect(squaredError("Q8_0", bytes, values)).toBeLessThan(bound);
      }
    }
    const expected = await readDigests("all-minilm-l6-v2-Q8_0");
    expect(digests).toEqual({ ...expected });
    expect(Object.keys(digests)).toEqual(Object.keys(expected));
  },
  60_000,
);

async function bytesOf({ path, tensors }: GgufFile, name: string): Promise<Uint8Array> {
  const { offset, byteLength } = tensors.get(name)!;
  return Bun.file(path)
    .slice(offset, offset + byteLength)
    .bytes();
}

/** Keys of llama.cpp's file that ours states otherwise or not at all. */
const DIFFERENT = new Set([
  // Ours is the caller's; llama.cpp's is made up from the card.
  "general.name",
  "general.organization",
  "general.size_label",
  // Ours are those of the card; llama.cpp adds its `pipeline_tag`.
  "general.tags",
  // How a BPE tokenizer splits words: WordPiece has no such choice.
  "tokenizer.ggml.pre",
]);
const isCompared = (key: string) => !DIFFERENT.has(key) && !key.startsWith("general.dataset.");

const canCompare = hasWeights && hasShared;
const COMPARE_NOTE = canCompare ? "" : " (skipped: its weights or ../shared are not there)";

test.skipIf(!canCompare)(
  `all-MiniLM-L6-v2: the metadata are those of llama.cpp's conversion${COMPARE_NOTE}`,
  async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "model.gguf");
    const own = await convertFolder(WEIGHTS, path, { type: "Q8_0" });
    const theirs = await readGguf(sharedPath("models/all-minilm-l6-v2-Q8_0.gguf"));
    const [found, expected] = [own, theirs].map(({ metadata }) =>
      [...metadata.entries].filter(([key]) => isCompared(key)).map(([key, e]) => [key, plain(e)]),
    );
    expect(found).toEqual(expected!);
  },
  60_000,
);
