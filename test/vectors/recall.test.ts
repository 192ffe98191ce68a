import { expect, test } from "bun:test";
import { ensureMiniLM } from "../../scripts/models.ts";
import { encodeVectors, open, topK, type VectorMatrix } from "../../src/index.ts";
import { hasWeights, weightsNote } from "../convert/weights.ts";
import { readDocuments } from "../docs/markdown.ts";

const K = 10;
/** Every so manieth sentence is a query, and is searched for among all. */
const EVERY = 4;

/** The sentences of this project's documents. */
function sentences(): string[] {
  const prose = readDocuments().map((document) => document.prose.replaceAll(/\s+/g, " "));
  return prose.flatMap((text) => text.split(/(?<=[.:;]) /)).filter((text) => text.length > 40);
}

/** Of the best `K` of each query by `exact`, the share among the first `most` by `other`. */
async function recall(exact: VectorMatrix, other: VectorMatrix, most: number): Promise<number> {
  const everyFourth = ({ data, dimensions }: VectorMatrix) => {
    const width = data instanceof Uint8Array ? dimensions / 8 : dimensions;
    const count = Math.ceil(data.length / width / EVERY);
    return Array.from({ length: count }, (_, i) =>
      data.subarray(i * EVERY * width).subarray(0, width),
    );
  };
  const wanted = await topK(everyFourth(exact), exact, K);
  const found = await topK(everyFourth(other), other, most);
  const shares = wanted.map((matches, query) => {
    const among = new Set(found[query]!.map(({ index }) => index));
    return matches.filter(({ index }) => among.has(index)).length / matches.length;
  });
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

/*
 * Figures that were measured, for whoever chooses an encoding; the bars are a little below, for the
 * documents change.
 */
test.skipIf(!hasWeights)(
  `int8 and binary find what float32 finds in real vectors${weightsNote}`,
  async () => {
    await using model = await open(await ensureMiniLM());
    const results = await model.embed(sentences(), { truncate: "end" });
    expect(results.length).toBeGreaterThan(300);
    const dimensions = model.config.embeddingSize;
    const data = new Float32Array(results.length * dimensions);
    for (const [row, { embedding }] of results.entries()) data.set(embedding, row * dimensions);
    const exact = { data, dimensions };
    const [int8, binary] = [
      encodeVectors(data, dimensions, "int8"),
      encodeVectors(data, dimensions, "binary"),
    ];
    const figures = {
      int8: await recall(exact, int8, K),
      binary: await recall(exact, binary, K),
      binaryOfFour: await recall(exact, binary, 4 * K),
    };
    expect(figures.int8).toBeGreaterThan(0.97);
    expect(figures.binary).toBeGreaterThan(0.6);
    expect(figures.binaryOfFour).toBeGreaterThan(0.9);
  },
  60_000,
);
