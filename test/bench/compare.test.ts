import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Case, Kind } from "../../bench/compare/cases.ts";
import { checkAgreement, checkSameIds, checkWorker } from "../../bench/compare/check.ts";
import { insertMeasured } from "../../bench/compare/document.ts";
import { atLeast, atMost, describeFigure } from "../../bench/compare/figures.ts";
import { readCompareOptions } from "../../bench/compare/options.ts";
import { OURS, type Rival } from "../../bench/compare/players.ts";
import { addComparison, addFindings, type Comparison } from "../../bench/compare/record.ts";
import {
  type CaseResult,
  contestFigures,
  evennessFigure,
  makeEntry,
  peakFigure,
  scalingFigure,
} from "../../bench/compare/results.ts";
import { spreadOf } from "../../bench/compare/statistics.ts";
import { Worker } from "../../bench/compare/worker.ts";
import { compare, publish } from "../../bench/compare.ts";
import { ensureBuilt, YARDSTICK } from "../../scripts/build.ts";
import { ROOT } from "../../scripts/paths.ts";
import { ensureSynth } from "../../scripts/synth.ts";
import { freshFolder } from "../fresh-folder.ts";

/** A worker that answers with the vectors that it was told to load. */
const WRONG = `
  let vectors = [];
  const about = { name: process.env.PEER_NAME, build: "", system: "", arithmetic: "int8" };
  console.log(JSON.stringify({ ...about, loadings: ["it does not"] }));
  for await (const line of console) {
    if (line === "") break;
    const { op, model } = JSON.parse(line);
    if (op === "load") vectors = JSON.parse(model);
    console.log(JSON.stringify(op === "vectors" ? { vectors } : { settings: "", seconds: [1] }));
  }
`;
const WRONG_COMMAND = [process.execPath, "-e", WRONG];

// Not in a test: those have little time.
await ensureBuilt(undefined, YARDSTICK);
const path = await ensureSynth("mini");
const folder = freshFolder();

async function readVectors(): Promise<string[]> {
  const golden = join(ROOT, "bench/compare/golden/mini.jsonl");
  const lines = (await Bun.file(golden).text()).trim().split("\n");
  return lines.map((line) => JSON.parse(line).embedding);
}

/** Ours again under the name of a peer, one that is wrong, and one that cannot be had. */
const RIVALS: readonly Rival[] = [
  {
    name: "llama.cpp",
    bring: async () => ({
      build: "ours again",
      command: [process.execPath, OURS],
      source: async (model) => model,
    }),
  },
  {
    name: "node-llama-cpp",
    bring: async () => ({
      build: "wrong",
      command: WRONG_COMMAND,
      source: async () => JSON.stringify((await readVectors()).reverse()),
    }),
  },
  {
    name: "llama.cpp with AMX",
    bring: async () => {
      throw new Error("this CPU has no AMX");
    },
  },
];

const EMBEDDED = ["gemma-64x11", "gemma-single", "gemma-open", "gemma-memory"];
const ALONE = ["gemma-scaling", "gemma-peak", "gemma-kernels", "gemma-precision"];

test("ours beside ours again: recorded, written down, and twice the same", async () => {
  const record = join(folder.path, "compare.json");
  const cases = [...EMBEDDED, ...ALONE, "tokenize-code"];
  const options = readCompareOptions([...cases, "--tiny", "--record", record]);
  const told: string[] = [];
  expect(await compare(options, RIVALS, (line) => told.push(line))).toEqual([]);
  const { setting, participants, absent, results }: Comparison = await Bun.file(record).json();

  expect(setting).toMatchObject({ threads: 2, seed: 1, machine: { variant: expect.any(String) } });
  expect(participants.map(({ name }) => name)).toEqual(["ggufembed", "llama.cpp"]);
  for (const { accuracy } of participants) expect(accuracy.gemma?.rms).toBeLessThan(0.003);
  expect(absent).toEqual([
    { name: "node-llama-cpp", reason: expect.stringContaining("is wrong on mini: cosine") },
    { name: "llama.cpp with AMX", reason: "this CPU has no AMX" },
  ]);
  expect(results.map(({ id }) => id).toSorted()).toEqual(cases.toSorted());
  for (const { id, entries, figures, tokens, idsSha256 } of results) {
    const [ours, again] = entries;
    expect([id, tokens > 0, idsSha256.length, ours!.sha256?.length]).toEqual([id, true, 64, 64]);
    expect([id, ours!.spread.min > 0]).toEqual([id, true]);
    if (!EMBEDDED.includes(id)) continue;
    expect([id, again?.name, again?.sha256]).toEqual([id, "llama.cpp", ours!.sha256]);
    expect(again!.agreement).toBeCloseTo(1, 6);
    expect(again!.samples.length).toBe(2);
    const [ratio] = figures;
    expect([id, ratio?.what.endsWith("against llama.cpp")]).toEqual([id, true]);
  }
  const asked = results.flatMap(({ figures }) => figures).filter(({ bar }) => bar !== null);
  expect(asked.length).toBe(12);
  for (const { what, spread } of asked) expect([what, spread.min > 0]).toEqual([what, true]);

  const document = join(folder.path, "performance.md");
  const data = join(folder.path, "performance.json");
  await Bun.write(document, await Bun.file(join(ROOT, "docs/performance.md")).text());
  await publish(record, { document, data });
  const written = await Bun.file(document).text();
  expect(written).toContain("(`gemma-memory`)");
  expect(written).toContain("- llama.cpp with AMX: this CPU has no AMX\n");
  expect(written).toContain("| ours again");
  expect(written).toContain("Not measured: `gemma-64x28`, `gemma-8x512`, `minilm-256x14`, ");
  expect(written).toMatch(/\n\| rms error of 6 texts +\| ≤ 1\.50e-3 +\| 1\.\d+e-3 +\| yes +\|/);
  await publish(record, { document, data });
  expect(await Bun.file(document).text()).toBe(written);
  expect(await Bun.file(data).json()).toHaveLength(1);
}, 120_000);

test("docs/performance.md is what docs/performance.json says", async () => {
  const document = await Bun.file(join(ROOT, "docs/performance.md")).text();
  const data: Comparison[] = await Bun.file(join(ROOT, "docs/performance.json")).json();
  expect(insertMeasured(document, data)).toBe(document);
  const before = "# A\n\nby hand\n";
  expect(() => insertMeasured(before, data)).toThrow("are missing");
  const [head = "", tail = ""] = document.split(/<!-- measured[\s\S]*end of what is measured -->/);
  const changed = insertMeasured(document.replace(tail, "\n\nby hand\n"), []);
  expect(changed.startsWith(head)).toBe(true);
  expect(changed.endsWith("\n\nby hand\n")).toBe(true);
  expect(changed).toContain("Nothing is measured yet.");
});

describe("what a figure must be is", () => {
  const figure = { what: "", unit: "times", spread: spreadOf([7.9, 8.1, 8]) } as const;
  test.each([
    ["≥ 8.00×", "yes", atLeast(8)],
    ["≥ 8.01×", "**no**", atLeast(8.01)],
    ["≤ 8.00×", "yes", atMost(8)],
    ["≤ 7.99×", "**no**", atMost(7.99)],
    ["", "", null],
  ])("'%s': %s", (text, met, bar) => {
    const described = { figure: "8.00×", range: "7.90× – 8.10×", ours: "", beside: "" };
    expect(describeFigure({ ...figure, bar })).toEqual({ ...described, bar: text, met });
  });
});

describe("figures are made round by round:", () => {
  const work = (kind: Kind): Case => ({
    id: "",
    title: "",
    kind,
    model: "gemma",
    texts: ["ab", "cdef"],
    ids: [],
    tokens: 12,
    peers: { peer: 8, other: null },
    bars: {},
  });
  const ours = makeEntry("ours", "", [[2, 2, 9], [3], [5]]);
  const peer = makeEntry("peer", "", [[16], [27], [35]]);
  const other = makeEntry("other", "", [[1], [3], [10]]);

  test("a peer's time to ours, and our memory to its", () => {
    const [its, others] = contestFigures([ours, peer, other], work("batch"));
    expect(its).toMatchObject({ what: "speed against peer", bar: atLeast(8), unit: "times" });
    expect(its!.spread).toMatchObject({ median: 8, min: 7, max: 9 });
    expect(others).toMatchObject({ bar: null, spread: { median: 1, min: 0.5, max: 2 } });
    const [memory] = contestFigures([peer, { ...ours, name: "peer" }], work("memory"));
    expect(memory).toMatchObject({ bar: atMost(8), spread: { median: 8, min: 7, max: 9 } });
  });

  test("what each reached, in the unit of the case", () => {
    const reached = (kind: Kind) => contestFigures([ours, peer], work(kind))[0]!;
    expect(reached("batch").ours).toEqual({ value: 4, unit: "tokens/s" });
    expect(reached("tokenize").ours).toEqual({ value: 1, unit: "bytes/s" });
    expect(reached("open").beside).toEqual({ value: 27, unit: "seconds" });
    expect(reached("memory").beside).toEqual({ value: 27, unit: "bytes" });
  });

  test("slow calls to usual ones, beside the control's", () => {
    const calls = (slow: number) => Array.from({ length: 101 }, (_, i) => (i < 2 ? slow : 1));
    const { spread, ours: our, beside } = evennessFigure(calls(3), calls(2), null);
    expect([spread.median, our?.value, beside?.value]).toEqual([1.5, 3, 2]);
  });

  test("how much faster more threads are, beside the control's", () => {
    const one = { threads: 1, ours: [4, 8], control: [10, 10] };
    const two = { threads: 2, ours: [2, 5], control: [20, 20] };
    const { spread, ours: our, beside } = scalingFigure(one, two, null);
    expect(spread).toMatchObject({ min: 0.8, max: 1 });
    expect([our?.value, beside?.value]).toEqual([1.8, 2]);
  });

  test("our rate to the peak", () => {
    const { spread } = peakFigure("avx2", [60, 70], [100, 100], null);
    expect(spread).toMatchObject({ min: 0.6, max: 0.7 });
  });
});

describe("a case that is measured again", () => {
  const result = (id: string, load: number) => ({ id, load, entries: [], figures: [] });
  const at = (
    commit: string,
    dirty: boolean,
    results: readonly object[],
    cpu = "one",
  ): Comparison => ({
    setting: {
      machine: { cpu } as Comparison["setting"]["machine"],
      revision: { commit, dirty },
      threads: 2,
      seed: 1,
    },
    participants: [],
    absent: [],
    results: results as CaseResult[],
  });
  const before = at("a", false, [result("gemma-64x11", 1), result("gemma-open", 1)]);
  const loads = ({ results }: Comparison) => results.map(({ id, load }) => [id, load]);

  test("takes its own place alone, if commit and machine are the same", () => {
    const after = at("a", false, [result("gemma-64x28", 2), result("gemma-open", 2)]);
    expect(loads(addFindings(before, after))).toEqual([
      ["gemma-64x11", 1],
      ["gemma-64x28", 2],
      ["gemma-open", 2],
    ]);
  });

  const open = [result("gemma-open", 2)];
  test.each([
    ["another commit", before, at("b", false, open)],
    ["another machine", before, at("a", false, open, "two")],
    ["what is not committed", at("a", true, before.results), at("a", true, open)],
  ])("drops the others at %s", (_, earlier, after) => {
    expect(addFindings(earlier, after)).toEqual(after);
  });

  test("leaves other machines in the document", () => {
    const two = at("b", false, [], "two");
    const later = at("c", false, []);
    expect(addComparison([before, two], later)).toEqual([later, two]);
    expect(addComparison([before], two)).toEqual([before, two]);
  });
});

test("a worker is refused unless its vectors are the model's", async () => {
  await using right = await Worker.start({ command: [process.execPath, OURS], env: {} });
  const loaded = { model: path, threads: 1 };
  await right.ask("load", loaded);
  expect((await checkWorker(right, "mini", loaded)).rms).toBeLessThan(0.003);
  // The same vectors, each for the next text.
  await using wrong = await Worker.start({ command: WRONG_COMMAND, env: { PEER_NAME: "wrong" } });
  const vectors = await readVectors();
  await wrong.ask("load", { model: JSON.stringify(vectors), threads: 1 });
  await checkWorker(wrong, "mini", loaded);
  await wrong.ask("load", { model: JSON.stringify([...vectors.slice(1), vectors[0]]), threads: 1 });
  await expect(checkWorker(wrong, "mini", loaded)).rejects.toThrow(
    "wrong is wrong on mini: cosine",
  );
}, 60_000);

test("vectors that disagree with ours are refused, and ids that are not ours", () => {
  const ours = [Float32Array.of(1, 0), Float32Array.of(0, 1)];
  expect(
    checkAgreement("peer", [Float32Array.of(1, 0.01), Float32Array.of(0, 1)], ours),
  ).toBeGreaterThan(0.999);
  const off = [Float32Array.of(1, 0), Float32Array.of(0.2, 1)];
  expect(() => checkAgreement("peer", off, ours)).toThrow("peer disagrees: cosine 0.98");
  expect(() => checkAgreement("peer", [ours[0]!], ours)).toThrow("disagrees");
  expect(() => checkAgreement("peer", [ours[0]!, Float32Array.of(Number.NaN, 0)], ours)).toThrow();
  const ids = [Int32Array.of(1, 2), Int32Array.of(3)];
  checkSameIds("peer", [Int32Array.of(1, 2), Int32Array.of(3)], ids);
  expect(() => checkSameIds("peer", [ids[0]!, Int32Array.of(3, 4)], ids)).toThrow("for text 1");
});

test.each([
  ["gemma-64x12", "there is no case 'gemma-64x12'"],
  ["--tiny", "needs a --record of its own"],
  ["--peers=none", "needs a --record of its own"],
  ["--peers=llama", "there is no peer 'llama'"],
])("%s is refused", (arg, message) => {
  expect(() => readCompareOptions([arg])).toThrow(message);
});
