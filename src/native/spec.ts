import type { Buffer, Matmul, Operation, Plan, Weight } from "../arch/plan.ts";
import { GGML_TYPES } from "../gguf/types.ts";
import * as abi from "./abi.ts";
import { type Values, writeStruct } from "./struct.ts";

export interface LoadSettings {
  /** As the tensors of the plan count them. */
  readonly paths: readonly string[];
  readonly threads: number;
  readonly parallelism: keyof typeof abi.Parallelism;
  /** Index into `VARIANTS`, or `NONE` for the best. */
  readonly variant: number;
  /** Most tokens in one batch; at least the context length. */
  readonly tokenCapacity: number;
}

type OperationValues = Values<typeof abi.Operation>;

/** Lays a plan out as the native side reads it: a header, then its arrays, then the paths. */
export function encodeLoadSpec(plan: Plan, settings: LoadSettings): Uint8Array {
  const parts = plan.weights.flatMap((weight) => weight.parts);
  // No path has a NUL character.
  const paths = new TextEncoder().encode(settings.paths.join("\0"));
  const weightOffset = abi.LoadSpec.$size;
  const partOffset = weightOffset + plan.weights.length * abi.Weight.$size;
  const bufferOffset = partOffset + parts.length * abi.Part.$size;
  const operationOffset = bufferOffset + plan.buffers.length * abi.Buffer.$size;
  const pathsOffset = operationOffset + plan.operations.length * abi.Operation.$size;
  const bytes = new Uint8Array(new ArrayBuffer(pathsOffset + paths.length));
  const view = new DataView(bytes.buffer);

  writeStruct(view, 0, abi.LoadSpec, {
    size: abi.LoadSpec.$size,
    abi_version: abi.ABI_VERSION,
    variant: settings.variant,
    threads: settings.threads,
    parallelism: abi.Parallelism[settings.parallelism],
    context_length: plan.contextLength,
    vocab_size: plan.vocabSize,
    type_count: plan.typeCount,
    embedding_size: plan.embeddingSize,
    hidden_size: plan.hiddenSize,
    token_capacity: settings.tokenCapacity,
    exact_weights: Number(plan.precision === "high"),
    weight_count: plan.weights.length,
    weight_offset: weightOffset,
    part_count: parts.length,
    part_offset: partOffset,
    buffer_count: plan.buffers.length,
    buffer_offset: bufferOffset,
    operation_count: plan.operations.length,
    operation_offset: operationOffset,
    paths_length: paths.length,
    paths_offset: pathsOffset,
  });
  writeWeights(view, weightOffset, partOffset, plan.weights);
  plan.buffers.forEach((buffer, i) => {
    writeStruct(view, bufferOffset + i * abi.Buffer.$size, abi.Buffer, bufferValues(buffer));
  });
  plan.operations.forEach((operation, i) => {
    const at = operationOffset + i * abi.Operation.$size;
    writeStruct(view, at, abi.Operation, { ...EMPTY, ...operationValues(operation) });
  });
  bytes.set(paths, pathsOffset);
  return bytes;
}

function writeWeights(
  view: DataView,
  weightOffset: number,
  partOffset: number,
  weights: readonly Weight[],
): void {
  let part = 0;
  weights.forEach((weight, i) => {
    writeStruct(view, weightOffset + i * abi.Weight.$size, abi.Weight, {
      kind: abi.WeightKind[weight.kind],
      part_begin: part,
      part_count: weight.parts.length,
      rows: weight.rows,
      columns: weight.columns,
    });
    for (const tensor of weight.parts) {
      const elements = tensor.shape.reduce((product, n) => product * n, 1);
      writeStruct(view, partOffset + part * abi.Part.$size, abi.Part, {
        offset: tensor.offset,
        byte_length: tensor.byteLength,
        type: GGML_TYPES[tensor.type],
        // Of a vector, the native side wants its length.
        rows: weight.kind === "vector" ? elements : elements / weight.columns,
        file: tensor.file,
        reserved: 0,
      });
      part += 1;
    }
  });
}

function bufferValues(buffer: Buffer): Values<typeof abi.Buffer> {
  return {
    rows: abi.RowKind[buffer.rows],
    width: buffer.width,
    float: Number(buffer.float),
    quantized: buffer.quantized,
  };
}

const EMPTY: OperationValues = {
  code: abi.NONE,
  src: abi.NONE,
  dst: abi.NONE,
  weight: abi.NONE,
  second: abi.NONE,
  residual: abi.NONE,
  keys: abi.NONE,
  kind: 0,
  value: 0,
  flag: 0,
  head_count: 0,
  head_count_kv: 0,
  head_size: 0,
  fine_row: 0,
  number: 0,
  rope_base: 0,
  query_scale: 1,
};

function operationValues(operation: Operation): Partial<OperationValues> {
  const code = abi.OperationCode[operation.op];
  switch (operation.op) {
    case "embed":
      return { code, weight: operation.table, dst: operation.dst, number: operation.scale };
    case "add_position":
      return { code, weight: operation.table, dst: operation.dst, value: operation.offset };
    case "add_row":
      return { code, weight: operation.table, dst: operation.dst, value: operation.row };
    case "add_type":
      return { code, weight: operation.table, dst: operation.dst };
    case "rms_norm":
      return {
        code,
        src: operation.src,
        dst: operation.dst,
        weight: operation.weight,
        residual: operation.residual ?? abi.NONE,
        second: operation.next?.weight ?? abi.NONE,
        keys: operation.next?.dst ?? abi.NONE,
        number: operation.eps,
      };
    case "layer_norm":
      return {
        code,
        src: operation.src,
        dst: operation.dst,
        weight: operation.weight,
        second: operation.bias,
        number: operation.eps,
      };
    case "matmul":
      return {
        code,
        ...productValues(operation),
        residual: operation.residual ?? abi.NONE,
        value: operation.dstColumn,
      };
    case "activated_matmul":
      return {
        code,
        ...productValues(operation),
        kind: abi.ActivationKind[operation.kind],
        flag: Number(operation.gated),
      };
    case "quantize":
      return { code, dst: operation.buffer };
    case "prepare_heads":
      return {
        code,
        src: operation.src,
        keys: operation.keys,
        weight: operation.queryNorm ?? abi.NONE,
        second: operation.keyNorm ?? abi.NONE,
        head_count: operation.headCount,
        head_count_kv: operation.headCountKv,
        head_size: operation.headSize,
        number: operation.eps,
        rope_base: operation.ropeBase,
        query_scale: operation.queryScale,
      };
    case "attention":
      return {
        code,
        src: operation.src,
        keys: operation.keys,
        dst: operation.dst,
        head_count: operation.headCount,
        head_count_kv: operation.headCountKv,
        head_size: operation.headSize,
        value: operation.reach,
        flag: Number(operation.causal),
      };
    case "activation":
      return {
        code,
        src: operation.src,
        dst: operation.dst,
        kind: abi.ActivationKind[operation.kind],
        flag: Number(operation.gated),
      };
    case "pool":
      return {
        code,
        src: operation.src,
        dst: operation.dst,
        kind: abi.Pooling[operation.kind === "none" ? "mean" : operation.kind],
      };
    case "output":
      return { code, src: operation.src };
  }
}

function productValues({ src, dst, matrix, bias, fineRow }: Matmul): Partial<OperationValues> {
  return { src, dst, weight: matrix, second: bias ?? abi.NONE, fine_row: fineRow };
}
