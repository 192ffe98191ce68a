import { describe, expect, test } from "bun:test";
import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readGguf } from "../../src/gguf/reader.ts";
import * as value from "../../src/gguf/values.ts";
import { writeGguf } from "../../src/gguf/writer.ts";
import { open, type QuantizeType, quantize, type WriteProgress } from "../../src/index.ts";
import { rewritePassages } from "../../src/native/rewrite.ts";
import { freshFolder } from "../fresh-folder.ts";
import { rejection } from "../gguf/rejection.ts";
import { splitModel } from "../gguf/split.ts";
import { makeTinyModel } from "../reference/tiny.ts";
import { floatTensor, SAMPLE_METADATA, tensorOf, writeSample } from "./sample.ts";

const folder = freshFolder();
const at = (name: string) => join(folder.path, name);

async function sample(): Promise<string> {
  await writeSample(at("sample.gguf"));
  return at("sample.gguf");
}

describe("what it writes", () => {
  test("the metadata whole, with the type and the version", async () => {
    const path = await sample();
    await quantize(path, at("out.gguf"), { type: "Q4_K" });
    const { metadata } = await readGguf(at("out.gguf"));
    const expected = new Map(SAMPLE_METADATA)
      .set("general.file_type", value.uint32(15))
      .set("general.quantization_version", value.uint32(2));
    expect(new Map(metadata.entries)).toEqual(expected);
  });

  test.each(["Q6_K", "Q4_0", "BF16"] as const)(
    "%s: the same bytes on any threads",
    async (type) => {
      const path = await sample();
      const files = [];
      for (const threads of [1, 2, 5]) {
        await quantize(path, at("out.gguf"), { type, threads });
        files.push(readFileSync(at("out.gguf")).toString("base64"));
      }
      expect(new Set(files).size).toBe(1);
    },
  );

  test("of a split model one file: the bytes of the file that was split", async () => {
    const path = await sample();
    await quantize(path, at("expected.gguf"), { type: "Q4_K_M" });
    const paths = await splitModel(path, at("m"), [1, 20, 12]);
    for (const shard of [paths[0]!, paths[2]!]) {
      await quantize(shard, at("out.gguf"), { type: "Q4_K_M" });
      expect(readFileSync(at("out.gguf")).equals(readFileSync(at("expected.gguf")))).toBe(true);
    }
    const { sourceBytes } = await quantize(paths[0]!, at("out.gguf"), { type: "Q8_0" });
    expect(sourceBytes).toBe(paths.reduce((sum, shard) => sum + Bun.file(shard).size, 0));
    const error = await rejection(quantize(paths[0]!, paths[1]!, { type: "Q8_0" }));
    expect(error.code).toBe("INVALID_ARGUMENT");
    expect(error.message).toStartWith(`${paths[1]}: this is the file that is read`);
  });

  test("tensors longer than a job, at their places", async () => {
    const shape = [2 ** 12, 2 ** 11 + 3];
    const values = Float32Array.from({ length: shape[0]! * shape[1]! }, (_, i) => i % 1009);
    const tensors = [
      tensorOf("a.weight", "F32", shape, new Uint8Array(values.buffer)),
      floatTensor("b.weight", [32, 2]),
    ];
    await writeGguf(at("large.gguf"), SAMPLE_METADATA, tensors);
    const progress: WriteProgress[] = [];
    const onProgress = (state: WriteProgress) => progress.push(state);
    await quantize(at("large.gguf"), at("half.gguf"), { type: "F16", onProgress });
    await quantize(at("half.gguf"), at("full.gguf"), { type: "F32" });
    const { tensors: found } = await readGguf(at("full.gguf"));
    const { tensors: given } = await readGguf(at("large.gguf"));
    for (const [name, { offset, byteLength }] of given) {
      const from = new Float32Array(await slice(at("large.gguf"), offset, byteLength));
      const to = new Float32Array(
        await slice(at("full.gguf"), found.get(name)!.offset, byteLength),
      );
      expect(to).toEqual(Float32Array.from(Float16Array.from(from)));
    }
    expect(progress.length).toBeGreaterThan(1);
    expect(progress.every(({ written, total }) => written <= total)).toBe(true);
    const { size } = Bun.file(at("half.gguf"));
    expect(progress.at(-1)).toEqual({ written: size, total: size });
  });

  test("a model that embeds", async () => {
    await makeTinyModel({ architecture: "gemma-embedding", type: "F32" }, at("tiny.gguf"));
    const report = await quantize(at("tiny.gguf"), at("out.gguf"), { type: "Q8_0" });
    expect(report.bytes).toBe(Bun.file(at("out.gguf")).size);
    await using float = await open(at("tiny.gguf"));
    await using quantized = await open(at("out.gguf"));
    const [a, b] = await Promise.all([float.embed("some text"), quantized.embed("some text")]);
    const dot = a.embedding.reduce((sum, x, i) => sum + x * b.embedding[i]!, 0);
    expect(dot).toBeGreaterThan(0.999);
  });

  test("a file that is quantised already, where that is allowed", async () => {
    const path = await sample();
    await quantize(path, at("q8.gguf"), { type: "Q8_0" });
    const report = await quantize(at("q8.gguf"), at("q4.gguf"), { type: "Q4_0", requantize: true });
    const changed = report.tensors.filter(({ from, to }) => from !== to);
    const changes = new Set(changed.map(({ from, to }) => `${from} to ${to}`));
    expect(changes).toEqual(new Set(["Q8_0 to Q6_K", "Q8_0 to Q4_0"]));
  });

  test("the place of another file, at once", async () => {
    const path = await sample();
    writeFileSync(at("out.gguf"), "before");
    await quantize(path, at("out.gguf"), { type: "Q4_1", pure: true });
    expect((await readGguf(at("out.gguf"))).tensors.get("token_embd.weight")!.type).toBe("Q4_1");
    expect(readdirSync(folder.path).toSorted()).toEqual(["out.gguf", "sample.gguf"]);
  });
});

async function slice(path: string, offset: number, length: number): Promise<ArrayBuffer> {
  return Bun.file(path)
    .slice(offset, offset + length)
    .arrayBuffer();
}

describe("what it refuses", () => {
  const refusal = async (
    input: string,
    output: string,
    options: Partial<Parameters<typeof quantize>[2]> = {},
  ) => {
    const error = await rejection(quantize(input, output, { type: "Q4_0", ...options }));
    expect(readdirSync(folder.path).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    return [error.code, error.message] as const;
  };

  test("a type that there is not, naming those that there are", async () => {
    const type = "Q7_0" as QuantizeType;
    const [code, message] = await refusal(await sample(), at("out.gguf"), { type });
    expect([code, message]).toEqual(["INVALID_ARGUMENT", expect.stringContaining("Q4_K_M")]);
    expect(message).toContain("Q7_0");
  });

  test("the file that it reads as the one to write", async () => {
    const path = await sample();
    const before = readFileSync(path);
    const [code, message] = await refusal(path, path);
    expect([code, message]).toEqual(["INVALID_ARGUMENT", expect.stringContaining("is read")]);
    expect(readFileSync(path)).toEqual(before);
  });

  test("a folder for the file, and one that is not there", async () => {
    const path = await sample();
    expect(await refusal(path, folder.path)).toEqual([
      "INVALID_ARGUMENT",
      expect.stringContaining("this is a folder"),
    ]);
    expect(await refusal(path, at("none/out.gguf"))).toEqual([
      "FILE_NOT_FOUND",
      expect.stringContaining("ENOENT"),
    ]);
  });

  test("matrices that are quantised", async () => {
    await quantize(await sample(), at("q8.gguf"), { type: "Q8_0" });
    const [code, message] = await refusal(at("q8.gguf"), at("out.gguf"));
    expect([code, message]).toEqual(["INVALID_ARGUMENT", expect.stringContaining("requantize")]);
    expect(message).toContain("token_embd.weight");
  });

  test("matrices that cannot be read", async () => {
    const foreign = tensorOf("a.weight", "TQ1_0", [256, 2], new Uint8Array(108));
    await writeGguf(at("foreign.gguf"), SAMPLE_METADATA, [foreign]);
    const [code, message] = await refusal(at("foreign.gguf"), at("out.gguf"), { requantize: true });
    expect([code, message]).toEqual(["UNSUPPORTED", expect.stringContaining("TQ1_0")]);
  });

  test.each([
    ["Q4_0", Number.NaN, "not finite"],
    ["Q5_K", Number.POSITIVE_INFINITY, "not finite"],
    ["F16", 1e6, "too large for the format F16"],
    ["Q8_0", 1e30, "too large for the format Q8_0"],
  ] as const)("%s of %d", async (type, number, what) => {
    const values = new Float32Array(512).fill(1);
    values[400] = number;
    const bytes = new Uint8Array(values.buffer);
    const tensors = [
      floatTensor("a.weight", [256, 2]),
      tensorOf("b.weight", "F32", [256, 2], bytes),
    ];
    await writeGguf(at("bad.gguf"), SAMPLE_METADATA, tensors);
    const [code, message] = await refusal(at("bad.gguf"), at("out.gguf"), { type });
    expect([code, message]).toEqual(["NOT_FINITE", expect.stringContaining(what)]);
    expect(message).toContain("tensor b.weight");
    expect(existsSync(at("out.gguf"))).toBe(false);
  });

  test("to go on when it is aborted", async () => {
    const path = await sample();
    const controller = new AbortController();
    controller.abort(new Error("enough"));
    const work = quantize(path, at("out.gguf"), { type: "Q4_0", signal: controller.signal });
    expect(work).rejects.toThrow("enough");
    await work.catch(() => {});
    expect(readdirSync(folder.path)).toEqual(["sample.gguf"]);
  });

  test("threads that are none", async () => {
    const [code] = await refusal(await sample(), at("out.gguf"), { threads: 0 });
    expect(code).toBe("INVALID_ARGUMENT");
  });

  test("a file that cannot be written, by the system's own name for why", async () => {
    const path = await sample();
    const { tensors } = await readGguf(path);
    const { name, offset } = tensors.get("token_embd.weight")!;
    const fd = openSync(path, "r");
    const files = { source: { fd, path }, target: { fd, path: "target" } };
    const passage = { name, sourceOffset: offset, targetOffset: 0, count: 64 };
    const work = rewritePassages(files, [passage], 2);
    expect(work).rejects.toMatchObject({ code: "EBADF", syscall: "pwrite" });
    await work.catch(() => {});
    closeSync(fd);
  });

  test("a file that ends before its tensor does", async () => {
    const path = await sample();
    const fd = openSync(path, "r+");
    const files = { source: { fd, path }, target: { fd, path: "target" } };
    const passage = { name: "last", sourceOffset: 2 ** 40, targetOffset: 0, count: 64 };
    const error = await rejection(rewritePassages(files, [passage], 2));
    expect([error.code, error.message]).toEqual([
      "BAD_FILE",
      expect.stringContaining("tensor last: the file ends before it does"),
    ]);
    closeSync(fd);
  });
});
