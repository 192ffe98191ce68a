/**
 * The forward passes once more, in float64 and in plain loops, straight from metadata and tensor
 * names: what plans and engine are compared with. Nothing here comes from `src/arch`.
 */
import { forwardBert } from "./forward-bert.ts";
import { forwardGemma } from "./forward-gemma.ts";
import { forwardNomicBert } from "./forward-nomic-bert.ts";
import type { ReferenceOutput } from "./forward-parts.ts";
import { forwardQwen3 } from "./forward-qwen3.ts";
import type { ReferenceTensors } from "./tensors.ts";

const PASSES: Readonly<
  Record<string, (w: ReferenceTensors, ids: ArrayLike<number>) => ReferenceOutput>
> = {
  bert: forwardBert,
  "gemma-embedding": forwardGemma,
  "nomic-bert": forwardNomicBert,
  qwen3: forwardQwen3,
};

export function forward(tensors: ReferenceTensors, ids: ArrayLike<number>): ReferenceOutput {
  const architecture = tensors.file.metadata.requireString("general.architecture");
  const pass = PASSES[architecture];
  if (pass === undefined) throw new Error(`no reference for ${architecture}`);
  return pass(tensors, ids);
}
