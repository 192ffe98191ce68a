/** What an operation of a plan is called in a profile, and what it has to do. */
import {
  type ActivationKind,
  type Buffer,
  INT8_TYPES,
  isMatmul,
  type Operation,
  type Plan,
} from "../../src/arch/plan.ts";
import type { GgmlTypeName } from "../../src/gguf/types.ts";

/** What one execution on one batch costs at least. */
export interface Cost {
  /** Multiply-adds of bytes: those of a row that sees its source in two int8 planes count twice. */
  readonly int8: number;
  /** Multiply-adds of float32. */
  readonly float: number;
  /** Bytes of packed weights, each read once. */
  readonly weightBytes: number;
}

const NOTHING: Cost = { int8: 0, float: 0, weightBytes: 0 };
/** Rows of a matrix that are packed together. */
const GROUP_ROWS = 16;
/** A float16 scale for each 32 bytes. */
const INT8_BYTES = 1 + 2 / 32;
const FLOAT_BYTES: Partial<Record<GgmlTypeName, number>> = { F32: 4, F16: 2, BF16: 2 };

/** Operations of one label do the same work on other weights. */
export function labelOf(plan: Plan, operation: Operation): string {
  const width = (buffer: number) => bufferOf(plan, buffer).width;
  switch (operation.op) {
    case "matmul":
    case "activated_matmul": {
      const { columns, rows } = plan.weights[operation.matrix]!;
      const then = operation.op === "matmul" ? "" : `, ${activationLabel(operation)}`;
      const what = `matmul ${columns}→${rows} ${matrixType(plan, operation.matrix)}${then}`;
      return hasTokens(plan, operation.src) ? what : `${what}, of texts`;
    }
    case "attention": {
      const { headCount, headCountKv, headSize, reach } = operation;
      const near = reach === 0 ? "" : `, reach ${reach}`;
      return `attention ${headCount}·${headCountKv}×${headSize}${near}`;
    }
    case "prepare_heads":
      return `prepare_heads ${operation.headCount}·${operation.headCountKv}×${operation.headSize}`;
    case "activation":
      return `${activationLabel(operation)} ${width(operation.dst)}`;
    case "quantize":
      return `quantize ${width(operation.buffer)}`;
    case "output":
      return `output ${width(operation.src)}`;
    default:
      return `${operation.op} ${width(operation.dst)}`;
  }
}

function activationLabel({ kind, gated }: { kind: ActivationKind; gated: boolean }): string {
  return gated ? `gated ${kind}` : kind;
}

/** For a batch of texts of so many tokens each. */
export function costOf(plan: Plan, operation: Operation, lengths: ArrayLike<number>): Cost {
  if (operation.op === "attention") {
    const { headCount, headSize, reach, causal } = operation;
    const pairs = sum(lengths, (length) => visiblePairs(length, reach, causal));
    return { ...NOTHING, float: 2 * pairs * headCount * headSize };
  }
  if (!isMatmul(operation)) return NOTHING;
  const { columns, rows } = plan.weights[operation.matrix]!;
  const sources = hasTokens(plan, operation.src)
    ? sum(lengths, (length) => length)
    : lengths.length;
  const cells = Math.ceil(rows / GROUP_ROWS) * GROUP_ROWS * columns;
  const type = matrixType(plan, operation.matrix);
  if (!INT8_TYPES.has(type)) {
    const weightBytes = cells * (FLOAT_BYTES[type] ?? 4);
    return { int8: 0, float: sources * rows * columns, weightBytes };
  }
  const planes = bufferOf(plan, operation.src).quantized;
  const rowPlanes = operation.fineRow + (rows - operation.fineRow) * planes;
  return { int8: sources * rowPlanes * columns, float: 0, weightBytes: cells * INT8_BYTES };
}

/** Pairs of tokens of which the first sees the second. */
export function visiblePairs(length: number, reach: number, causal: boolean): number {
  let pairs = 0;
  for (let i = 0; i < length; i++) {
    const before = reach === 0 ? i : Math.min(i, reach);
    const behind = reach === 0 ? length - 1 - i : Math.min(length - 1 - i, reach);
    pairs += before + 1 + (causal ? 0 : behind);
  }
  return pairs;
}

function matrixType(plan: Plan, matrix: number): GgmlTypeName {
  return plan.weights[matrix]!.parts[0]!.type;
}

/** A row for each token rather than for each text. */
function hasTokens(plan: Plan, buffer: number): boolean {
  return bufferOf(plan, buffer).rows === "tokens";
}

function bufferOf(plan: Plan, index: number): Buffer {
  return plan.buffers[index]!;
}

function sum(values: ArrayLike<number>, of: (value: number) => number): number {
  return Array.from(values).reduce((total, value) => total + of(value), 0);
}
