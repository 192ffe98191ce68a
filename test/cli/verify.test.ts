import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describeFailure, describeReport } from "../../src/cli/commands/verify.ts";
import { readGguf } from "../../src/gguf/reader.ts";
import { open, verifyModel } from "../../src/index.ts";
import { workplace } from "./model.ts";
import { cli } from "./run-cli.ts";

const place = workplace();

test("a model that nobody published figures of is said to be one, and fingerprinted", async () => {
  const { code, stdout, stderr } = await cli(["verify", place.model]);
  expect([code, stderr]).toEqual([0, ""]);
  const message = "tiny gemma-embedding: no published figures are known for this model\n\nlayers";
  expect(stdout).toStartWith(message);
  const rows = stdout.match(/^ {4}\d {4,}\d\.\d{5} {2}[0-9a-f]{16}$/gm) ?? [];
  expect(rows.map((row) => row.trim()[0])).toEqual([..."0123456"]);
});

test("--json is the library's report", async () => {
  const { code, stdout } = await cli(["verify", place.model, "--json"]);
  await using embedder = await open(place.model);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual(await verifyModel(embedder));
});

test("--precision high gives that precision's layers", async () => {
  const { code, stdout } = await cli(["verify", place.model, "--precision", "high", "--json"]);
  await using embedder = await open(place.model, { precision: "high" });
  await using other = await open(place.model);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual(await verifyModel(embedder));
  expect(JSON.parse(stdout)).not.toEqual(await verifyModel(other));
});

test("a report shows each figure, and one that is off is a problem", () => {
  const a = { text: "a" };
  const right = { a, b: { text: "b" }, similarity: 0.5, measured: 0.50004, tolerance: 0.0005 };
  const wrong = { ...right, measured: Number.NaN };
  const figures = [
    { ...right, passed: true },
    { ...wrong, passed: false },
  ];
  const layers = [
    { layer: 0, rms: 0.5, digest: "0123456789abcdef" },
    { layer: 10, rms: 12345.678, digest: "fedcba9876543210" },
  ];
  const report = { model: "M", source: "card of M", figures, layersText: "t", layers };
  const text = describeReport({ ...report, status: "fail" }, "file");
  expect(stripVTControlCharacters(text).split("\n")).toEqual([
    "M, figures of the card of M",
    "",
    "published  measured  tolerance  result  texts",
    '   0.5000    0.5000     0.0005  pass    "a" / "b"',
    '   0.5000       NaN     0.0005  FAIL    "a" / "b"',
    "",
    'layers, of the text "t"',
    "",
    "layer         rms  digest",
    "    0    0.500000  0123456789abcdef",
    "   10     12345.7  fedcba9876543210",
    "",
  ]);
  expect(describeFailure({ ...report, status: "fail" })).toStartWith("figures off: 1 of 2; ");
});

const MINILM = join(import.meta.dir, "../../../shared/models/all-minilm-l6-v2-Q8_0.gguf");

describe.skipIf(!existsSync(MINILM))("all-MiniLM-L6-v2 (skipped: ../shared is not there)", () => {
  test("gives its published figures", async () => {
    const { code, stdout, stderr } = await cli(["verify", MINILM]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.match(/ {2}pass {2}/g)).toHaveLength(2);
  });

  test("with a damaged norm is code 1, and the figure that is off is named", async () => {
    const path = place.file("damaged.gguf");
    await copyWithDamage(MINILM, path, "blk.2.attn_output_norm.weight");
    const { code, stdout, stderr } = await cli(["verify", path]);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /0\.1046 .* FAIL {4}"The weather is lovely today\." \/ "He drove to the stadium\."$/m,
    );
    expect(stderr).toMatch(/^ggufembed: figures off: 1 of 2; see what `ggufembed inspect` .*\n$/);
    const json = await cli(["verify", path, "--json"]);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({
      status: "fail",
      figures: [{ passed: true }, { passed: false }],
    });
  });
});

/** Doubles the first half of a float32 vector: the norm after it would hide it if all were. */
async function copyWithDamage(from: string, to: string, tensor: string): Promise<void> {
  const { offset, shape, type } = (await readGguf(from)).tensors.get(tensor)!;
  expect(type).toBe("F32");
  const bytes = readFileSync(from);
  for (let at = offset; at < offset + 2 * shape[0]!; at += 4) {
    bytes.writeFloatLE(2 * bytes.readFloatLE(at), at);
  }
  writeFileSync(to, bytes);
}
