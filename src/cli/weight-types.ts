import { QUANTIZE_TYPES, type QuantizeType } from "../index.ts";
import { UsageError } from "./errors.ts";
import { didYouMean } from "./suggest.ts";

/** How the weights of a file are written. */
export const weightOptions = {
  type: { type: "text", value: "T", help: "what most matrices become" },
  pure: { type: "flag", help: "what all become: none gets more bits than the others" },
  threads: {
    type: "count",
    value: "N",
    help: "worker threads (default: the cores this process may use)",
  },
} as const;

/** What `--type` takes, for the help of a command. */
export const WEIGHT_TYPES = `\
T is one of
  F32, F16, BF16                  floats
  Q8_0                            8 bits: hardly any error
  Q6_K, Q5_K, Q4_K, Q3_K, Q2_K    6 to 2 bits in blocks of 256; Q5_K_S, Q4_K_S, Q3_K_S have fewer
                                  matrices with more bits, Q3_K_L more
  Q5_1, Q5_0, Q4_1, Q4_0          5 and 4 bits in blocks of 32
  IQ4_NL, IQ4_XS                  4 bits, denser near zero, in blocks of 32 and 256

As with llama.cpp's tool, the vocabulary gets 6 bits at least, and rows that are not made of blocks
of 256 get a format with blocks of 32.`;

/** Throws `UsageError` for a format that there is not; case does not matter. */
export function requireWeightType(type: string | undefined): QuantizeType | undefined {
  if (type === undefined) return undefined;
  const wanted = type.toUpperCase();
  const found = QUANTIZE_TYPES.find((name) => name === wanted);
  if (found !== undefined) return found;
  const guess = didYouMean(wanted, QUANTIZE_TYPES);
  const known = QUANTIZE_TYPES.join(", ");
  throw new UsageError(`option '--type' takes one of ${known}, found '${type}'${guess}`);
}
