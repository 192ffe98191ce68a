import { beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { type EmbedOptions, type EmbedResult, type OpenOptions, open } from "../../src/index.ts";
import { workplace } from "./model.ts";
import { readNpy } from "./read-npy.ts";
import { type CliOptions, cli } from "./run-cli.ts";

const place = workplace();
const TEXTS = ["hello world", "", "Ünïcode 😀", "the quick brown fox"];
const LONG = "word ".repeat(200);

/** What the library gives for the same texts. */
let expected: readonly EmbedResult[] = [];
async function embedHere(
  texts: readonly string[],
  options?: EmbedOptions & Pick<OpenOptions, "precision">,
): Promise<EmbedResult[]> {
  await using embedder = await open(place.model, { precision: options?.precision });
  return await embedder.embed(texts, options);
}
beforeAll(async () => {
  expected = await embedHere(TEXTS);
});

const embed = (args: readonly string[], options?: CliOptions) =>
  cli(["embed", "-m", place.model, ...args], options);

interface OutputRow {
  readonly index: number;
  readonly tokens: number;
  readonly embedding: number[];
}

function parseRows(stdout: string): OutputRow[] {
  expect(stdout === "" || stdout.endsWith("\n")).toBe(true);
  return stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/** Row by row the same bits, in the same order. */
function expectSame(rows: readonly OutputRow[], results: readonly EmbedResult[]): void {
  expect(rows.map(({ index }) => index)).toEqual(results.map((_, index) => index));
  expect(rows.map(({ tokens }) => tokens)).toEqual(results.map(({ tokens }) => tokens));
  for (const [i, { embedding }] of rows.entries()) {
    const { embedding: wanted } = results[i] as EmbedResult;
    expect(Float32Array.from(embedding)).toEqual(Float32Array.from(wanted));
  }
}

describe("input", () => {
  test("texts of the arguments, verbatim and in order", async () => {
    const { code, stdout, stderr } = await embed(TEXTS);
    expect([code, stderr]).toEqual([0, ""]);
    expectSame(parseRows(stdout), expected);
    expect(stdout).toMatch(/^(\{"index":\d+,"tokens":\d+,"embedding":\[[-.,e\d]+\]\}\n){4}$/);
  });

  test("a file of lines, with CRLF, an empty line and no line break at the end", async () => {
    const path = place.file("lines.txt");
    writeFileSync(path, `\uFEFF${TEXTS.join("\r\n")}`);
    const { code, stdout, stderr } = await embed(["--input", path]);
    expect([code, stderr]).toEqual([0, ""]);
    expectSame(parseRows(stdout), expected);
  });

  test.each([[[]], [["--input", "-"]]])("standard input, with %j", async (args) => {
    const { code, stdout } = await embed(args, { stdin: `${TEXTS.join("\n")}\n` });
    expect(code).toBe(0);
    expectSame(parseRows(stdout), expected);
  });

  test("JSONL, whose other fields pass through", async () => {
    const lines = [
      JSON.stringify(TEXTS[0]),
      `{"id":12345678901234567890,"text":"","tags":["é",{"a":null}]}`,
      "",
      `{"text":${JSON.stringify(TEXTS[2])},"index":7,"title":"t"}`,
      JSON.stringify({ text: TEXTS[3] }),
    ];
    const { code, stdout, stderr } = await embed(["--jsonl"], { stdin: lines.join("\n") });
    expect(code).toBe(0);
    expectSame(parseRows(stdout), expected);
    const others = stdout.split("\n").map((line) => line.replace(/"embedding":\[[^\]]*\]/, ""));
    expect(others).toEqual([
      `{"index":0,"tokens":${expected[0]?.tokens},}`,
      `{"index":1,"tokens":2,"id":12345678901234567890,"tags":["é",{"a":null}],}`,
      `{"index":2,"tokens":${expected[2]?.tokens},"title":"t",}`,
      `{"index":3,"tokens":${expected[3]?.tokens},}`,
      "",
    ]);
    expect(stderr).toBe(
      'ggufembed: warning: the output has its own "index": those of the input are left out\n',
    );
  });

  test("bytes that are no UTF-8 are told once, and read as U+FFFD", async () => {
    const path = place.file("latin1.txt");
    writeFileSync(path, Buffer.from("fine\ncaf\xe9\nna\xefve\n", "latin1"));
    const { code, stdout, stderr } = await embed(["--input", path]);
    expect(code).toBe(0);
    expectSame(parseRows(stdout), await embedHere(["fine", "caf\uFFFD", "na\uFFFDve"]));
    const warning = `${path}:2: not valid UTF-8; the bad bytes are read as U+FFFD`;
    expect(stderr).toBe(`ggufembed: warning: ${warning}\n`);
  });

  test("no texts at all are no error", async () => {
    const { code, stdout, stderr } = await embed(["--input", "/dev/null"]);
    expect([code, stdout, stderr]).toEqual([0, "", ""]);
  });
});

describe("output", () => {
  test("json is one array", async () => {
    const { code, stdout } = await embed(["--format", "json", ...TEXTS]);
    expect(code).toBe(0);
    expectSame(JSON.parse(stdout), expected);
  });

  test("f32 is the vectors alone", async () => {
    const { code, bytes } = await embed(["--format", "f32", ...TEXTS]);
    expect(code).toBe(0);
    const values = new Float32Array(bytes.slice().buffer);
    expect(values).toEqual(Float32Array.from(expected.flatMap(({ embedding }) => [...embedding])));
  });

  test("npy is one array, the same on a pipe and in a file", async () => {
    const path = place.file("rows.npy");
    const toFile = await embed(["--format", "npy", "--output", path, ...TEXTS]);
    expect([toFile.code, toFile.stdout, toFile.stderr]).toEqual([0, "", ""]);
    const toPipe = await embed(["--format", "npy", ...TEXTS]);
    expect(readFileSync(path).equals(toPipe.bytes)).toBe(true);
    const { shape, values } = readNpy(toPipe.bytes);
    expect(shape).toEqual([4, 64]);
    expect(values).toEqual(Float32Array.from(expected.flatMap(({ embedding }) => [...embedding])));
  });

  test("a failure leaves no file and keeps the one that was there", async () => {
    const path = place.file("kept.jsonl");
    writeFileSync(path, "old");
    const before = readdirSync(place.folder);
    const { code, stderr } = await embed(["--jsonl", "--output", path], { stdin: '"a"\n{\n' });
    expect([code, stderr]).toEqual([1, "ggufembed: standard input:2: not valid JSON\n"]);
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(readdirSync(place.folder)).toEqual(before);
  });
});

describe("options", () => {
  test("precision reaches the model, and has two values", async () => {
    const { code, stdout, stderr } = await embed(["--precision", "high", ...TEXTS]);
    expect([code, stderr]).toEqual([0, ""]);
    const results = await embedHere(TEXTS, { precision: "high" });
    expectSame(parseRows(stdout), results);
    expect(results[0]?.embedding).not.toEqual(expected[0]?.embedding);
    const wrong = await embed(["--precision", "hi", "a"]);
    expect(wrong.code).toBe(2);
    const message = "option '--precision' takes one of default, high, found 'hi'";
    expect(wrong.stderr).toContain(message);
  });

  test("task, title, dimensions and truncate reach the model", async () => {
    const options = { task: "document", title: "T", dimensions: 16, truncate: "start" } as const;
    const args = ["--task=document", "--title=T", "--dimensions=16", "--truncate=start"];
    const { code, stdout, stderr } = await embed([...args, LONG, "a"]);
    const results = await embedHere([LONG, "a"], options);
    expect(code).toBe(0);
    expectSame(parseRows(stdout), results);
    expect(stdout).toStartWith(`{"index":0,"tokens":128,"truncated":${results[0]?.truncated},`);
    expect(stdout).not.toMatch(/"index":1.*truncated/);
    const warning = "1 of 2 texts cut to the model's 128 tokens; the first is text 1";
    expect(stderr).toBe(`ggufembed: warning: ${warning}\n`);
  });

  test("--no-normalize leaves the length of the vectors", async () => {
    const { stdout } = await embed(["--no-normalize", ...TEXTS]);
    expectSame(parseRows(stdout), await embedHere(TEXTS, { normalize: false }));
    const [row] = parseRows(stdout) as [OutputRow];
    expect(Math.hypot(...row.embedding)).not.toBeCloseTo(1, 2);
  });

  test("the environment names the model where -m does not", async () => {
    const { code, stdout } = await cli(["embed", ...TEXTS], {
      env: { GGUFEMBED_MODEL: place.model },
    });
    expect(code).toBe(0);
    expectSame(parseRows(stdout), expected);
  });

  test("a text beyond the context is an error that names its line", async () => {
    const path = place.file("long.txt");
    writeFileSync(path, `a\nb\n${LONG}\nc\n`);
    const { code, stdout, stderr } = await embed(["--input", path]);
    expect(code).toBe(1);
    expectSame(parseRows(stdout), await embedHere(["a", "b"]));
    expect(stderr).toMatch(
      /^ggufembed: \S*long\.txt:3 has \d+ tokens, the model takes 128; .* \(--truncate\)\n$/,
    );
  });
});
