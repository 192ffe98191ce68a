import type { GgmlTypeName, TensorInfo } from "../gguf/types.ts";

/**
 * A plan is a model's forward pass as data: numbered weights, numbered activation buffers and a
 * flat list of operations. `src/arch` writes it, the native engine runs it, and neither knows the
 * other.
 *
 * Notation: T is the number of tokens in a ragged batch (the texts one after another, no
 * padding), B the number of texts. A token buffer is a row-major `[T, width]` matrix of float32,
 * a text buffer `[B, width]`. A matrix tensor of shape `[columns, rows]` computes
 * `dst[t, r] = Σ_c W[r, c] src[t, c]`.
 */
export interface Plan {
  readonly weights: readonly Weight[];
  readonly buffers: readonly Buffer[];
  readonly operations: readonly Operation[];
  /** For each layer the index of its last operation, which writes the residual stream. */
  readonly layerEnds: readonly number[];
  /** Longest text, in tokens, that the plan can run. */
  readonly contextLength: number;
  readonly vocabSize: number;
  /**
   * Types that a token can have, 1 or more: where the engine takes ids, token `id` of type `type`
   * is `type · vocabSize + id`.
   */
  readonly typeCount: number;
  /** Width of the pooled embedding; of a reranker, of what its head gives for a pair. */
  readonly embeddingSize: number;
  /** Width of token-level vectors: the source of the `pool` operation. */
  readonly hiddenSize: number;
  readonly pooling: ModelPooling;
  readonly precision: Precision;
}

export type ActivationKind = "gelu_erf" | "gelu_tanh" | "silu" | "tanh";

/**
 * What makes one vector of a text's tokens: their mean, the first (`"cls"`) or the last of them.
 * `"none"` leaves a vector for each.
 */
export type Pooling = "none" | "mean" | "cls" | "last";

/** What a model makes of a text: vectors, or with `"rank"` the score of a query and a document. */
export type ModelPooling = Pooling | "rank";

/**
 * How int8 matmuls see their input. `default`: in one int8 plane, and in two where that costs
 * little and helps most. `high`: in two, and weights exactly as the file has them, which takes
 * twice the work and leaves an error near that of float32.
 */
export type Precision = "default" | "high";

/**
 * - `matrix`: multiplied with; the parts are stacked by rows and have one packed form and column
 *   count.
 * - `vector`: added or scaled with; float parts laid one after another.
 * - `table`: rows are looked up by id or position and never copied as a whole.
 */
export interface Weight {
  readonly kind: "matrix" | "vector" | "table";
  readonly parts: readonly TensorInfo[];
  /** Rows over all parts; 1 for a vector. */
  readonly rows: number;
  /** Columns of a row; the total length for a vector. */
  readonly columns: number;
}

/**
 * `keys` buffers hold K transposed for attention: `[group of 16 tokens][columns][16]`, each text
 * padded to whole groups.
 */
export interface Buffer {
  readonly rows: "tokens" | "texts" | "keys";
  readonly width: number;
  /** Some operation reads it as float32. */
  readonly float: boolean;
  /**
   * int8 planes of the form that int8 matmuls read, quantised in blocks of 32 columns by whoever
   * writes it; 0 when none reads it. The first plane holds 8 bits of each value, both hold 16.
   */
  readonly quantized: 0 | 1 | 2;
}

/** Index into `Plan.weights`. */
export type WeightId = number;
/** Index into `Plan.buffers`. */
export type BufferId = number;

export type Operation =
  | {
      /** `dst[t] = scale · table[ids[t]]`, whatever the token's type */
      readonly op: "embed";
      readonly table: WeightId;
      readonly dst: BufferId;
      readonly scale: number;
    }
  | {
      /** `dst[t] += table[offset + position of t in its text]` */
      readonly op: "add_position";
      readonly table: WeightId;
      readonly dst: BufferId;
      readonly offset: number;
    }
  | {
      /** `dst[t] += table[row]`; BERT's token type, where all have the same */
      readonly op: "add_row";
      readonly table: WeightId;
      readonly dst: BufferId;
      readonly row: number;
    }
  | {
      /** `dst[t] += table[type of t]` */
      readonly op: "add_type";
      readonly table: WeightId;
      readonly dst: BufferId;
    }
  | {
      /**
       * `dst = residual + weight · src / sqrt(mean(src²) + eps)`; `dst` may be `src` or `residual`.
       * Then `next.dst = next.weight · dst / sqrt(mean(dst²) + eps)`, into another buffer.
       */
      readonly op: "rms_norm";
      readonly src: BufferId;
      readonly weight: WeightId;
      readonly residual?: BufferId | undefined;
      readonly dst: BufferId;
      readonly next?: { readonly weight: WeightId; readonly dst: BufferId } | undefined;
      readonly eps: number;
    }
  | {
      /** `dst = weight · (src - mean) / sqrt(variance + eps) + bias`; `dst` may be `src`. */
      readonly op: "layer_norm";
      readonly src: BufferId;
      readonly weight: WeightId;
      readonly bias: WeightId;
      readonly dst: BufferId;
      readonly eps: number;
    }
  | {
      /**
       * `dst[:, column …] = W src (+ bias) (+ residual)`. `dst` is float only; `residual` has the
       * shape of `dst` and may be `dst`. Rows of an int8 W from `fineRow` on (a multiple of 16, or
       * the number of rows) see `src` in both planes, those before it in the first.
       */
      readonly op: "matmul";
      readonly src: BufferId;
      readonly matrix: WeightId;
      readonly bias?: WeightId | undefined;
      readonly residual?: BufferId | undefined;
      readonly dst: BufferId;
      readonly dstColumn: number;
      readonly fineRow: number;
    }
  | {
      /**
       * `dst = f(W src (+ bias))`. Gated: W has the rows of gate and then those of up, and
       * `dst = f(gate) · up`. The width of `dst` is a multiple of 32. `fineRow` as with `matmul`.
       */
      readonly op: "activated_matmul";
      readonly src: BufferId;
      readonly matrix: WeightId;
      readonly bias?: WeightId | undefined;
      readonly dst: BufferId;
      readonly fineRow: number;
      readonly kind: ActivationKind;
      readonly gated: boolean;
    }
  | {
      /** Gives a float buffer its quantised form. */
      readonly op: "quantize";
      readonly buffer: BufferId;
    }
  | {
      /**
       * Prepares Q, K and V, which lie side by side in `src` as `[q heads | k heads | v heads]`:
       * RMS norm of each Q and K head (when the weights are given), NeoX rotary embedding with
       * θ_i = ropeBase^(-2i/headSize) (when `ropeBase` > 0), Q scaled, K written to `keys`.
       */
      readonly op: "prepare_heads";
      readonly src: BufferId;
      readonly keys: BufferId;
      readonly queryNorm?: WeightId | undefined;
      readonly keyNorm?: WeightId | undefined;
      readonly eps: number;
      readonly headCount: number;
      readonly headCountKv: number;
      readonly headSize: number;
      readonly ropeBase: number;
      readonly queryScale: number;
    }
  | {
      /**
       * Softmax attention inside each text, over `src` and `keys` as `prepare_heads` left them.
       * Token i sees token j when |i - j| ≤ reach (reach 0: the whole text) and, if causal,
       * j ≤ i.
       */
      readonly op: "attention";
      readonly src: BufferId;
      readonly keys: BufferId;
      readonly dst: BufferId;
      readonly headCount: number;
      readonly headCountKv: number;
      readonly headSize: number;
      readonly reach: number;
      readonly causal: boolean;
    }
  | {
      /**
       * `dst = f(src)`. Gated: `src` is `[gate | up]`, twice as wide as `dst`,
       * and `dst = f(gate) · up`.
       */
      readonly op: "activation";
      readonly src: BufferId;
      readonly dst: BufferId;
      readonly kind: ActivationKind;
      readonly gated: boolean;
    }
  | {
      /** Token rows to one row a text. `none` passes for `mean` when pooled output is wanted. */
      readonly op: "pool";
      readonly src: BufferId;
      readonly dst: BufferId;
      readonly kind: Pooling;
    }
  | {
      /**
       * Last: cuts to the call's dimensions, normalises by L2 if asked, checks for finite values.
       */
      readonly op: "output";
      readonly src: BufferId;
    };

export type Matmul = Extract<Operation, { op: "matmul" | "activated_matmul" }>;

/** Whether an operation multiplies with a matrix. */
export function isMatmul(operation: Operation): operation is Matmul {
  return operation.op === "matmul" || operation.op === "activated_matmul";
}

/** The types of tensor that the engine multiplies with float activations. */
export const FLOAT_TYPES: ReadonlySet<GgmlTypeName> = new Set(["F32", "F16", "BF16"]);
/** The types that it packs as int8, and multiplies with int8 activations. */
export const INT8_TYPES: ReadonlySet<GgmlTypeName> = new Set([
  ...([
    "Q8_0",
    "Q6_K",
    "Q5_K",
    "Q5_1",
    "Q5_0",
    "Q4_K",
    "Q4_1",
    "Q4_0",
    "IQ4_NL",
    "IQ4_XS",
  ] as const),
  ...(["Q3_K", "Q2_K"] as const),
]);

/** What a matrix becomes in memory: parts of one form can be one matrix. */
export type PackedForm = "int8" | GgmlTypeName;

export function packedForm(type: GgmlTypeName): PackedForm {
  return INT8_TYPES.has(type) ? "int8" : type;
}
