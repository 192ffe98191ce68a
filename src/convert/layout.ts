import type { Checkpoint } from "./checkpoint.ts";
import type { TensorPlan } from "./tensor.ts";

/** A tensor under its two names. */
export interface TensorLayout {
  /** In GGUF. */
  readonly name: string;
  /** In checkpoints of Hugging Face transformers. */
  readonly source: string;
  /** In the checkpoint, row-major: `[rows, columns]`. */
  readonly shape: readonly number[];
  /** Rows at the top that are left out. */
  readonly skipRows?: number;
  /** Added to every element. */
  readonly plus?: number;
}

export function matrix(to: string, from: string, rows: number, columns: number): TensorLayout {
  const shape = [rows, columns];
  return { name: `${to}.weight`, source: `${from}.weight`, shape };
}

export function vector(name: string, source: string, length: number): TensorLayout {
  return { name, source, shape: [length] };
}

/** A weight and a bias. */
export function layerNorm(to: string, from: string, length: number): TensorLayout[] {
  return [
    vector(`${to}.bias`, `${from}.bias`, length),
    vector(`${to}.weight`, `${from}.weight`, length),
  ];
}

/** Throws `BAD_MODEL` for a tensor that is missing or of another shape. */
export function takeTensors(
  checkpoint: Checkpoint,
  layouts: readonly TensorLayout[],
): TensorPlan[] {
  return layouts.map(({ source, shape, ...rest }) => ({
    ...rest,
    source: checkpoint.take(source, shape),
  }));
}
