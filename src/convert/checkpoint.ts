import { fileError, quote } from "../gguf/message.ts";
import type { SafetensorsFile, SafetensorsTensor } from "./safetensors.ts";

/** Norms of checkpoints that began in TensorFlow have TensorFlow's names. */
const OLD_NAMES: readonly (readonly [old: RegExp, name: string])[] = [
  [/LayerNorm\.gamma$/, "LayerNorm.weight"],
  [/LayerNorm\.beta$/, "LayerNorm.bias"],
];

/** The weights of a model, and which of them a converter has used: none is dropped in silence. */
export class Checkpoint {
  readonly #path: string;
  /** By their names without the model's own. */
  readonly #tensors = new Map<string, SafetensorsTensor>();
  readonly #taken = new Set<string>();

  /** Checkpoints of a model with a head put the model's own name before each tensor's. */
  constructor(file: SafetensorsFile, modelName: string) {
    const prefix = `${modelName}.`;
    this.#path = file.path;
    for (const [stored, tensor] of file.tensors) {
      let name = stored.startsWith(prefix) ? stored.slice(prefix.length) : stored;
      for (const [old, now] of OLD_NAMES) name = name.replace(old, now);
      if (this.#tensors.has(name)) {
        throw fileError("BAD_MODEL", file.path, `there are two tensors ${quote(name)}`);
      }
      this.#tensors.set(name, tensor);
    }
  }

  /** Throws `BAD_MODEL` when the tensor is missing or has another shape (row-major). */
  take(name: string, shape: readonly number[]): SafetensorsTensor {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) {
      throw fileError("BAD_MODEL", this.#path, `tensor ${quote(name)} is missing`);
    }
    if (tensor.shape.join() !== shape.join()) {
      const message = `expected shape [${shape}] by config.json, found [${tensor.shape}]`;
      throw fileError("BAD_MODEL", tensor.path, `tensor ${quote(name)}: ${message}`);
    }
    this.#taken.add(name);
    return tensor;
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** Throws `UNSUPPORTED` when a tensor is left that does not match `ignored`. */
  finish(ignored: RegExp): void {
    for (const [name, tensor] of this.#tensors) {
      if (this.#taken.has(name) || ignored.test(name)) continue;
      const message = `tensor ${quote(tensor.name)} has no place in the GGUF file`;
      throw fileError("UNSUPPORTED", tensor.path, `${message}: this is another model`);
    }
  }
}
