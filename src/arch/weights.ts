import { ok as assert } from "node:assert/strict";
import { fileError } from "../gguf/message.ts";
import { requireTensor } from "../gguf/tensors.ts";
import type { GgufFile, TensorInfo } from "../gguf/types.ts";
import { FLOAT_TYPES, INT8_TYPES, packedForm, type Weight, type WeightId } from "./plan.ts";

/** A tensor and how many rows (of a vector: elements) it must have. */
export interface TensorRows {
  readonly name: string;
  readonly rows: number;
}

const MATRIX_TYPES = [...INT8_TYPES, ...FLOAT_TYPES];
/** Unused tensors that an error message names. */
const NAMED_TENSORS_MAX = 5;
/** What tensors that no plan here uses tell of their model. */
const MEANINGS: readonly (readonly [name: RegExp, meaning: string])[] = [
  [/ffn_gate_inp|ffn_\w+_(sh)?exps?\./, "a mixture of experts (MoE)"],
  [/^rope_|\.rope_/, "RoPE scaling by its own factors"],
  [/lora/, "adapters (LoRA)"],
  [/^position_embd\./, "learned positions"],
  [/^(dense_|pooler|cls)/, "layers after pooling"],
  [/attn_sinks/, "attention sinks"],
  [/norm/, "norms in other places"],
  [/\.bias$/, "biases where others of its kind have none"],
];

function meaningOf(tensors: readonly string[]): string {
  const means = MEANINGS.filter(([name]) => tensors.some((tensor) => name.test(tensor)));
  const features = means.map(([, meaning]) => meaning);
  return features.length === 0 ? "" : ` They mean that the model has ${features.join(", and ")}.`;
}

/** The weights of a plan under construction, each once, looked up in the file and checked. */
export class WeightList {
  readonly items: Weight[] = [];
  readonly #ids = new Map<string, WeightId>();
  readonly #file: GgufFile;

  constructor(file: GgufFile) {
    this.#file = file;
  }

  /** The tensor of a matrix or table; throws when it is missing or of another shape or type. */
  tensor({ name, rows }: TensorRows, columns: number): TensorInfo {
    return requireTensor(this.#file, name, { shape: [columns, rows], types: MATRIX_TYPES });
  }

  table(table: TensorRows, columns: number): WeightId {
    const parts = [this.tensor(table, columns)];
    return this.#add({ kind: "table", parts, rows: table.rows, columns });
  }

  /** The parts have one packed form and one number of columns; `rows` over all of them. */
  matrix(parts: readonly TensorInfo[], rows: number, columns: number): WeightId {
    const form = packedForm(parts[0]!.type);
    assert(parts.every((part) => packedForm(part.type) === form));
    return this.#add({ kind: "matrix", parts, rows, columns });
  }

  vector(...vectors: readonly TensorRows[]): WeightId {
    const parts = vectors.map(({ name, rows }) =>
      requireTensor(this.#file, name, { shape: [rows], types: FLOAT_TYPES }),
    );
    const columns = vectors.reduce((total, { rows }) => total + rows, 0);
    return this.#add({ kind: "vector", parts, rows: 1, columns });
  }

  /**
   * Throws `UNSUPPORTED` when the file holds tensors that are neither used nor in `ignored`:
   * without them the model would run, and give other vectors.
   */
  checkUnused(ignored: readonly string[]): void {
    const known = new Set(ignored);
    for (const { parts } of this.items) for (const part of parts) known.add(part.name);
    const unused = [...this.#file.tensors.keys()].filter((name) => !known.has(name));
    if (unused.length === 0) return;
    const named = unused.slice(0, NAMED_TENSORS_MAX).join(", ");
    const rest = unused.length > NAMED_TENSORS_MAX ? `, … (${unused.length} in all)` : "";
    throw fileError(
      "UNSUPPORTED",
      this.#file.path,
      `the file holds tensors that this version does not use: ${named}${rest}.` +
        `${meaningOf(unused)} Without them the vectors would not be the model's. Get a plain ` +
        "conversion of the model.",
    );
  }

  /** One id for one weight, however often an architecture asks for it. */
  #add(weight: Weight): WeightId {
    const key = JSON.stringify([weight.kind, ...weight.parts.map((part) => part.name)]);
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.items.push(weight) - 1;
    this.#ids.set(key, id);
    return id;
  }
}
