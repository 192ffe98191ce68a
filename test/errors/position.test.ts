import { expect, test } from "bun:test";
import { join } from "node:path";
import { bool } from "../../src/gguf/values.ts";
import { type Embedder, open } from "../../src/index.ts";
import { failure } from "../failure.ts";
import { freshFolder } from "../fresh-folder.ts";
import { makeTinyModel, type TinyOptions } from "../reference/tiny.ts";

const folder = freshFolder();
const LONG = "word ".repeat(300);

async function openTiny(options: Partial<TinyOptions> = {}): Promise<Embedder> {
  const path = join(folder.path, "tiny.gguf");
  await makeTinyModel({ architecture: "gemma-embedding", type: "F32", ...options }, path);
  return open(path);
}

const CALLS: Readonly<Record<string, (e: Embedder, texts: string[]) => unknown>> = {
  embed: (e, texts) => e.embed(texts),
  embedSync: (e, texts) => e.embedSync(texts),
  stream: (e, texts) => Array.fromAsync(e.stream(texts)),
};

for (const [name, call] of Object.entries(CALLS)) {
  test(`${name}: an error of one text carries its position`, async () => {
    await using embedder = await openTiny();
    const tooLong = await failure(() => call(embedder, ["a", "b", LONG, "c"]));
    expect([tooLong.code, tooLong.index]).toEqual(["INPUT_TOO_LONG", 2]);
    expect(tooLong.message).toStartWith("text 2 has ");
    const noText = await failure(() => call(embedder, ["a", null as unknown as string]));
    expect([noText.code, noText.index]).toEqual(["INVALID_ARGUMENT", 1]);
    expect(noText.message).toBe("text 1 is not a string: found null");
  });
}

test("a text without tokens, where the model adds none, is told with its position", async () => {
  const flags = ["add_bos_token", "add_eos_token"].map((name) => [
    `tokenizer.ggml.${name}`,
    bool(false),
  ]);
  await using embedder = await openTiny({ metadata: Object.fromEntries(flags) });
  const error = await failure(() => embedder.embed(["a", ""]));
  expect([error.code, error.index]).toEqual(["INVALID_ARGUMENT", 1]);
  expect(error.message).toStartWith("text 1 has no tokens");
});

test("an error of no single text has no position", async () => {
  await using embedder = await openTiny();
  const error = await failure(() => embedder.embed(["a"], { dimensions: 0 }));
  expect(error).not.toHaveProperty("index");
});
