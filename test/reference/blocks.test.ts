import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BLOCK_SIZES } from "../../src/gguf/block-size.ts";
import { BLOCK_TYPES, BLOCKS, isBlockType } from "./blocks.ts";

const FIXTURE = join(import.meta.dir, "../fixtures/blocks.txt");

test("blocks of every format are read as gguf-py reads them", () => {
  const seen = new Set<string>();
  for (const line of readFileSync(FIXTURE, "utf8").trim().split("\n")) {
    const [type = "", block = "", values = ""] = line.split(" ");
    if (!isBlockType(type)) throw new Error(`${type} is no block format`);
    seen.add(type);
    const bytes = Uint8Array.from(Buffer.from(block, "hex"));
    const found = new Float32Array(BLOCK_SIZES[type].elements);
    BLOCKS[type](new DataView(bytes.buffer), 0, found);
    const expected = new Float32Array(Uint8Array.from(Buffer.from(values, "hex")).buffer);
    // Of zeros the sign is no matter.
    expect(Array.from(found, (x) => x + 0)).toEqual(Array.from(expected, (x) => x + 0));
  }
  expect([...seen].sort()).toEqual([...BLOCK_TYPES].sort());
});
