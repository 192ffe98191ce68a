import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { GRADES, LANGUAGES, readEvalSet } from "../../bench/eval/data.ts";
import { Bootstrap, figuresOf, METRICS } from "../../bench/eval/figures.ts";
import { labelsOf } from "../../bench/eval/labels.ts";
import { measureModel } from "../../bench/eval/measure.ts";
import { ndcg, RankCorrelation } from "../../bench/eval/metrics.ts";
import { readEvalOptions } from "../../bench/eval/options.ts";
import { drawReport } from "../../bench/eval/plot.ts";
import { makeReport, type Report } from "../../bench/eval/report.ts";
import { makeResamples } from "../../bench/eval/resample.ts";
import { directionsOf, makeTask } from "../../bench/eval/tasks.ts";
import { tasksOf } from "../../bench/eval/vectors.ts";
import { insertReport } from "../../bench/eval.ts";
import { ensureBuilt } from "../../scripts/build.ts";
import { miniLMFolder } from "../../scripts/minilm.ts";
import { ensureMiniLM } from "../../scripts/models.ts";
import { CACHE, ROOT } from "../../scripts/paths.ts";
import { open, similarity, topK } from "../../src/index.ts";
import { tinyModel } from "../engine/tiny-model.ts";

const tiny = tinyModel({ shape: { context: 1024 } });
// Not in a hook: those have little time.
await ensureBuilt();
const set = await readEvalSet();

describe("nDCG@10", () => {
  // Discounts of the first four ranks: 1, 0.63093, 0.5, 0.43068.
  const discount = (rank: number) => 1 / Math.log2(rank + 1);

  test.each([
    ["the best order", [0.9, 0.5, 0.1], [2, 1, 0], 1],
    ["the worst", [0.1, 0.5, 0.9], [2, 1, 0], (discount(2) + 1) / (2 + discount(2))],
    ["the only one second", [0.5, 0.9], [1, 0], 0.6309297535714575],
    ["all tied: the mean of all orders", [0.5, 0.5], [1, 0], (1 + discount(2)) / 2],
    ["a tie of two behind one", [0.9, 0.4, 0.4], [0, 2, 0], (discount(2) + discount(3)) / 2],
  ])("%s", (_, scores, gains, expected) => {
    expect(ndcg(scores, gains)).toBeCloseTo(expected, 12);
  });

  test("what comes after the tenth rank does not count, and a tie across it by its share", () => {
    const scores = Array.from({ length: 12 }, (_, rank) => -rank);
    const at = (index: number) => scores.map((_, rank) => (rank === index ? 1 : 0));
    expect(ndcg(scores, at(9))).toBeCloseTo(discount(10), 12);
    expect(ndcg(scores, at(10))).toBe(0);
    const tied = scores.map((score) => Math.max(score, -9));
    expect(ndcg(tied, at(11))).toBeCloseTo(discount(10) / 3, 12);
    expect(ndcg(scores, at(2), 2)).toBe(0);
  });

  test("a query with nothing to find is refused", () => {
    expect(() => ndcg([1, 2], [0, 0])).toThrow("best DCG is 0");
    expect(() => ndcg([1, 2], [1])).toThrow("2 scores of 1 gains");
  });
});

describe("Spearman", () => {
  const correlate = (first: number[], second: number[]) => new RankCorrelation(first, second).of();

  test.each([
    ["the same order", [1, 5, 100], [0.1, 0.2, 0.3], 1],
    ["the other way round", [1, 5, 100], [3, 2, 1], -1],
    // 1 - 6 · (1 + 1 + 0 + 1 + 1) / (5 · 24)
    ["two neighbours changed twice", [1, 2, 3, 4, 5], [2, 1, 3, 5, 4], 0.8],
    // Ranks 1.5, 1.5, 3, 4 and 1, 2, 3, 4: 4.5 / √(4.5 · 5)
    ["a tie", [1, 1, 2, 3], [1, 2, 3, 4], 4.5 / Math.sqrt(4.5 * 5)],
    ["no order at all", [1, 1, 1], [1, 2, 3], 0],
  ])("%s", (_, first, second, expected) => {
    expect(correlate(first, second)).toBeCloseTo(expected, 12);
  });

  test("counts are as good as items that come again", () => {
    const [first, second] = [
      [3, 1, 2, 2, 5],
      [1, 1, 4, 2, 3],
    ];
    const counts = [2, 0, 1, 3, 1];
    const again = (list: number[]) =>
      list.flatMap((value, at) => Array.from({ length: counts[at]! }, () => value));
    const found = new RankCorrelation(first!, second!).of(counts);
    expect(found).toBeCloseTo(correlate(again(first!), again(second!)), 12);
    expect(found).not.toBeCloseTo(correlate(first!, second!), 2);
  });
});

test("a resample draws as many items as there are, from each stratum", () => {
  const strata = ["a", "a", "b", "a", "b"];
  const resamples = makeResamples(strata, 200, 7);
  expect(resamples).toHaveLength(200);
  const drawn = (counts: Uint8Array, stratum: string) =>
    counts.reduce((sum, count, at) => sum + (strata[at] === stratum ? count : 0), 0);
  for (const counts of resamples) expect([drawn(counts, "a"), drawn(counts, "b")]).toEqual([3, 2]);
  expect(new Set(resamples.map((counts) => counts.join())).size).toBeGreaterThan(20);
  expect(makeResamples(strata, 200, 7)).toEqual(resamples);
  expect(makeResamples(strata, 200, 8)).not.toEqual(resamples);
});

describe("the set:", () => {
  const { passages, queries, pairs } = set;
  const texts = [
    ...passages.map(({ id, text }) => [`passage ${id}`, text] as const),
    ...queries.map(({ id, text }) => [`query ${id}`, text] as const),
    ...pairs.map(({ id, first }) => [`first of ${id}`, first] as const),
    ...pairs.map(({ id, second }) => [`second of ${id}`, second] as const),
  ];

  test("every id is there once", () => {
    for (const rows of [passages, queries, pairs]) {
      expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
    }
    expect([passages.length, queries.length, pairs.length]).toEqual([72, 72, 108]);
  });

  test("each query has its answer, in each of its languages", () => {
    const byId = new Map(passages.map((passage) => [passage.id, passage]));
    for (const { id, relevant, text } of queries) {
      const gains = Object.values(relevant);
      expect([id, gains.every((gain) => gain === 1 || gain === 2)]).toEqual([id, true]);
      expect([id, gains.includes(2)]).toEqual([id, true]);
      for (const passage of Object.keys(relevant)) {
        const languages = Object.keys(byId.get(passage)?.text ?? {});
        expect([id, languages]).toEqual([id, Object.keys(text)]);
      }
    }
    const found = new Set(queries.flatMap(({ relevant }) => Object.keys(relevant)));
    expect(found.size).toBe(passages.length);
  });

  test("each text is in all languages or in English alone, and both sides of a pair are", () => {
    for (const [name, text] of texts) {
      const languages = Object.keys(text);
      const expected = languages.length === 1 ? ["en"] : [...LANGUAGES];
      expect([name, languages]).toEqual([name, expected]);
    }
    for (const { id, first, second } of pairs) {
      expect([id, Object.keys(second)]).toEqual([id, Object.keys(first)]);
    }
  });

  test("every text is in the script of its language, and none comes twice", () => {
    const scripts: Readonly<Record<string, RegExp>> = {
      zh: /\p{Script=Han}/u,
      ja: /[\p{Script=Hiragana}\p{Script=Katakana}]/u,
      ar: /\p{Script=Arabic}/u,
      ru: /\p{Script=Cyrillic}/u,
      hi: /\p{Script=Devanagari}/u,
    };
    for (const [name, text] of texts) {
      for (const [language, each] of Object.entries(text)) {
        const script = scripts[language] ?? /^[\p{Script=Latin}\p{Script=Common}]+$/u;
        expect([name, language, script.test(each)]).toEqual([name, language, true]);
        expect([name, each]).toEqual([name, each.normalize("NFC").trim()]);
      }
    }
    for (const rows of [passages, queries]) {
      const all = rows.flatMap(({ text }) => Object.values(text));
      expect(new Set(all).size).toBe(all.length);
    }
  });

  test("each kind of pair is there as often, in every language", () => {
    for (const language of LANGUAGES) {
      const own = pairs.filter(({ first }) => first[language] !== undefined);
      const counts = Map.groupBy(own, ({ kind }) => kind);
      expect(new Set(counts.keys())).toEqual(
        new Set(Object.keys(GRADES) as (keyof typeof GRADES)[]),
      );
      expect(new Set([...counts.values()].map(({ length }) => length)).size).toBe(1);
    }
  });
});

test("a task has what both of its languages have", () => {
  const sizes = directionsOf(["en", "de"]).map((direction) => {
    const { retrieval, similarity } = makeTask(set, direction);
    return [retrieval.queries.length, retrieval.passages.length, similarity.pairs.length];
  });
  expect(sizes).toEqual([
    [72, 72, 108],
    [27, 27, 24],
    [27, 72, 24],
    [27, 27, 24],
  ]);
  expect(directionsOf(["de", "fr"])).toHaveLength(2);
  expect(directionsOf(LANGUAGES)).toHaveLength(25);
  const { retrieval } = makeTask(set, { from: "de", to: "en" });
  for (const gains of retrieval.gains) expect(Math.max(...gains)).toBe(2);
});

test("the model's own tasks, as far as it has them", () => {
  const query = "query";
  expect(tasksOf({ tasks: [] }).query).toBeUndefined();
  expect(tasksOf({ tasks: ["query", "document"] })).toEqual({
    query,
    document: "document",
    similarity: "document",
  });
  const gemma = ["query", "document", "sentence_similarity"];
  expect(tasksOf({ tasks: gemma }).similarity).toBe("sentence_similarity");
});

test("files are told apart by what differs in their names", () => {
  const told = (...files: string[]) => labelsOf(files);
  expect(told("a-b-Q8_0-v2.gguf", "a-b-Q6_K-v2.gguf")).toEqual(["Q8_0", "Q6_K"]);
  expect(told("a-F16.gguf", "a-BF16.gguf", "a.gguf")).toEqual(["a-F16", "a-BF16", "a"]);
  expect(told("x.gguf", "x.gguf")).toEqual(["x", "x"]);
  expect(told("m-F16.gguf")).toEqual(["m-F16"]);
});

describe("a report of a tiny model", () => {
  const options = { ...readEvalOptions([]), set, languages: ["en", "hi"] as const };
  const small = { ...options, dimensions: [8], resamples: 20, allowsMadeUp: true };
  const log = () => {};

  test("has each setting, with figures that lie where they can", async () => {
    const report = await makeReport([tiny.path, tiny.path], small, log);
    expect(report.models.map(({ label }) => label)).toEqual(["tiny", "tiny"]);
    const [model, again] = report.models;
    expect(model!.tasks.similarity).toBe("sentence_similarity");
    const names = model!.settings.map(({ dimensions, encoding }) => `${dimensions} ${encoding}`);
    const size = model!.settings[0]!.dimensions;
    const all = [size, 8].flatMap((n) => [`${n} float32`, `${n} int8`, `${n} binary`]);
    expect(names).toEqual(all);
    for (const { groups, tasks } of model!.settings) {
      expect(Object.keys(groups)).toEqual(["english", "all", "across"]);
      for (const { ndcg: found, spearman } of Object.values(groups)) {
        for (const { value, low, high } of [found, spearman]) {
          expect(low).toBeLessThan(high);
          expect(Math.abs(value)).toBeLessThan(1);
        }
      }
      for (const figures of Object.values(tasks)) {
        expect(Object.keys(figures)).toEqual(["en-en", "hi-hi", "hi-en", "en-hi"]);
      }
    }
    const zero = { value: 0, low: 0, high: 0 };
    expect(again!.settings[0]!.groups.english!.ndcg.difference).toEqual(zero);
    const binary = again!.settings[2]!.groups.english!.spearman.difference;
    expect(binary).not.toEqual(zero);
    const { english, all: each } = model!.settings[0]!.groups;
    expect(binary.value).toBeCloseTo(
      again!.settings[2]!.groups.english!.spearman.value - english!.spearman.value,
      3,
    );
    const { ndcg: alone } = model!.settings[0]!.tasks;
    expect(each!.ndcg.value).toBeCloseTo((alone["en-en"]! + alone["hi-hi"]!) / 2, 3);

    const svg = drawReport(report);
    expect(svg.match(/<polyline /g)).toHaveLength(6);
    expect(svg).toContain(">nDCG@10 by weight format</text>");
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  }, 20_000);

  test("needs weights that mean something", async () => {
    const refused = makeReport([tiny.path], { ...small, allowsMadeUp: false }, log);
    await expect(refused).rejects.toThrow("are made up: its figures would mean nothing");
  });

  test("has in each encoding what embed gives in it", async () => {
    await using model = await open(tiny.path);
    const texts = set.queries.map(({ text }) => text.en!);
    for (const encoding of ["int8", "binary"] as const) {
      const scope = { set, languages: ["en"] as const, dimensions: [], encodings: [encoding] };
      const [result] = await Array.fromAsync(measureModel(model, scope));
      const task = result!.tasks[0]!;
      const embed = (each: string[], name: string) => model.embed(each, { task: name, encoding });
      const passages = set.passages.map(({ text }) => text.en!);
      const found = await topK(await embed(texts, "query"), await embed(passages, "document"), 72);
      const values = found.map((matches, query) =>
        ndcg(
          matches.map(({ score }) => score),
          matches.map(({ index }) => task.task.retrieval.gains[query]![index]!),
        ),
      );
      expect(task.ndcg).toEqual(values);
      const pair = set.pairs[0]!;
      const two = [pair.first.en!, pair.second.en!];
      const [first, second] = await embed(two, "sentence_similarity");
      expect(task.cosines[0]).toBe(similarity(first!, second!));
    }
  }, 20_000);
});

test.each([
  [["--dimensions", "100"], "takes multiples of 8, found '100'"],
  [["--languages", "en,xx"], "takes some of en,de,fr,es,zh,ja,ar,ru,hi, found 'xx'"],
  [["--encodings", "int4"], "found 'int4'"],
])("%p is refused", (args, message) => {
  expect(() => readEvalOptions(args)).toThrow(message);
});

test("the command says in a line what is wrong", async () => {
  const run = async (...args: string[]) => {
    const command = [process.execPath, join(ROOT, "bench/eval.ts"), ...args];
    const child = Bun.spawn(command, { stdout: "pipe", stderr: "pipe" });
    const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    return { code: await child.exited, out, err };
  };
  const [missing, unknown] = await Promise.all([run("none.gguf"), run("--formats", "F32")]);
  expect(missing.code).toBe(1);
  expect(missing.err).toMatch(/^error: none\.gguf: there is no such file.*\n$/);
  expect(unknown.code).toBe(2);
  expect(unknown.err).toMatch(/^error: unknown option '--formats'.*\nusage: bun run eval /);
  expect(missing.out + unknown.out).toBe("");
}, 20_000);

test("options", () => {
  const found = readEvalOptions(["a.gguf", "b", "--dimensions", "8,64,8", "--encodings", "binary"]);
  expect(found.models).toEqual(["a.gguf", "b"]);
  expect(found.dimensions).toEqual([64, 8]);
  expect(found.encodings).toEqual(["float32", "binary"]);
});

const hasMiniLM = existsSync(miniLMFolder(CACHE));

describe("docs/quality.md", () => {
  const read = (name: string) => Bun.file(join(ROOT, "docs", name));

  test("and its plot are what docs/quality.json says", async () => {
    const report: Report = await read("quality.json").json();
    const document = await read("quality.md").text();
    expect(insertReport(document, report)).toBe(document);
    expect(await read("quality.svg").text()).toBe(drawReport(report));
    expect(report.set).toBe(set.digest);
  });

  test.skipIf(!hasMiniLM)(
    `has the figures that MiniLM gives${hasMiniLM ? "" : " (skipped: no weights)"}`,
    async () => {
      const report: Report = await read("quality.json").json();
      const published = report.models.find(({ label }) => label === "Q8_0");
      await using model = await open(await ensureMiniLM());
      const scope = {
        set,
        languages: ["en"] as const,
        dimensions: [],
        encodings: ["float32", "binary"] as const,
      };
      const bootstrap = new Bootstrap(set, 1, 1);
      for await (const result of measureModel(model, scope)) {
        const sampled = bootstrap.sample(result.tasks);
        const { groups } = figuresOf(result, sampled, sampled);
        const told = published!.settings.find(
          ({ dimensions, encoding }) =>
            dimensions === result.dimensions && encoding === result.encoding,
        );
        const values = METRICS.map((metric) => groups.english?.[metric].value);
        expect(values).toEqual(METRICS.map((metric) => told?.groups.english?.[metric].value));
        expect(values[0]).toBeGreaterThan(0.5);
      }
    },
    20_000,
  );
});
