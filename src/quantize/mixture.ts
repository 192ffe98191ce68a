import { BLOCK_SIZES } from "../gguf/block-size.ts";
import type { TensorHeader } from "../gguf/encode.ts";
import type { GgmlTypeName, MetadataEntry } from "../gguf/types.ts";
import { FILE_TYPES, type FileTypeName, fallbackOf } from "./types.ts";

/*
 * Which tensor gets which format, as llama.cpp's tool does it without an importance matrix, for the
 * architectures that make embeddings. Source: `tensor_allows_quantization` and
 * `llama_tensor_get_type_impl` in `src/llama-quant.cpp` of llama.cpp.
 */

/** What becomes of a tensor. */
export interface TensorChoice<T extends TensorHeader> {
  readonly tensor: T;
  readonly type: GgmlTypeName;
  /** What it would have got, if its rows were made of such blocks. */
  readonly wanted: GgmlTypeName;
}

/** Small, or felt by every token: they stay as they are. */
const KEPT = /_norm\.weight$|^(position_embd|token_types)\.weight$|ffn_gate_inp\.weight$/;

/** Whether a tensor is a matrix whose format is the quantiser's to choose. */
export function isQuantizable({ name, shape }: TensorHeader): boolean {
  return matrixRank(shape) >= 2 && name.endsWith("weight") && !KEPT.test(name);
}

/** Dimensions, those of 1 at the end not counted. */
function matrixRank(shape: readonly number[]): number {
  return shape.findLastIndex((size) => size !== 1) + 1;
}

/** For every tensor of a file, in its order. */
export function chooseTypes<T extends TensorHeader>(
  metadata: ReadonlyMap<string, MetadataEntry>,
  tensors: readonly T[],
  wanted: FileTypeName,
  pure: boolean,
): TensorChoice<T>[] {
  const { type } = FILE_TYPES[wanted];
  const isBlocks = BLOCK_SIZES[type].elements > 1;
  const mixture = isBlocks && !pure ? new Mixture(metadata, wanted, tensors) : undefined;
  return tensors.map((tensor) => {
    if (!isQuantizable(tensor)) return { tensor, type: tensor.type, wanted: tensor.type };
    const chosen = mixture?.typeOf(tensor) ?? type;
    const fitting = fallbackOf(chosen, tensor.shape[0]!, (name) => BLOCK_SIZES[name].elements);
    return { tensor, type: fitting, wanted: chosen };
  });
}

/** Groups of query heads from which on V is so small that more bits for it cost little. */
const GQA_MANY = 4;

class Mixture {
  readonly #wanted: FileTypeName;
  readonly #type: GgmlTypeName;
  readonly #layers: number;
  readonly #isManyQueries: boolean;
  readonly #isTied: boolean;
  /** Places among the tensors of a kind, layer by layer. */
  readonly #values: ReadonlyMap<string, number>;
  readonly #downs: ReadonlyMap<string, number>;

  constructor(
    metadata: ReadonlyMap<string, MetadataEntry>,
    wanted: FileTypeName,
    tensors: readonly TensorHeader[],
  ) {
    const architecture = metadata.get("general.architecture")?.value;
    // Some architectures have a list of them, one for each layer.
    const count = (key: string) => {
      const found = metadata.get(`${architecture}.${key}`)?.value;
      return typeof found === "number" && found > 0 ? found : undefined;
    };
    const heads = count("attention.head_count") ?? 1;
    const names = tensors.filter(isQuantizable).map(({ name }) => name);
    this.#wanted = wanted;
    this.#type = FILE_TYPES[wanted].type;
    this.#layers = count("block_count") ?? 0;
    this.#isManyQueries = heads / (count("attention.head_count_kv") ?? heads) >= GQA_MANY;
    this.#isTied = !names.includes("output.weight");
    this.#values = placesByLayer(names.filter(isValue));
    this.#downs = placesByLayer(names.filter(isDown));
  }

  typeOf({ name, shape }: TensorHeader): GgmlTypeName {
    if (name === "output.weight" || (this.#isTied && name === "token_embd.weight")) {
      return this.#ofVocabulary(shape[0]!);
    }
    const value = this.#values.get(name);
    if (value !== undefined) return this.#ofValue(value) ?? this.#type;
    const down = this.#downs.get(name);
    if (down !== undefined) return this.#ofDown(down) ?? this.#type;
    if (name.includes("attn_output.weight")) return this.#ofAttentionOutput() ?? this.#type;
    return this.#type;
  }

  #ofVocabulary(columns: number): GgmlTypeName {
    if (columns % BLOCK_SIZES[this.#type].elements !== 0) return "Q8_0";
    return this.#type === "Q8_0" ? "Q8_0" : "Q6_K";
  }

  /** V, or Q, K and V together. */
  #ofValue(place: number): GgmlTypeName | undefined {
    switch (this.#wanted) {
      case "Q2_K":
        return this.#isManyQueries ? "Q4_K" : "Q3_K";
      case "Q3_K_M":
        return place < 2 ? "Q5_K" : "Q4_K";
      case "Q3_K_L":
        return "Q5_K";
      case "Q4_K_S":
        return place < 4 ? "Q5_K" : undefined;
      case "Q4_K_M":
      case "Q5_K_M":
        return needsMoreBits(place, this.#values.size) ? "Q6_K" : undefined;
      case "IQ4_NL":
      case "IQ4_XS":
        return this.#isManyQueries ? "Q5_K" : undefined;
      default:
        return undefined;
    }
  }

  #ofDown(place: number): GgmlTypeName | undefined {
    const isFirst = place < Math.floor(this.#layers / 8);
    switch (this.#wanted) {
      case "Q2_K":
        return "Q3_K";
      case "Q3_K_M":
        return place < Math.floor(this.#layers / 16) ? "Q5_K" : "Q4_K";
      case "Q3_K_L":
        return "Q5_K";
      case "Q4_K_S":
      case "IQ4_NL":
      case "IQ4_XS":
        return isFirst ? "Q5_K" : undefined;
      case "Q4_K_M":
      case "Q5_K_M":
        return needsMoreBits(place, this.#layers) ? "Q6_K" : undefined;
      default:
        return undefined;
    }
  }

  #ofAttentionOutput(): GgmlTypeName | undefined {
    switch (this.#wanted) {
      case "Q2_K":
        return "Q3_K";
      case "Q3_K_M":
        return "Q4_K";
      case "Q3_K_L":
        return "Q5_K";
      default:
        return undefined;
    }
  }
}

function isValue(name: string): boolean {
  return /attn_(v|qkv|kv_b)\.weight/.test(name);
}

function isDown(name: string): boolean {
  return name.includes("ffn_down");
}

/** The first and the last eighth of the layers, and every third between. */
function needsMoreBits(layer: number, layers: number): boolean {
  const eighth = Math.floor(layers / 8);
  return layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2;
}

function placesByLayer(names: readonly string[]): Map<string, number> {
  const layerOf = (name: string) => Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? -1);
  const sorted = names.toSorted((a, b) => layerOf(a) - layerOf(b));
  return new Map(sorted.map((name, place) => [name, place]));
}
