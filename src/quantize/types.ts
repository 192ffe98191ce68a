import { invalidArgument } from "../errors.ts";
import { quote } from "../gguf/message.ts";
import type { GgmlTypeName, MetadataEntry } from "../gguf/types.ts";
import * as value from "../gguf/values.ts";

/** Version of the block formats, 2 since 2023. Source: `GGML_QNT_VERSION` of ggml. */
const QUANTIZATION_VERSION = 2;

/**
 * What a file can be quantised to, by the names of llama.cpp's tool: `Q4_K` is `Q4_K_M`, and so for
 * `Q3_K` and `Q5_K`. S, M and L say how many matrices get more bits than the others: few, some,
 * most.
 */
export type QuantizeType =
  | "F32"
  | "F16"
  | "BF16"
  | "Q8_0"
  | "Q6_K"
  | "Q5_K"
  | "Q5_K_M"
  | "Q5_K_S"
  | "Q5_1"
  | "Q5_0"
  | "Q4_K"
  | "Q4_K_M"
  | "Q4_K_S"
  | "Q4_1"
  | "Q4_0"
  | "IQ4_NL"
  | "IQ4_XS"
  | "Q3_K"
  | "Q3_K_L"
  | "Q3_K_M"
  | "Q3_K_S"
  | "Q2_K";

const ALIASES = { Q3_K: "Q3_K_M", Q4_K: "Q4_K_M", Q5_K: "Q5_K_M" } as const;

/** The name of a mixture, without its aliases. */
export type FileTypeName = Exclude<QuantizeType, keyof typeof ALIASES>;

/** What a whole file can be quantised to, and how most of its matrices are then stored. */
interface FileType {
  /** Value of `general.file_type`. Source: `enum llama_ftype` of llama.cpp. */
  readonly number: number;
  readonly type: GgmlTypeName;
}

export const FILE_TYPES = {
  F32: { number: 0, type: "F32" },
  F16: { number: 1, type: "F16" },
  BF16: { number: 32, type: "BF16" },
  Q8_0: { number: 7, type: "Q8_0" },
  Q6_K: { number: 18, type: "Q6_K" },
  Q5_K_M: { number: 17, type: "Q5_K" },
  Q5_K_S: { number: 16, type: "Q5_K" },
  Q5_1: { number: 9, type: "Q5_1" },
  Q5_0: { number: 8, type: "Q5_0" },
  Q4_K_M: { number: 15, type: "Q4_K" },
  Q4_K_S: { number: 14, type: "Q4_K" },
  Q4_1: { number: 3, type: "Q4_1" },
  Q4_0: { number: 2, type: "Q4_0" },
  IQ4_NL: { number: 25, type: "IQ4_NL" },
  IQ4_XS: { number: 30, type: "IQ4_XS" },
  Q3_K_L: { number: 13, type: "Q3_K" },
  Q3_K_M: { number: 12, type: "Q3_K" },
  Q3_K_S: { number: 11, type: "Q3_K" },
  Q2_K: { number: 10, type: "Q2_K" },
} as const satisfies Record<FileTypeName, FileType>;

/** Every name of `QuantizeType`. */
export const QUANTIZE_TYPES = [
  ...Object.keys(FILE_TYPES),
  ...Object.keys(ALIASES),
] as readonly QuantizeType[];

/** Formats that lose little: quantising what has them adds no error to an error. */
export const FLOAT_TYPES: ReadonlySet<GgmlTypeName> = new Set(["F32", "F16", "BF16"]);

/** Throws `INVALID_ARGUMENT` for a name that is none; case does not matter. */
export function requireFileType(name: string): FileTypeName {
  const wanted = name.toUpperCase();
  const full = Object.hasOwn(ALIASES, wanted) ? ALIASES[wanted as keyof typeof ALIASES] : wanted;
  if (Object.hasOwn(FILE_TYPES, full)) return full as FileTypeName;
  throw invalidArgument(`type is ${quote(name)}; the types are ${QUANTIZE_TYPES.join(", ")}`);
}

/** What a file says of itself that has this type. */
export function fileTypeEntries(type: FileTypeName): [string, MetadataEntry][] {
  return [
    ["general.quantization_version", value.uint32(QUANTIZATION_VERSION)],
    ["general.file_type", value.uint32(FILE_TYPES[type].number)],
  ];
}

/**
 * What a format becomes where a row is not made of its blocks of 256: one of blocks of 32, of as
 * many bits or more. Source: `tensor_type_fallback` of llama.cpp.
 */
const SMALLER_BLOCKS: Readonly<Partial<Record<GgmlTypeName, GgmlTypeName>>> = {
  IQ4_XS: "IQ4_NL",
  Q2_K: "Q4_0",
  Q3_K: "Q4_0",
  Q4_K: "Q5_0",
  Q5_K: "Q5_1",
  Q6_K: "Q8_0",
};

/** What rows of so many columns can have instead of a format that divides them into no blocks. */
export function fallbackOf(
  type: GgmlTypeName,
  columns: number,
  blockOf: (type: GgmlTypeName) => number,
): GgmlTypeName {
  if (columns % blockOf(type) === 0) return type;
  const smaller = SMALLER_BLOCKS[type];
  return smaller !== undefined && columns % blockOf(smaller) === 0 ? smaller : "F16";
}
