import { beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import packageJson from "../../package.json" with { type: "json" };
import { COMMANDS } from "../../src/cli/commands.ts";
import { encodeHeader } from "../../src/gguf/encode.ts";
import * as value from "../../src/gguf/values.ts";
import { inspect, open } from "../../src/index.ts";
import { KEY } from "../../src/tokenizer/vocabulary.ts";
import { byteLevelMetadata } from "../tokenizer/vocabularies.ts";
import { workplace } from "./model.ts";
import { cli } from "./run-cli.ts";

const place = workplace();

describe("help", () => {
  test("the overview names every command", async () => {
    const { code, stdout, stderr } = await cli(["--help"]);
    expect([code, stderr]).toEqual([0, ""]);
    for (const { name } of COMMANDS) expect(stdout).toContain(`  ${name} `);
    for (const { summary } of COMMANDS) expect(stdout).toContain(summary);
    expect((await cli(["help"])).stdout).toBe(stdout);
  });

  test("a command's help goes to stdout, whatever else is wrong with the line", async () => {
    const { code, stdout, stderr } = await cli(["embed", "--nonsense", "--help"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toStartWith("Usage: ggufembed embed -m MODEL");
    expect((await cli(["help", "embed"])).stdout).toBe(stdout);
  });

  test.each(COMMANDS.map((command) => [command.name, command] as const))(
    "that of %s fits a terminal and has no gaps",
    (name, command) => {
      const help = command.help();
      expect(help).toStartWith(`Usage: ggufembed ${name}`);
      expect(help).toContain("  -h, --help");
      for (const line of help.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
      expect(help).not.toContain("undefined");
    },
  );

  test("--version is the package's", async () => {
    const { code, stdout } = await cli(["--version"]);
    expect([code, stdout]).toEqual([0, `${packageJson.version}\n`]);
  });
});

describe("tokenize", () => {
  const tokenize = (args: readonly string[], stdin = "") =>
    cli(["tokenize", "-m", place.model, ...args], { stdin });
  const texts = ["hello  world", "", "Ünïcode 😀"];

  test("prints what the model sees, special tokens included, an array a line", async () => {
    await using embedder = await open(place.model);
    const expected = texts.map((text) => `${JSON.stringify([...embedder.tokenize(text)])}\n`);
    const { code, stdout, stderr } = await tokenize(texts);
    expect([code, stdout, stderr]).toEqual([0, expected.join(""), ""]);
    expect(expected[1]).toBe("[2,1]\n");
    const jsonl = texts.map((text) => JSON.stringify({ text, id: 1 })).join("\n");
    expect((await tokenize(["--jsonl"], jsonl)).stdout).toBe(stdout);
    expect((await tokenize(["--input", "-"], texts.join("\r\n"))).stdout).toBe(stdout);
  });

  test("reads a file that is a vocabulary alone, of which embed says what is missing", async () => {
    const path = place.file("vocabulary.gguf");
    const entries = byteLevelMetadata("qwen2", {
      "general.architecture": value.string("qwen3"),
      [KEY.ADD_EOS]: value.bool(true),
    }).entries;
    writeFileSync(path, encodeHeader(entries, []).bytes);
    const { code, stdout, stderr } = await cli(["tokenize", "-m", path, "<|endoftext|>"]);
    const [id, eos] = JSON.parse(stdout);
    expect([code, stderr, id]).toEqual([0, "", eos]);
    const refused = await cli(["embed", "-m", path, "a text"]);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain("vocabulary.gguf: the file has no tensors at all");
    expect(refused.stderr).toContain("ggufembed tokenize");
  });
});

describe("inspect", () => {
  test("--json is the library's inspection", async () => {
    const { code, stdout } = await cli(["inspect", place.model, "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(await inspect(place.model));
  });

  test("without it, a person reads the same", async () => {
    const { code, stdout, stderr } = await cli(["inspect", place.model]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^architecture +gemma-embedding$/m);
    expect(stdout).toMatch(/^runs here +yes$/m);
  });
});

describe("doctor", () => {
  const SYSTEM = ["ggufembed", "Bun", "platform", "CPU", "cores"];
  const labelsOf = (stdout: string) => [...(stdout.match(/^\S.*?(?= {2})/gm) ?? [])];

  test("names the CPU, the variant, the library and the caches", async () => {
    const { code, stdout, stderr } = await cli(["doctor"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(labelsOf(stdout)).toEqual([...SYSTEM, "library", "variant", "can run", "caches"]);
    expect(stdout).toContain(packageJson.version);
    expect(stdout).toMatch(/^caches .*: \//m);
  });

  const foreign = process.arch === "arm64" ? "avx2" : "neon";
  const noLibrary = place.file("text.so");
  beforeAll(() => writeFileSync(noLibrary, "no library at all\n".repeat(500)));

  const variant = (name: string) => ({ GGUFEMBED_VARIANT: name });
  const library = (path: string) => ({ GGUFEMBED_LIBRARY: path });
  test.each([
    ["another CPU's variant", variant(foreign), `this CPU cannot run the variant ${foreign} that`],
    ["an unknown variant", variant("mmx"), 'GGUFEMBED_VARIANT is "mmx"; the variants are '],
    ["a missing library", library("/no.so"), "the native library /no.so does not exist; "],
    ["a library that is none", library(noLibrary), `cannot load the native library ${noLibrary}: `],
  ])("%s is code 1, told after all that is known", async (_, env, problem) => {
    const { code, stdout, stderr } = await cli(["doctor"], { env });
    expect(code).toBe(1);
    const labels = labelsOf(stdout);
    expect(labels.slice(0, SYSTEM.length)).toEqual(SYSTEM);
    expect(labels.at(-1)).toBe("caches");
    expect(stderr).toMatch(/^ggufembed: [^\n]+\n$/);
    expect(stderr).toContain(problem);
    if ("GGUFEMBED_LIBRARY" in env) {
      expect(stderr).toEndWith("; correct or unset GGUFEMBED_LIBRARY, which names it\n");
    }
  });
});
