import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { type Embedder, open } from "../../src/index.ts";
import { hasShared, sharedNote, sharedPath } from "../reference/golden.ts";

interface GoldenPair {
  readonly query: string;
  readonly document: string;
  readonly score: number;
}

function readPairs(name: string): GoldenPair[] {
  const lines = readFileSync(sharedPath(`golden/${name}.jsonl`), "utf8");
  return lines
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** The golden scores are float64's on the same weights. */
const ERROR_MAX = 5e-6;

for (const name of ["rerank-bert", "rerank-xlmr", "rerank-qwen3"]) {
  describe.skipIf(!hasShared)(`${name}${sharedNote}`, () => {
    let reranker: Embedder;
    beforeAll(async () => {
      reranker = await open(sharedPath(`models/arch/${name}.gguf`), { threads: 2 });
    });
    afterAll(() => reranker.close());

    test("gives the scores of the reference", async () => {
      const pairs = readPairs(name);
      expect(pairs.length).toBeGreaterThan(5);
      for (const { query, document, score } of pairs) {
        const [result] = await reranker.rerank(query, [document]);
        expect(Math.abs(result!.raw - score)).toBeLessThanOrEqual(ERROR_MAX);
        const judged = name === "rerank-qwen3" ? score : 1 / (1 + Math.exp(-score));
        expect(Math.abs(result!.score - judged)).toBeLessThanOrEqual(ERROR_MAX);
      }
    });

    test("a pair has the same bits alone and beside others, on any threads", async () => {
      const pairs = readPairs(name);
      const { query } = pairs[0]!;
      const documents = pairs.map(({ document }) => document);
      const together = await reranker.rerank(query, documents);
      expect(together.map(({ raw }) => raw)).toEqual(
        together.map(({ raw }) => raw).toSorted((a, b) => b - a),
      );
      await using other = await open(sharedPath(`models/arch/${name}.gguf`), {
        threads: 1,
        parallelism: "matmul",
      });
      for (const { index, raw } of together) {
        const [alone] = await reranker.rerank(query, [documents[index]!]);
        expect(alone!.raw).toBe(raw);
        const [elsewhere] = await other.rerank(query, [documents[index]!]);
        expect(elsewhere!.raw).toBe(raw);
      }
    });
  });
}
