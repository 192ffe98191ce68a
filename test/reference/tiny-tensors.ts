import type { GgmlTypeName } from "../../src/gguf/types.ts";
import type { TensorSource } from "../../src/gguf/writer.ts";
import { BLOCK_TYPES, type BlockType } from "./blocks.ts";
import { ENCODED_TYPES, type EncodedType, encode } from "./encode.ts";
import { Random } from "./random.ts";
import { randomBlocks } from "./random-blocks.ts";
import type { TinyOptions, TinyShape } from "./tiny.ts";

const IN_TURN = { mixed: ENCODED_TYPES, blocks: BLOCK_TYPES } as const;

/** Collects tensors of random values. */
export class TinyTensors {
  readonly sources: TensorSource[] = [];
  readonly #seed: number;
  readonly #types: readonly (EncodedType | BlockType)[];
  #matrices = 0;

  constructor({ type, seed = 1 }: TinyOptions) {
    this.#seed = seed;
    this.#types = type === "mixed" || type === "blocks" ? IN_TURN[type] : [type];
  }

  /** Keeps the scale of what it is multiplied with. */
  matrix(name: string, rows: number, columns: number): void {
    const type = this.#types[this.#matrices++ % this.#types.length]!;
    const random = this.#random(name);
    const deviation = columns ** -0.5;
    const shape = [columns, rows];
    if (isEncodedType(type)) {
      this.#add(name, type, shape, random.values(rows * columns, 0, deviation));
    } else {
      this.#addBytes(name, type, shape, randomBlocks(type, rows * columns, deviation, random));
    }
  }

  /** Always F32, as converters keep norms and biases. */
  vector(name: string, length: number, mean: number): void {
    this.#add(name, "F32", [length], this.#random(name).values(length, mean, 0.2));
  }

  table(name: string, rows: number, columns: number): void {
    this.#add(name, "F32", [columns, rows], this.#random(name).values(rows * columns, 0, 0.1));
  }

  /** A tensor's values depend on its own name alone, not on the tensors before it. */
  #random(name: string): Random {
    return new Random(this.#seed + Bun.hash.crc32(name));
  }

  #add(name: string, type: EncodedType, shape: number[], values: Float32Array<ArrayBuffer>): void {
    const bytes = encode(type, values);
    if (bytes === undefined) throw new Error(`${name} does not fit ${type}`);
    this.#addBytes(name, type, shape, bytes);
  }

  #addBytes(name: string, type: GgmlTypeName, shape: number[], bytes: Uint8Array): void {
    this.sources.push({ name, type, shape, chunks: () => [bytes] });
  }
}

function isEncodedType(type: EncodedType | BlockType): type is EncodedType {
  return (ENCODED_TYPES as readonly string[]).includes(type);
}

export function addGemmaTensors(
  tensors: TinyTensors,
  shape: TinyShape,
  vocabSize: number,
  { dense = true }: TinyOptions,
): void {
  const { hidden } = shape;
  tensors.matrix("token_embd.weight", vocabSize, hidden);
  tensors.vector("output_norm.weight", hidden, 1);
  for (let layer = 0; layer < shape.layers; layer++) {
    const block = `blk.${layer}.`;
    addAttention(tensors, shape, block);
    tensors.vector(`${block}post_attention_norm.weight`, hidden, 0.6);
    addGated(tensors, shape, block);
    tensors.vector(`${block}post_ffw_norm.weight`, hidden, 0.6);
  }
  if (!dense) return;
  tensors.matrix("dense_2.weight", 2 * hidden, hidden);
  tensors.matrix("dense_3.weight", hidden, 2 * hidden);
}

/** Attention with norms of heads. */
function addAttention(tensors: TinyTensors, shape: TinyShape, block: string): void {
  const { hidden, headSize } = shape;
  const queryWidth = shape.heads * headSize;
  const keyWidth = shape.headsKv * headSize;
  tensors.vector(`${block}attn_norm.weight`, hidden, 1);
  tensors.matrix(`${block}attn_q.weight`, queryWidth, hidden);
  tensors.matrix(`${block}attn_k.weight`, keyWidth, hidden);
  tensors.matrix(`${block}attn_v.weight`, keyWidth, hidden);
  tensors.vector(`${block}attn_q_norm.weight`, headSize, 1.5);
  tensors.vector(`${block}attn_k_norm.weight`, headSize, 1.5);
  tensors.matrix(`${block}attn_output.weight`, hidden, queryWidth);
}

/** A product that another gates. */
function addGated(tensors: TinyTensors, shape: TinyShape, block: string): void {
  const { hidden, feedForward } = shape;
  tensors.vector(`${block}ffn_norm.weight`, hidden, 1);
  tensors.matrix(`${block}ffn_gate.weight`, feedForward, hidden);
  tensors.matrix(`${block}ffn_up.weight`, feedForward, hidden);
  tensors.matrix(`${block}ffn_down.weight`, hidden, feedForward);
}

export function addBertTensors(
  tensors: TinyTensors,
  shape: TinyShape,
  vocabSize: number,
  { fused = false, tokenTypes = 2 }: TinyOptions,
): void {
  const { hidden, feedForward } = shape;
  const { affine, norm } = encoderParts(tensors, shape, true);
  tensors.matrix("token_embd.weight", vocabSize, hidden);
  tensors.table("position_embd.weight", shape.context, hidden);
  tensors.table("token_types.weight", tokenTypes, hidden);
  norm("token_embd_norm");
  for (let layer = 0; layer < shape.layers; layer++) {
    const block = `blk.${layer}.`;
    if (fused) affine(`${block}attn_qkv`, 3 * hidden, hidden);
    else for (const part of "qkv") affine(`${block}attn_${part}`, hidden, hidden);
    affine(`${block}attn_output`, hidden, hidden);
    norm(`${block}attn_output_norm`);
    affine(`${block}ffn_up`, feedForward, hidden);
    affine(`${block}ffn_down`, hidden, feedForward);
    norm(`${block}layer_output_norm`);
  }
}

export function addNomicBertTensors(
  tensors: TinyTensors,
  shape: TinyShape,
  vocabSize: number,
  { biases = false }: TinyOptions,
): void {
  const { hidden, feedForward } = shape;
  const { affine, norm } = encoderParts(tensors, shape, biases);
  tensors.matrix("token_embd.weight", vocabSize, hidden);
  tensors.table("token_types.weight", 2, hidden);
  norm("token_embd_norm");
  for (let layer = 0; layer < shape.layers; layer++) {
    const block = `blk.${layer}.`;
    affine(`${block}attn_qkv`, 3 * hidden, hidden);
    affine(`${block}attn_output`, hidden, hidden);
    norm(`${block}attn_output_norm`);
    affine(`${block}ffn_gate`, feedForward, hidden);
    affine(`${block}ffn_up`, feedForward, hidden);
    affine(`${block}ffn_down`, hidden, feedForward);
    norm(`${block}layer_output_norm`);
  }
}

/** A product, with or without a bias, and a LayerNorm. */
function encoderParts(tensors: TinyTensors, { hidden }: TinyShape, biases: boolean) {
  return {
    affine(name: string, rows: number, columns: number) {
      tensors.matrix(`${name}.weight`, rows, columns);
      if (biases) tensors.vector(`${name}.bias`, rows, 0);
    },
    norm(name: string) {
      tensors.vector(`${name}.weight`, hidden, 1);
      tensors.vector(`${name}.bias`, hidden, 0);
    },
  };
}

export function addQwen3Tensors(tensors: TinyTensors, shape: TinyShape, vocabSize: number): void {
  tensors.matrix("token_embd.weight", vocabSize, shape.hidden);
  tensors.vector("output_norm.weight", shape.hidden, 1);
  for (let layer = 0; layer < shape.layers; layer++) {
    const block = `blk.${layer}.`;
    addAttention(tensors, shape, block);
    addGated(tensors, shape, block);
  }
}

/** Of a reranker. */
export function addHead(
  tensors: TinyTensors,
  { hidden }: TinyShape,
  { architecture }: TinyOptions,
): void {
  if (architecture === "qwen3") {
    tensors.matrix("cls.output.weight", 2, hidden);
    return;
  }
  tensors.matrix("cls.weight", hidden, hidden);
  tensors.vector("cls.bias", hidden, 0);
  tensors.matrix("cls.output.weight", 1, hidden);
  tensors.vector("cls.output.bias", 1, 0);
}
