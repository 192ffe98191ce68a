import { describe, expect, spyOn, test } from "bun:test";
import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { encodeHeader } from "../../src/gguf/encode.ts";
import { parseGgufHeader } from "../../src/gguf/parse.ts";
import { readGguf } from "../../src/gguf/reader.ts";
import { GGML_TYPES, type GgmlTypeName } from "../../src/gguf/types.ts";
import * as value from "../../src/gguf/values.ts";
import { writeGguf } from "../../src/gguf/writer.ts";
import { freshFolder } from "../fresh-folder.ts";
import { plainMetadata } from "./plain.ts";
import { MAGIC, raw } from "./raw.ts";
import { rejection } from "./rejection.ts";
import { asMap, EVERY_TYPE, sampleFile, sampleTensor } from "./samples.ts";

const folder = freshFolder();

const TYPES = Object.keys(GGML_TYPES) as GgmlTypeName[];

test("every metadata type comes back as it was written", () => {
  const file = sampleFile(EVERY_TYPE);
  expect(plainMetadata(file.metadata.entries)).toEqual(plainMetadata(asMap(EVERY_TYPE)));
  expect(file.metadata.entries.get("uint64")?.value).toBe(2n ** 64n - 1n);
  expect(file.metadata.entries.get("safe")?.value).toBe(Number.MAX_SAFE_INTEGER);
  expect(file.metadata.entries.get("unsafe")?.value).toBe(-(2n ** 53n));
});

test("a value larger than all before it comes back", () => {
  const bytes = Uint8Array.from({ length: 2 ** 18 }, (_, i) => i * 7);
  const { metadata } = sampleFile({ bytes: value.numbers("uint8", bytes) });
  expect(metadata.getNumbers("bytes")?.values).toEqual(bytes);
});

test("a file without tensors ends with its metadata", () => {
  const { bytes, fileSize } = encodeHeader(asMap({ n: value.uint8(1) }), []);
  expect(bytes.length % 32).not.toBe(0);
  expect(fileSize).toBe(bytes.length);
  expect(sampleFile({ n: value.uint8(1) }).dataOffset).toBe(fileSize);
});

test("every tensor type comes back, with its place in the file", async () => {
  const path = join(folder.path, "types.gguf");
  const shape = [256, 3];
  const sources = TYPES.map((type, i) => sampleTensor({ name: `${type}.weight`, type, shape }, i));
  await writeGguf(path, new Map(), sources);

  const file = await readGguf(path);
  expect([...file.tensors.keys()]).toEqual(sources.map(({ name }) => name));
  for (const { name, type, chunks } of sources) {
    const tensor = file.tensors.get(name)!;
    expect(tensor).toMatchObject({ name, type, shape });
    const bytes = await Bun.file(path)
      .slice(tensor.offset, tensor.offset + tensor.byteLength)
      .bytes();
    expect(Buffer.concat([...(chunks() as Uint8Array[])]).equals(bytes)).toBe(true);
  }
});

describe("alignment", () => {
  for (const alignment of [8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096]) {
    test(`of ${alignment} bytes`, async () => {
      const path = join(folder.path, "aligned.gguf");
      const metadata = asMap({ "general.alignment": value.uint32(alignment) });
      const shape = [3];
      const sources = ["a", "b"].map((name, i) => sampleTensor({ name, type: "F32", shape }, i));
      await writeGguf(path, metadata, sources);

      const { dataOffset, fileSize, tensors, ...file } = await readGguf(path);
      expect(file.alignment).toBe(alignment);
      expect(dataOffset % alignment).toBe(0);
      const place = Math.ceil(12 / alignment) * alignment;
      expect(tensors.get("b")!.offset).toBe(dataOffset + place);
      expect(fileSize).toBe(dataOffset + 2 * place);
      expect(Bun.file(path).size).toBe(fileSize);
      const second = await Bun.file(path)
        .slice(dataOffset + place, dataOffset + place + 12)
        .bytes();
      expect([...second]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    });
  }

  test("is 32 bytes when the file does not say", () => {
    expect(sampleFile({}, [{ name: "t", type: "F32", shape: [1] }]).alignment).toBe(32);
  });
});

test("version 2 reads as version 3 does", () => {
  const { bytes, fileSize } = encodeHeader(asMap(EVERY_TYPE), []);
  bytes[4] = 2;
  const parsed = parseGgufHeader(bytes, fileSize, "v2.gguf");
  if (!parsed.done) throw new Error("the header is not whole");
  expect(parsed.file.version).toBe(2);
  expect(plainMetadata(parsed.file.metadata.entries)).toEqual(plainMetadata(asMap(EVERY_TYPE)));
});

test("tensors may lie in any order and with gaps, and dimensions stay as stored", () => {
  const row = (name: string, offset: bigint) => [name, 2, 8n, 2n, GGML_TYPES.F32, offset] as const;
  const table = [...row("late", 128n), ...row("early", 0n)];
  const head = raw(MAGIC, 3, 2n, 0n, ...table);
  const parsed = parseGgufHeader(head, 1024, "gaps.gguf");
  if (!parsed.done) throw new Error("the header is not whole");
  const { dataOffset, tensors } = parsed.file;
  expect(dataOffset).toBe(Math.ceil(head.length / 32) * 32);
  expect([...tensors.values()]).toEqual([
    { name: "late", type: "F32", shape: [8, 2], file: 0, offset: dataOffset + 128, byteLength: 64 },
    { name: "early", type: "F32", shape: [8, 2], file: 0, offset: dataOffset, byteLength: 64 },
  ]);
});

test("a parse that wants more bytes goes on to the same result, whatever it is given", () => {
  const { bytes, fileSize } = encodeHeader(asMap(EVERY_TYPE), [
    { name: "t", type: "Q8_0", shape: [32, 2] },
  ]);
  const whole = parseGgufHeader(bytes, fileSize, "sample.gguf");
  if (!whole.done) throw new Error("the header is not whole");
  for (let length = 0; length < bytes.length; length++) {
    const part = parseGgufHeader(bytes.subarray(0, length), fileSize, "sample.gguf");
    if (part.done) {
      // Only the padding before the data is missing.
      expect(bytes.subarray(length).every((byte) => byte === 0)).toBe(true);
      expect(part.file.tensors).toEqual(whole.file.tensors);
    } else {
      expect(part.bytesNeeded).toBeGreaterThan(length);
      expect(part.bytesNeeded).toBeLessThanOrEqual(bytes.length);
    }
  }
});

test("a header with 262,144 tokens costs two reads, and never the data behind it", async () => {
  const path = join(folder.path, "large.gguf");
  const tokens = Array.from({ length: 262_144 }, (_, i) => `token${i}`);
  const metadata = asMap({
    "tokenizer.ggml.tokens": value.strings(tokens),
    "tokenizer.ggml.scores": value.numbers("float32", new Float32Array(tokens.length)),
  });
  const shape = [2 ** 20, 4];
  await writeGguf(path, metadata, [sampleTensor({ name: "data", type: "F32", shape })]);

  const ends: number[] = [];
  const file = Bun.file;
  const spy = spyOn(Bun, "file").mockImplementation(((name: string) => {
    const found = file(name);
    const slice = found.slice.bind(found);
    found.slice = ((start: number, end: number) => {
      ends.push(end);
      return slice(start, end);
    }) as typeof found.slice;
    return found;
  }) as typeof Bun.file);
  const read = await readGguf(path).finally(() => spy.mockRestore());
  expect(read.metadata.requireStrings("tokenizer.ggml.tokens").length).toBe(tokens.length);
  expect(ends).toEqual([2 ** 20, 2 ** 23]);
  expect(read.fileSize).toBeGreaterThan(2 ** 24);
});

describe("a path that gives no file", () => {
  const errorOf = (path: string | URL) => rejection(readGguf(path));

  test("missing", async () => {
    const { code, message } = await errorOf("nowhere/model.gguf");
    expect(code).toBe("FILE_NOT_FOUND");
    expect(message).toBe("nowhere/model.gguf: there is no such file. Check the path.");
  });

  test("a folder", async () => {
    const { code, message } = await errorOf(folder.path);
    expect(code).toBe("FILE_NOT_FOUND");
    expect(message).toContain(`${folder.path}: this is a folder`);
  });

  test("a file used as a folder", async () => {
    const { code } = await errorOf(join(import.meta.path, "model.gguf"));
    expect(code).toBe("FILE_NOT_FOUND");
  });

  test.skipIf(process.platform === "win32")("a device", async () => {
    const { code, message } = await errorOf("/dev/zero");
    expect(code).toBe("FILE_NOT_FOUND");
    expect(message).toContain("not a regular file");
  });

  const isRoot = process.getuid?.() === 0;
  const skipped = isRoot ? " (skipped: root may read everything)" : "";
  test.skipIf(isRoot)(`no permission${skipped}`, async () => {
    const path = join(folder.path, "secret.gguf");
    await Bun.write(path, "GGUF");
    await chmod(path, 0);
    const { code, message } = await errorOf(path);
    expect(code).toBe("FILE_NOT_FOUND");
    expect(message).toContain("no permission to read it");
  });

  test("a URL of the web", async () => {
    const { code } = await errorOf(new URL("https://example.org/model.gguf"));
    expect(code).toBe("INVALID_ARGUMENT");
  });
});

test("a file URL opens the file, whatever its name", async () => {
  const path = join(folder.path, "ein Ordner %20 ü", "model #1.gguf");
  await mkdir(join(path, ".."));
  await writeGguf(path, asMap({ "general.name": value.string("here") }), []);
  const file = await readGguf(pathToFileURL(path));
  expect(file.path).toBe(path);
  expect(file.metadata.getString("general.name")).toBe("here");
});
