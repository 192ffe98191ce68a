import { describe, expect, test } from "bun:test";
import { readdirSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { encodeHeader } from "../../src/gguf/encode.ts";
import { readGguf } from "../../src/gguf/reader.ts";
import * as value from "../../src/gguf/values.ts";
import { type TensorSource, writeGguf } from "../../src/gguf/writer.ts";
import { freshFolder } from "../fresh-folder.ts";
import { rejection } from "./rejection.ts";
import { asMap, sampleTensor } from "./samples.ts";
import { temporaryFolder } from "./temporary.ts";

const folder = freshFolder();

const FIXTURE = join(import.meta.dir, "../fixtures/gguf-py.bin");

/** What `gguf-py.py` beside the fixture gives to gguf-py. */
const METADATA = asMap({
  "general.architecture": value.string("test"),
  "general.alignment": value.uint32(64),
  "a.uint8": value.uint8(200),
  "a.int8": value.int8(-100),
  "a.uint16": value.uint16(60000),
  "a.int16": value.int16(-30000),
  "a.uint32": value.uint32(4000000000),
  "a.int32": value.int32(-2000000000),
  "a.float32": value.float32(1e-6),
  "a.bool": value.bool(true),
  "a.string": value.string("Grüße, 世界 🌍"),
  "a.uint64": value.uint64(2n ** 64n - 1n),
  "a.int64": value.int64(-(2n ** 63n)),
  "a.float64": value.float64(0.1),
  "a.strings": value.strings(["", "▁the", "\ufeffmark"]),
  "a.integers": value.numbers("int32", [1, -2, 3]),
  "a.floats": value.numbers("float32", [0.5, -1.5]),
  "a.booleans": value.numbers("bool", [1, 0]),
  "a.bytes": value.numbers("uint8", [0, 255]),
  "a.wide": value.numbers("uint64", [2n ** 40n]),
  "a.nested": value.arrays([value.numbers("int32", [1, 2]), value.numbers("int32", [3])]),
});

const range = (length: number) => Array.from({ length }, (_, i) => i);
const bytesOf = (array: Float32Array<ArrayBuffer> | Float16Array<ArrayBuffer>) =>
  new Uint8Array(array.buffer);

const TENSORS: readonly TensorSource[] = [
  {
    name: "one.weight",
    type: "F32",
    shape: [3],
    chunks: () => [bytesOf(Float32Array.of(0, 1, 2))],
  },
  {
    name: "two.weight",
    type: "F16",
    shape: [4, 3],
    // One byte at a time, asynchronously.
    async *chunks() {
      for (const byte of bytesOf(Float16Array.from(range(12)))) yield Uint8Array.of(byte);
    },
  },
  sampleTensor({ name: "three.weight", type: "Q8_0", shape: [64, 2] }),
];

test("writes what gguf-py writes, byte for byte", async () => {
  const path = join(folder.path, "written.gguf");
  const written = await writeGguf(path, METADATA, TENSORS);
  const bytes = Buffer.from(await Bun.file(path).bytes());
  expect(bytes.toHex()).toBe((await Bun.file(FIXTURE).bytes()).toHex());
  expect(written.tensors).toEqual((await readGguf(FIXTURE)).tensors);
});

test("a file that was read writes the same header again", async () => {
  const file = await readGguf(FIXTURE);
  const { bytes, fileSize } = encodeHeader(file.metadata.entries, [...file.tensors.values()]);
  expect(fileSize).toBe(file.fileSize);
  expect(bytes.toHex()).toBe((await Bun.file(FIXTURE).slice(0, file.dataOffset).bytes()).toHex());
});

test("asks for a tensor's pieces when all before them are written", async () => {
  const sizes: number[] = [];
  const watching = (name: string): TensorSource => ({
    name,
    type: "F32",
    shape: [16],
    *chunks() {
      for (let part = 0; part < 2; part++) {
        const [unfinished] = readdirSync(folder.path);
        sizes.push(statSync(join(folder.path, unfinished!)).size);
        yield new Uint8Array(32);
      }
    },
  });
  const path = join(folder.path, "x.gguf");
  const { dataOffset } = await writeGguf(path, new Map(), [watching("a"), watching("b")]);
  expect(sizes).toEqual([0, 32, 64, 96].map((bytes) => dataOffset + bytes));
});

describe("a file that cannot be written", () => {
  const tensor = (name: string, chunks: TensorSource["chunks"]): TensorSource => {
    return { name, type: "F32", shape: [8], chunks };
  };

  /** The error of a write over a file that was there, which must survive alone in its folder. */
  async function failure(tensors: readonly TensorSource[]) {
    const path = join(folder.path, "model.gguf");
    await Bun.write(path, "old");
    const error = await writeGguf(path, new Map(), tensors).then(
      () => undefined,
      (reason) => reason,
    );
    expect(await readdir(folder.path)).toEqual(["model.gguf"]);
    expect(await Bun.file(path).text()).toBe("old");
    return error;
  }

  test("too few bytes of a tensor", async () => {
    const error = await failure([tensor("t", () => [new Uint8Array(31)])]);
    expect(error.code).toBe("INVALID_ARGUMENT");
    expect(error.message).toContain('tensor "t" (F32 [8]): expected 32 bytes, got 31');
  });

  test("too many bytes of a tensor", async () => {
    const error = await failure([tensor("t", () => [new Uint8Array(30), new Uint8Array(3)])]);
    expect(error.code).toBe("INVALID_ARGUMENT");
    expect(error.message).toContain("expected 32 bytes, got 33");
  });

  test("a source that fails", async () => {
    const reason = new Error("the source is gone");
    const error = await failure([
      tensor("t", () => {
        throw reason;
      }),
    ]);
    expect(error).toBe(reason);
  });

  test("a header that the reader would refuse", async () => {
    const data = () => [new Uint8Array(32)];
    const error = await failure([tensor("t", data), tensor("t", data)]);
    expect(error.code).toBe("BAD_FILE");
    expect(error.message).toContain('tensor "t"): the tensor occurs twice');
  });

  test("a folder that is not there", async () => {
    const error = await rejection(writeGguf("nowhere/model.gguf", new Map(), []));
    expect(error.code).toBe("FILE_NOT_FOUND");
    expect(error.message).toContain("nowhere/model.gguf: the file cannot be written (ENOENT)");
  });
});

test("values that do not fit their type are refused", () => {
  expect(() => value.uint8(256)).toThrow("256 is no uint8");
  expect(() => value.int32(1.5)).toThrow("1.5 is no int32");
  expect(() => value.uint64(-1)).toThrow("-1 is no uint64");
  expect(() => value.numbers("bool", [2])).toThrow("2 is no bool");
});

test("a process that ends while it writes leaves nothing behind", async () => {
  await using folder = await temporaryFolder();
  const writer = join(import.meta.dir, "../../src/gguf/writer.ts");
  const program = `
    const { writeGguf } = await import(${JSON.stringify(writer)});
    const chunks = () => [new Uint8Array(4)];
    const unended = async function* () { process.exit(7); };
    const tensors = [
      { name: "a", type: "F32", shape: [1], chunks },
      { name: "b", type: "F32", shape: [1], chunks: unended },
    ];
    await writeGguf("out.gguf", new Map(), tensors);
  `;
  const child = Bun.spawn([process.execPath, "-e", program], { cwd: folder.path });
  expect(await child.exited).toBe(7);
  expect(await readdir(folder.path)).toEqual([]);
});
