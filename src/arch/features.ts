import type { Metadata } from "../gguf/types.ts";
import type { Hyperparameters } from "./hyperparameters.ts";
import { badKey, unsupportedKey } from "./keys.ts";

/** Something that models of other kinds do, and a key that says so. */
interface Feature {
  /** Under `<architecture>.`. */
  readonly key: string;
  /** Values that leave the forward pass as it is; the first is what a message asks for. */
  readonly neutral: (sizes: Hyperparameters) => readonly (number | string)[];
  readonly what: string;
}

/** Values are compared as float32, which they are in a file. */
const FEATURES: readonly Feature[] = [
  { key: "expert_count", neutral: () => [0], what: "a mixture of experts (MoE)" },
  { key: "attention.max_alibi_bias", neutral: () => [0], what: "ALiBi positions" },
  {
    key: "rope.scaling.type",
    neutral: () => ["none"],
    what: "RoPE scaling: positions stretched beyond its training",
  },
  { key: "rope.scaling.factor", neutral: () => [1, 0], what: "RoPE scaling by a factor" },
  { key: "rope.scale_linear", neutral: () => [1, 0], what: "RoPE scaling by a factor" },
  {
    key: "rope.dimension_count",
    neutral: ({ headSize }) => [headSize],
    what: "rotary positions (RoPE) on a part of each head",
  },
  {
    key: "rope.dimension_sections",
    neutral: () => [],
    what: "rotary positions (RoPE) in sections",
  },
  { key: "attn_logit_softcapping", neutral: () => [0], what: "soft-capped attention scores" },
  { key: "attention.clamp_kqv", neutral: () => [0], what: "clamped queries, keys and values" },
  {
    key: "attention.scale",
    neutral: ({ headSize }) => [Math.fround(1 / Math.sqrt(headSize)), 0],
    what: "attention scores of another scale",
  },
];

/**
 * Throws `UNSUPPORTED`, naming feature and key, where a file asks for what no architecture here
 * does: without it the model would run, and give other vectors.
 */
export function refuseFeatures(
  metadata: Metadata,
  architecture: string,
  sizes: Hyperparameters,
): void {
  for (const { key, neutral, what } of FEATURES) {
    refuse(metadata, `${architecture}.${key}`, neutral(sizes), what);
  }
}

/** The same for a window that is shorter than the context, in architectures without windows. */
export function refuseWindow(
  metadata: Metadata,
  architecture: string,
  { contextLength }: Hyperparameters,
): void {
  const key = `${architecture}.attention.sliding_window`;
  const window = metadata.entries.get(key)?.value;
  if (typeof window === "number" && window >= contextLength) return;
  refuse(metadata, key, [0], "sliding-window attention");
}

/** Throws `BAD_MODEL` for heads that rotary positions cannot turn: they turn pairs. */
export function checkRotaryHeads(
  metadata: Metadata,
  architecture: string,
  { headSize }: Hyperparameters,
): void {
  if (headSize % 2 === 0) return;
  const key = `${architecture}.attention.key_length`;
  throw badKey(metadata, key, "an even number, for rotary positions");
}

function refuse(
  metadata: Metadata,
  key: string,
  neutral: readonly (number | string)[],
  what: string,
): void {
  const found = metadata.entries.get(key)?.value;
  if (found === undefined || neutral.some((value) => value === found)) return;
  const expected = neutral.length === 0 ? "no such key" : String(neutral[0]);
  throw unsupportedKey(metadata, key, expected, `The model has ${what}.`);
}
