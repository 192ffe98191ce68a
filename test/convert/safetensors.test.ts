import { expect, test } from "bun:test";
import { join } from "node:path";
import { openSafetensors } from "../../src/convert/safetensors.ts";
import { rejection } from "../gguf/rejection.ts";
import { temporaryFolder } from "../gguf/temporary.ts";
import { safetensors, safetensorsOf, type Tensor, tensorOf } from "./safetensors-file.ts";

test("names, shapes, formats and places", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "model.safetensors");
  const before: Tensor = { dtype: "U8", shape: [1], bytes: Uint8Array.of(7) };
  const stored = tensorOf("F16", [2, 3], new Float16Array(6));
  const bytes = safetensors({ before, stored });
  await Bun.write(path, bytes);
  const { tensors } = await openSafetensors(path);
  expect([...tensors.keys()]).toEqual(["before", "stored"]);
  expect(tensors.get("stored")).toEqual({
    path,
    name: "stored",
    dtype: "F16",
    shape: [2, 3],
    offset: bytes.length - 12,
    byteLength: 12,
  });
});

const entry = (more: object) =>
  safetensorsOf(
    JSON.stringify({ w: { dtype: "F32", shape: [2], data_offsets: [0, 8], ...more } }),
    new Uint8Array(8),
  );
const second = { dtype: "F32", shape: [1], data_offsets: [4, 8] };

test.each<[string, Uint8Array, string]>([
  ["an empty file", new Uint8Array(), "0 bytes are too few"],
  ["a header longer than the file", entry({}).slice(0, 20), "at most 12 are possible"],
  ["a header length beyond 2^53", new Uint8Array(16).fill(255), "claims 18446744073709551615"],
  ["a header that is no JSON", safetensorsOf('{"w":'), "not JSON"],
  ["a header that is no object", safetensorsOf("[]"), "not a JSON object"],
  ["an entry that is no object", safetensorsOf('{"w":1}'), '"w" is not described'],
  ["an unknown dtype", entry({ dtype: "F8" }), 'unknown dtype "F8"'],
  ["a dtype from the prototype", entry({ dtype: "toString" }), 'unknown dtype "toString"'],
  ["a negative side", entry({ shape: [-2] }), "bad shape [-2]"],
  ["a side that is no integer", entry({ shape: [1.5] }), "bad shape [1.5]"],
  ["too many sides", entry({ shape: new Array(9).fill(1) }), "bad shape"],
  ["a length that the shape contradicts", entry({ shape: [3] }), "needs 12 bytes, has 8"],
  ["a shape that overflows", entry({ shape: [2 ** 52, 2 ** 52] }), "bytes, has 8"],
  ["three offsets", entry({ data_offsets: [0, 4, 8] }), "bad data_offsets [0,4,8]"],
  ["a tensor outside the file", entry({ data_offsets: [8, 16] }), "ends at byte 16 of 8"],
  [
    "two tensors that overlap",
    safetensorsOf(
      JSON.stringify({ w: { dtype: "F32", shape: [2], data_offsets: [0, 8] }, x: second }),
      new Uint8Array(8),
    ),
    '"w" and "x" overlap',
  ],
])("%s is refused", async (_, bytes, message) => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "model.safetensors");
  await Bun.write(path, bytes);
  const error = await rejection(openSafetensors(path));
  expect(error.code).toBe("BAD_FILE");
  expect(error.message).toStartWith(`${path}: `);
  expect(error.message).toContain(message);
});

test("a missing file is named", async () => {
  const error = await rejection(openSafetensors("no/such/model.safetensors"));
  expect(error.code).toBe("FILE_NOT_FOUND");
  expect(error.message).toContain("no/such/model.safetensors");
});
