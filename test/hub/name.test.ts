import { describe, expect, test } from "bun:test";
import { ALIASES } from "../../src/hub/aliases.ts";
import { formatName, parseName } from "../../src/hub/name.ts";
import { failure } from "../failure.ts";

const ENDPOINT = "https://huggingface.co";
const MIRROR = "http://mirror.example:8080/hf";
const parse = (text: string, endpoint = ENDPOINT) => parseName(text, endpoint);

const REPO = { kind: "hub", repo: "org/Some-Model_1.0-GGUF", revision: "main" } as const;
const COMMIT = "0123456789abcdef0123456789abcdef01234567";

describe("a name of the hub:", () => {
  test.each([
    ["org/Some-Model_1.0-GGUF", {}],
    ["hf:org/Some-Model_1.0-GGUF", {}],
    ["hf://org/Some-Model_1.0-GGUF", {}],
    ["hf.co/org/Some-Model_1.0-GGUF:Q8_0", { tag: "Q8_0" }],
    ["org/Some-Model_1.0-GGUF:q8_0", { tag: "q8_0" }],
    ["org/Some-Model_1.0-GGUF@v1:F16", { revision: "v1", tag: "F16" }],
    ["org/Some-Model_1.0-GGUF@refs%2Fpr%2F1", { revision: "refs/pr/1" }],
    ["hf:org/Some-Model_1.0-GGUF/a.gguf", { file: "a.gguf" }],
    ["hf:org/Some-Model_1.0-GGUF/gguf/a b.GGUF", { file: "gguf/a b.GGUF" }],
    [`hf:org/Some-Model_1.0-GGUF@${COMMIT}/a.gguf`, { revision: COMMIT, file: "a.gguf" }],
    ["https://huggingface.co/org/Some-Model_1.0-GGUF", {}],
    ["https://huggingface.co/org/Some-Model_1.0-GGUF/", {}],
    ["https://huggingface.co/org/Some-Model_1.0-GGUF/tree/v1", { revision: "v1" }],
    ["https://hf.co/org/Some-Model_1.0-GGUF/blob/main/x/a%20b.gguf", { file: "x/a b.gguf" }],
    [
      "https://huggingface.co/org/Some-Model_1.0-GGUF/resolve/refs%2Fpr%2F1/a.gguf?download=true",
      { revision: "refs/pr/1", file: "a.gguf" },
    ],
  ])("%s", (text, expected) => {
    const name = parse(text);
    expect(name).toEqual({ ...REPO, ...expected });
    expect(parse(formatName(name!))).toEqual(name!);
  });

  test("a page of the endpoint is one too", () => {
    const page = `${MIRROR}/org/Some-Model_1.0-GGUF/resolve/v1/a.gguf`;
    expect(parse(page, MIRROR)).toEqual({ ...REPO, revision: "v1", file: "a.gguf" });
    expect(parse(page)).toMatchObject({ kind: "url" });
    const elsewhere = page.replace("/hf/", "/other/");
    expect(parse(elsewhere, MIRROR)).toMatchObject({ kind: "url" });
  });
});

test.each([
  ["ollama:all-minilm", "registry.ollama.ai/library/all-minilm/latest"],
  ["ollama:all-minilm:22m", "registry.ollama.ai/library/all-minilm/22m"],
  ["ollama:someone/model:v1", "registry.ollama.ai/someone/model/v1"],
  ["ollama:hf.co/org/repo:Q8_0", "hf.co/org/repo/Q8_0"],
])("%s is a model of Ollama's", (text, path) => {
  const name = parse(text);
  expect(name).toMatchObject({ kind: "ollama", path: path.split("/") });
  expect(parse(formatName(name!))).toEqual(name!);
});

test("an address of a file, without its secrets when it is told", () => {
  const name = parse("https://me:hunter2@example.com/models/a%20b.gguf?key=secret");
  expect(name).toMatchObject({ kind: "url" });
  expect(formatName(name!)).toBe("https://example.com/models/a%20b.gguf");
});

test.each([
  "model.gguf",
  "models/model.gguf",
  "./org/repo",
  "../repo",
  "/org/repo",
  "~/repo",
  "model",
  "a/b/c",
  "org/re po",
  "org\\repo",
  "C:\\models\\x",
  "",
])("%j can only be a path", (text) => {
  expect(parse(text)).toBeUndefined();
});

test.each([
  "hf:org",
  "hf:org/repo/../../x.gguf",
  "hf:org/repo//x.gguf",
  "hf:org/repo/model.bin",
  "hf:../repo",
  "hf:org/..",
  "hf:org/repo@..%2F../x.gguf",
  "hf:org/repo@%ZZ",
  "hf:org/repo:",
  "ollama:",
  "ollama:a/b/c/d",
  "ollama:../../x",
  "https://example.com/model.bin",
  "https://huggingface.co/org/repo/blob/main/..%2F..%2Fx.gguf",
  "https://example.com/..%2Fx.gguf",
  "https://",
])("%s is refused", async (text) => {
  expect((await failure(() => parse(text))).code).toBe("INVALID_ARGUMENT");
});

test("any shard of a split model means the model, by its first", () => {
  const file = "Q8/big-00001-of-00003.gguf";
  const name = { kind: "hub", repo: "org/repo", revision: "main", file } as const;
  for (const number of [1, 2, 3]) {
    expect(parse(`hf:org/repo/Q8/big-0000${number}-of-00003.gguf`)).toEqual(name);
    const address = (n: number) => `https://example.com/big-0000${n}-of-00003.gguf`;
    expect(formatName(parse(`${address(number)}?key=1`)!)).toBe(address(1));
  }
});

describe("aliases", () => {
  test.each(Object.entries(ALIASES))("%s means one file", (alias, { repo, file }) => {
    expect(parse(alias)).toEqual({ kind: "hub", repo, revision: "main", file });
    expect(parse(`hf:${repo}/${file}`)).toEqual(parse(alias));
    expect(alias).toBe(alias.toLowerCase());
  });

  test("take a tag, and any case", () => {
    const { repo } = ALIASES["embeddinggemma-300m"]!;
    expect(parse("EmbeddingGemma-300M:BF16")).toMatchObject({ repo, tag: "BF16" });
    expect(parse("constructor")).toBeUndefined();
  });
});
