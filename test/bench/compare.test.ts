import { expect, test } from "bun:test";
import { join } from "node:path";
import { checkAgreement, checkWorker } from "../../bench/compare/check.ts";
import type { Comparison } from "../../bench/compare/results.ts";
import { Worker } from "../../bench/compare/worker.ts";
import { ROOT } from "../../scripts/paths.ts";
import { ensureSynth } from "../../scripts/synth.ts";
import { freshFolder } from "../fresh-folder.ts";

const OURS = {
  command: [process.execPath, join(ROOT, "bench/compare/peers/ours.ts")],
  env: {},
};

/** A worker that answers with the vectors that it was told to load. */
const WRONG = `
  let vectors = [];
  console.log(JSON.stringify({ name: "wrong", build: "", system: "", loadings: ["it does not"] }));
  for await (const line of console) {
    if (line === "") break;
    const { op, model } = JSON.parse(line);
    if (op === "load") vectors = JSON.parse(model);
    console.log(JSON.stringify(op === "vectors" ? { vectors } : { settings: "", seconds: [1] }));
  }
`;

const folder = freshFolder();

async function readVectors(): Promise<string[]> {
  const path = join(ROOT, "bench/compare/golden/mini.jsonl");
  const lines = (await Bun.file(path).text()).trim().split("\n");
  return lines.map((line) => JSON.parse(line).embedding);
}

test("the tiny size runs and writes down what it found", async () => {
  const out = join(folder.path, "compare.json");
  const cases = "gemma-64x11,gemma-single,gemma-open";
  const command = ["bench/compare.ts", "--tiny", "--cases", cases, "--out", out];
  const child = Bun.spawn([process.execPath, ...command], { cwd: ROOT, stderr: "pipe" });
  const told = await child.stderr.text();
  expect(await child.exited, told).toBe(0);
  const { machine, participants, results }: Comparison = await Bun.file(out).json();
  expect(machine.cpu).not.toBe("");
  expect(participants.map(({ name }) => name)).toEqual(["ggufembed"]);
  expect(participants[0]!.accuracy.gemma!.cosineMin).toBeGreaterThan(0.995);
  expect(results.map(({ id }) => id)).toEqual(cases.split(","));
  for (const { entries, texts, tokens, idsSha256 } of results) {
    expect(tokens).toBeGreaterThan(texts);
    expect(idsSha256).toMatch(/^[0-9a-f]{64}$/);
    expect(entries[0]!.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(entries[0]!.spread.median).toBeGreaterThan(0);
  }
  expect(results[1]!.evenness!.control).toBeGreaterThanOrEqual(1);
}, 60_000);

test("a worker is refused unless its vectors are the model's", async () => {
  const path = await ensureSynth("mini");
  await using right = await Worker.start(OURS);
  await right.ask("load", { model: path, threads: 1 });
  expect((await checkWorker(right, "mini", path, 1)).rms).toBeLessThan(0.003);
  // The same vectors, each for the next text.
  await using wrong = await Worker.start({ command: [process.execPath, "-e", WRONG], env: {} });
  const vectors = await readVectors();
  await wrong.ask("load", { model: JSON.stringify(vectors), threads: 1 });
  await checkWorker(wrong, "mini", path, 1);
  await wrong.ask("load", { model: JSON.stringify([...vectors.slice(1), vectors[0]]), threads: 1 });
  await expect(checkWorker(wrong, "mini", path, 1)).rejects.toThrow(
    "wrong is wrong on mini: cosine",
  );
}, 60_000);

test("vectors that disagree with ours are refused", () => {
  const ours = [Float32Array.of(1, 0), Float32Array.of(0, 1)];
  expect(
    checkAgreement("peer", [Float32Array.of(1, 0.01), Float32Array.of(0, 1)], ours),
  ).toBeGreaterThan(0.999);
  const off = [Float32Array.of(1, 0), Float32Array.of(0.2, 1)];
  expect(() => checkAgreement("peer", off, ours)).toThrow("peer disagrees: cosine 0.98");
  expect(() => checkAgreement("peer", [ours[0]!], ours)).toThrow("disagrees");
  expect(() => checkAgreement("peer", [ours[0]!, Float32Array.of(Number.NaN, 0)], ours)).toThrow();
});
