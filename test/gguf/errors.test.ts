import { describe, expect, test } from "bun:test";
import type { GgufEmbedError } from "../../src/errors.ts";
import { parseGgufHeader } from "../../src/gguf/parse.ts";
import { MAGIC, type Part, raw, rawFile } from "./raw.ts";
import { thrown } from "./rejection.ts";

/** The error that a file which is wholly in memory must give. */
function errorOf(bytes: Uint8Array): GgufEmbedError {
  return thrown(() => parseGgufHeader(bytes, bytes.length, "bad.gguf"));
}

/** Value types and tensor types by their numbers. */
const UINT8 = 0;
const UINT32 = 4;
const BOOL = 7;
const STRING = 8;
const ARRAY = 9;
const F32 = 0;
const Q8_0 = 8;
const I8 = 24;

const metadata = (...entry: readonly Part[]) => rawFile({ metadata: [entry] });
const tensor = (...row: readonly Part[]) => rawFile({ tensors: [row], dataLength: 256 });
const alignment = (...value: readonly Part[]) => metadata("general.alignment", ...value);

const HUGE = 2n ** 64n - 1n;

const CASES: readonly [name: string, bytes: Uint8Array, code: string, parts: readonly string[]][] =
  [
    ["an empty file", raw(), "BAD_FILE", ["the file is empty"]],
    ["a file shorter than the magic", raw(MAGIC.slice(0, 3)), "BAD_FILE", ["byte 0", "magic GGUF"]],
    ["another magic", raw(7, 3, 0n, 0n), "BAD_FILE", ["expected the magic GGUF", "07000000"]],
    ["version 0", raw(MAGIC, 0, 0n, 0n), "BAD_FILE", ["byte 4", "expected version 2 or 3"]],
    ["version 1", raw(MAGIC, 1, 0, 0), "UNSUPPORTED", ["GGUF version 1", "2 and 3"]],
    ["a future version", raw(MAGIC, 4, 0n, 0n), "UNSUPPORTED", ["GGUF version 4"]],
    [
      "big-endian",
      raw(MAGIC, 0x03000000, 0n, 0n),
      "UNSUPPORTED",
      ["byte 4", "the file is big-endian", "gguf-convert-endian FILE little"],
    ],
    ["big-endian of version 2", raw(MAGIC, 0x02000000, 0n), "UNSUPPORTED", ["is big-endian"]],
    ["more keys than the limit", raw(MAGIC, 3, 0n, HUGE), "BAD_FILE", ["at most 65536", `${HUGE}`]],
    [
      "more keys than bytes",
      raw(MAGIC, 3, 0n, 9n),
      "BAD_FILE",
      ["keys is 9", "at least 126 bytes"],
    ],
    ["more tensors than the limit", raw(MAGIC, 3, HUGE, 0n), "BAD_FILE", ["tensors of at most"]],
    ["more tensors than bytes", raw(MAGIC, 3, 9n, 0n), "BAD_FILE", ["tensors is 9", "only 8"]],

    ["an empty key", metadata("", UINT32, 1), "BAD_FILE", ["byte 24", "empty string"]],
    [
      "a key of odd bytes",
      metadata(2n, Uint8Array.of(0xc3, 0x28), UINT32, 1),
      "BAD_FILE",
      ["UTF-8"],
    ],
    ["a key past its limit", metadata("k".repeat(65536), UINT32, 1), "BAD_FILE", ["at most 65535"]],
    ["a key past the end", metadata(999n, UINT32, 1, 0n, 0n), "BAD_FILE", ["length of key is 999"]],
    ["an unknown value type", metadata("k", 13, 0n), "BAD_FILE", ['key "k"', "0 to 12, found 13"]],
    [
      "an unknown element type",
      metadata("k", ARRAY, 99, 0n),
      "BAD_FILE",
      ["element type", "found 99"],
    ],
    ["a bool of 2", metadata("k", BOOL, 2), "BAD_FILE", ['key "k"', "0 or 1, found 2"]],
    ["an array of bools of 2", metadata("k", ARRAY, BOOL, 4n, 0x020100), "BAD_FILE", ["found 2"]],
    ["a string past the end", metadata("k", STRING, 99n), "BAD_FILE", ['key "k"', "99"]],
    ["a string past all bounds", metadata("k", STRING, HUGE), "BAD_FILE", [`found ${HUGE}`]],
    [
      "an array past the end",
      metadata("k", ARRAY, UINT32, 99n),
      "BAD_FILE",
      ["takes at least 396"],
    ],
    ["an array past all bounds", metadata("k", ARRAY, UINT8, HUGE), "BAD_FILE", [`${HUGE}`]],
    ["strings past the end", metadata("k", ARRAY, STRING, 99n), "BAD_FILE", ["strings is 99"]],
    [
      "a string of an array past the end",
      metadata("k", ARRAY, STRING, 2n, "fine", 1000n),
      "BAD_FILE",
      ['key "k", string 1', "is 1000"],
    ],
    [
      "a string of an array of 4 GiB and one byte",
      metadata("k", ARRAY, STRING, 1n, 2n ** 32n + 1n),
      "BAD_FILE",
      ["string 0", "4294967297"],
    ],
    ["arrays past the end", metadata("k", ARRAY, ARRAY, 99n), "BAD_FILE", ["arrays is 99"]],
    [
      "arrays nested too deep",
      metadata("k", ARRAY, ARRAY, 1n, ARRAY, 1n, ARRAY, 1n, ARRAY, 1n, UINT32, 1n, 7),
      "BAD_FILE",
      ["more than 4 deep"],
    ],
    [
      "a key that occurs twice",
      rawFile({
        metadata: [
          ["same", UINT32, 1],
          ["same", UINT32, 2],
        ],
      }),
      "BAD_FILE",
      ['key "same"', "twice"],
    ],
    [
      "an alignment of 0",
      alignment(UINT32, 0),
      "BAD_FILE",
      ["general.alignment", "found uint32 0"],
    ],
    ["an alignment of 4", alignment(UINT32, 4), "BAD_FILE", ["from 8 to 1048576"]],
    ["an alignment of 48", alignment(UINT32, 48), "BAD_FILE", ["power of two"]],
    ["an alignment of 2 MiB", alignment(UINT32, 2 ** 21), "BAD_FILE", ["uint32 2097152"]],
    ["an alignment that is text", alignment(STRING, "32"), "BAD_FILE", ['string "32"']],

    ["a tensor without dimensions", tensor("t", 0, F32, 0n), "BAD_FILE", ['"t"', "1 to 4"]],
    ["five dimensions", tensor("t", 5, 1n, 1n, 1n, 1n, 1n, F32, 0n), "BAD_FILE", ["found 5"]],
    ["a dimension of 0", tensor("t", 2, 8n, 0n, F32, 0n), "BAD_FILE", ["dimension 1", "found 0"]],
    [
      "a dimension past 2^53",
      tensor("t", 1, HUGE, F32, 0n),
      "BAD_FILE",
      ["dimension 0", `${HUGE}`],
    ],
    [
      "elements past 2^53",
      tensor("t", 2, 2n ** 27n, 2n ** 27n, F32, 0n),
      "BAD_FILE",
      ["[134217728, 134217728]", "2^53"],
    ],
    ["an unknown tensor type", tensor("t", 1, 8n, 99, 0n), "BAD_FILE", ['"t"', "99 is no known"]],
    ["a tensor type given up", tensor("t", 1, 32n, 4, 0n), "UNSUPPORTED", ['"t"', "4 (Q4_2)"]],
    ["a tensor type too new", tensor("t", 1, 64n, 40, 0n), "UNSUPPORTED", ["40 (NVFP4)"]],
    ["rows of half a block", tensor("t", 1, 48n, Q8_0, 0n), "BAD_FILE", ["multiple of 32", "48"]],
    ["a misaligned tensor", tensor("t", 1, 8n, F32, 8n), "BAD_FILE", ["multiple of 32, found 8"]],
    ["an offset past 2^53", tensor("t", 1, 8n, F32, 2n ** 60n), "BAD_FILE", [`found ${2n ** 60n}`]],
    [
      "a tensor past the end",
      tensor("t", 1, 8n, F32, 256n),
      "BAD_FILE",
      ['"t"', "32 bytes", "ends"],
    ],
    ["a tensor half past the end", tensor("t", 1, 65n, F32, 0n), "BAD_FILE", ["260 bytes"]],
    [
      "a name longer than 64 bytes",
      tensor("t".repeat(65), 1, 8n, F32, 0n),
      "BAD_FILE",
      ["tensor 1 of 1", "at most 64, found 65"],
    ],
    [
      "a tensor that occurs twice",
      rawFile({
        tensors: [
          ["t", 1, 8n, F32, 0n],
          ["t", 1, 8n, F32, 32n],
        ],
        dataLength: 64,
      }),
      "BAD_FILE",
      ['tensor "t"', "twice"],
    ],
    [
      "tensors that overlap by one byte",
      rawFile({
        tensors: [
          ["second", 1, 8n, F32, 32n],
          ["first", 1, 33n, I8, 0n],
        ],
        dataLength: 64,
      }),
      "BAD_FILE",
      ['tensor "first"', 'overlaps tensor "second"'],
    ],
  ];

describe("a file that is not well-formed", () => {
  for (const [name, bytes, code, parts] of CASES) {
    test(name, () => {
      const error = errorOf(bytes);
      expect(error.code).toBe(code as GgufEmbedError["code"]);
      expect(error.message).toStartWith("bad.gguf: ");
      for (const part of parts) expect(error.message).toContain(part);
    });
  }

  test("truncated anywhere: every prefix of a valid file", () => {
    const whole = rawFile({
      metadata: [
        ["n", UINT32, 1],
        ["s", STRING, "text"],
        ["l", ARRAY, STRING, 2n, "a", "bc"],
        ["a", ARRAY, ARRAY, 1n, UINT32, 2n, 7, 8],
      ],
      tensors: [["t", 2, 32n, 1n, Q8_0, 0n]],
      dataLength: 34,
    });
    expect(parseGgufHeader(whole, whole.length, "whole.gguf").done).toBe(true);
    for (let length = 0; length < whole.length; length++) {
      const error = errorOf(whole.subarray(0, length));
      expect(error.code).toBe("BAD_FILE");
      expect(error.message).toMatch(/^bad\.gguf: (the file is empty|byte \d+ \(.*\): .*\d)/);
    }
  });
});

test("arrays of arrays count together against their limit", () => {
  const half = raw(...Array(40_000).fill([UINT8, 0n]).flat());
  const entry = (key: string) => [key, ARRAY, ARRAY, 40_000n, half];
  const { message } = errorOf(rawFile({ metadata: [entry("one"), entry("two")] }));
  expect(message).toContain('key "two"): expected number of arrays of at most 25536, found 40000');
});

test("one string of an array past its limit, wholly there", () => {
  const length = 64 * 2 ** 20 + 1;
  const head = rawFile({ metadata: [["k", ARRAY, STRING, 1n, BigInt(length)]] });
  const bytes = new Uint8Array(head.length + length);
  bytes.set(head);
  expect(errorOf(bytes).message).toContain(
    "string 0): expected length of string of at most 67108864",
  );
});

test("a header past its limit", () => {
  const bytes = metadata("k", ARRAY, STRING, 2n ** 25n);
  expect(() => parseGgufHeader(bytes, 2 ** 40, "large.gguf")).toThrow(
    'large.gguf: byte 49 (metadata key "k"): the header is longer than the limit of 268435456 bytes',
  );
});

test("nothing is allocated for a count whose bytes were not read yet", () => {
  const bytes = metadata("k", ARRAY, STRING, 2n ** 24n);
  const lengths: number[] = [];
  const original = globalThis.Uint32Array;
  globalThis.Uint32Array = new Proxy(original, {
    construct(target, [length]) {
      lengths.push(length);
      return new target(length);
    },
  });
  try {
    const parsed = parseGgufHeader(bytes, 2 ** 40, "large.gguf");
    expect(parsed).toMatchObject({ done: false });
    expect(parsed.done ? 0 : parsed.bytesNeeded).toBeGreaterThan(2 ** 27);
  } finally {
    globalThis.Uint32Array = original;
  }
  expect(lengths).toEqual([]);
});
