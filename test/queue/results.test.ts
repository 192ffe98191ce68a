import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SQL } from "bun";
import { openResults } from "../../src/queue/results/open.ts";
import type { ResultBatch, ResultKind, ResultRow } from "../../src/queue/results/types.ts";
import { failure } from "../failure.ts";
import { startPostgres } from "./postgres.ts";
import { type ReadRow, readJsonlFiles, readResults } from "./read-results.ts";

const folder = mkdtempSync(join(tmpdir(), "ggufembed-results-"));
let postgres: Awaited<ReturnType<typeof startPostgres>>;

beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
}, 20_000);

const KIND: ResultKind = { fingerprint: "mini-4-abc", model: "mini", dimensions: 4 };
/** Values whose decimals are long, tiny, or both. */
const VALUES = [1 / 3, -1e-7, Math.fround(0.1), 3.4e-38, -Math.SQRT1_2, 1, 2 ** -20, -1 / 7];

function row(number: number, shift = 0): ResultRow {
  const at = (i: number) => VALUES[(number + i + shift) % VALUES.length]!;
  return {
    id: `"quoted" ${number} é\u{1F600}`,
    tokens: number + 1,
    truncated: number % 2,
    fields: `{"title":"it's ${number}","big":12345678901234567890}`,
    embedding: Float32Array.from({ length: 4 }, (_, i) => at(i)),
  };
}

const batch = (position: number, rows: readonly ResultRow[]): ResultBatch => ({
  run: "notes",
  position,
  rows,
});

const expected = (rows: readonly ResultRow[]) => sorted(rows.map(asRead));
const asRead = (each: ResultRow): ReadRow => ({ ...each, fields: JSON.parse(each.fields) });
const sorted = (rows: readonly ReadRow[]) => rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));

let number = 0;
const PLACES: Readonly<Record<string, () => string>> = {
  jsonl: () => `jsonl:${join(folder, `jsonl-${number++}`)}`,
  parquet: () => `parquet:${join(folder, `parquet-${number++}`)}`,
  sqlite: () => `sqlite:${join(folder, `${number++}.db`)}`,
  postgres: () => `${postgres.address}&table=vectors_${number++}`,
};

describe.each(Object.keys(PLACES))("results in %s:", (name) => {
  const fresh = PLACES[name]!;
  const rows = Array.from({ length: 10 }, (_, i) => row(i));

  test("come back to the last bit, with what stood beside them", async () => {
    const place = fresh();
    const store = await openResults(place, KIND);
    await store.write(batch(0, rows.slice(0, 6)));
    await store.write(batch(6, rows.slice(6)));
    await store.close();
    expect(sorted(await readResults(place))).toEqual(expected(rows));
  });

  test("are there once, however often a batch is written, by whomever", async () => {
    const place = fresh();
    const [one, other] = await Promise.all([openResults(place, KIND), openResults(place, KIND)]);
    await one.write(batch(0, rows));
    await Promise.all([one.write(batch(0, rows)), other.write(batch(0, rows))]);
    await one.close();
    await other.close();
    expect(sorted(await readResults(place))).toEqual(expected(rows));
  });

  test("give way to newer ones of the same ids", async () => {
    const place = fresh();
    const store = await openResults(place, KIND);
    await store.write(batch(0, rows));
    const newer = rows.map((_, i) => row(i, 1));
    await store.write(batch(0, newer));
    await store.close();
    expect(sorted(await readResults(place))).toEqual(expected(newer));
  });

  test("never stand beside those of another model", async () => {
    const place = fresh();
    await (await openResults(place, KIND)).close();
    await (await openResults(place, KIND)).close();
    const other = { ...KIND, fingerprint: "maxi-4-def", model: "maxi" };
    const error = await failure(() => openResults(place, other));
    expect(error.code).toBe("WRONG_MODEL");
    expect(error.message).toContain("has vectors of mini (mini-4-abc), these are of maxi");
    expect(error.message).not.toContain("secret");
  });
});

describe("a folder of results", () => {
  const rows = Array.from({ length: 4 }, (_, i) => row(i));

  test("is collected in the input's order; of an id in two files the newer counts", async () => {
    const path = join(folder, "collected");
    const store = await openResults(`jsonl:${path}`, KIND);
    await store.write(batch(1_000_002, [row(3)]));
    await store.write(batch(2, [row(2)]));
    await store.write(batch(0, [row(0), row(1)]));
    // The input got shorter in front: the same texts are in other batches now.
    await store.write(batch(1, [row(1, 1)]));
    const old = new Bun.Glob("*/*/000000000000.jsonl").scanSync({ cwd: path, absolute: true });
    for (const file of old) utimesSync(file, 1, 1);
    expect((await readJsonlFiles(path)).length).toBe(5);
    const collected = await readResults(`jsonl:${path}`);
    expect(collected).toEqual([row(0), row(1, 1), row(2), row(3)].map(asRead));
  });

  test("loses what killed workers left, but not what others are writing", async () => {
    const path = join(folder, "left");
    await openResults(`jsonl:${path}`, KIND);
    for (const name of ["old", "new"]) await Bun.write(join(path, ".partial", name), "half");
    utimesSync(join(path, ".partial", "old"), 1, 1);
    await openResults(`jsonl:${path}`, KIND);
    expect(readdirSync(join(path, ".partial"))).toEqual(["new"]);
    expect(await readResults(`jsonl:${path}`)).toEqual([]);
  });

  test("has one format", async () => {
    const path = join(folder, "formats");
    await openResults(`jsonl:${path}`, KIND);
    const error = await failure(() => openResults(`parquet:${path}`, KIND));
    expect([error.code, error.message]).toEqual([
      "RESULTS",
      `${path}: it has results as jsonl, not parquet; name a folder that may be written`,
    ]);
  });

  test("keeps its own names from the input's fields", async () => {
    const path = join(folder, "names");
    const store = await openResults(`jsonl:${path}`, KIND);
    const fields = '{"tokens":"many","embedding":1,"title":"kept"}';
    await store.write(batch(0, [{ ...row(0), truncated: 0, fields }]));
    const [read] = await readResults(`jsonl:${path}`);
    expect([read?.tokens, read?.fields]).toEqual([1, { title: "kept" }]);
  });

  test("that is none is refused", async () => {
    const path = join(folder, "none");
    mkdirSync(path);
    const error = await failure(() => readResults(`jsonl:${path}`));
    expect([error.code, existsSync(path)]).toEqual(["RESULTS", true]);
    expect(error.message).toEndWith("; name a folder that workers have written to");
  });

  test("gets rows or nothing: a name that is taken fails the batch", async () => {
    const path = join(folder, "taken");
    const store = await openResults(`jsonl:${path}`, KIND);
    await store.write(batch(0, rows));
    const [file] = new Bun.Glob("*/*/*.jsonl").scanSync({ cwd: path, absolute: true });
    rmSync(file!);
    mkdirSync(file!);
    const error = await failure(() => store.write(batch(0, rows)));
    expect(error.code).toBe("RESULTS");
  });
});

test("a table of PostgreSQL that others filled is left alone", async () => {
  await using sql = new SQL({ url: postgres.address, max: 1, prepare: false });
  await sql.unsafe("DROP TABLE IF EXISTS others");
  await sql.unsafe("CREATE TABLE others (id text)");
  await sql.unsafe("INSERT INTO others VALUES ('theirs')");
  const error = await failure(() => openResults(`${postgres.address}&table=others`, KIND));
  expect([error.code, error.message]).toEqual([
    "RESULTS",
    expect.stringContaining("it has rows that this program did not write"),
  ]);
});

test("a database that does not answer is told without its password", async () => {
  const address = "postgres://me:secret@127.0.0.1:9/db";
  const error = await failure(() => openResults(address, KIND));
  expect(error.code).toBe("RESULTS");
  expect(error.message).toContain("postgres://me:***@127.0.0.1:9/db table embeddings: ");
});

test.each([
  ["", "give jsonl:FOLDER"],
  ["out.jsonl", "give jsonl:FOLDER"],
  ["csv:out", "give jsonl:FOLDER"],
  ["postgres://host/db?table=a;b", 'the table is "a;b"'],
])("a place that is none is refused: %p", async (place, advice) => {
  const error = await failure(async () => await openResults(place, KIND));
  expect([error.code, error.message]).toEqual([
    "INVALID_ARGUMENT",
    expect.stringContaining(advice),
  ]);
});
