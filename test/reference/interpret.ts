/**
 * Runs a plan in float64, operation by operation, straight from the definitions in
 * `src/arch/plan.ts`: proves plans right without the engine, and says what the engine should give.
 */
import type { Operation, Plan } from "../../src/arch/plan.ts";
import { INT8_TYPES } from "../../src/arch/plan.ts";
import { Activations } from "./activations.ts";
import {
  add,
  dot,
  geluErf,
  geluTanh,
  layerNorm,
  linear,
  multiply,
  normalize,
  rmsNorm,
  rope,
  scale,
  silu,
  softmax,
} from "./math.ts";
import type { ReferenceTensors } from "./tensors.ts";

export interface InterpretOptions {
  /** Round the activations of int8 matmuls as the engine does. Default: float64 throughout. */
  readonly int8?: boolean;
  /** Vectors of tokens (the source of `pool`), not normalised, instead of vectors of texts. */
  readonly tokenLevel?: boolean;
}

/** The rows of a ragged batch: one a text, L2-normalised but of rerankers, or one a token. */
export function interpret(
  plan: Plan,
  tensors: ReferenceTensors,
  texts: readonly ArrayLike<number>[],
  options: InterpretOptions = {},
): readonly Float64Array[] {
  const tokens = layOut(texts, plan.vocabSize);
  const counts = { tokens: tokens.length, texts: texts.length };
  const buffers = new Activations(plan.buffers, counts, options.int8 ?? false);
  const run: Run = { plan, tensors, tokens, buffers };
  for (const operation of plan.operations) {
    if (operation.op === "pool" && options.tokenLevel) return buffers.float(operation.src);
    if (operation.op === "output") {
      const rows = buffers.float(operation.src);
      return plan.pooling === "rank" ? rows : rows.map(normalize);
    }
    step(run, operation);
  }
  throw new Error("the plan has no output");
}

interface Token {
  readonly id: number;
  readonly type: number;
  /** In its text. */
  readonly position: number;
  /** Where its text begins and ends in the batch. */
  readonly begin: number;
  readonly end: number;
}

interface Run {
  readonly plan: Plan;
  readonly tensors: ReferenceTensors;
  readonly tokens: readonly Token[];
  readonly buffers: Activations;
}

type Of<Op extends Operation["op"]> = Extract<Operation, { op: Op }>;

function layOut(texts: readonly ArrayLike<number>[], vocabSize: number): Token[] {
  const tokens: Token[] = [];
  for (const ids of texts) {
    const begin = tokens.length;
    const end = begin + ids.length;
    const ofText = Array.from(ids, (typed, position) => {
      const type = Math.floor(typed / vocabSize);
      return { id: typed - type * vocabSize, type, position, begin, end };
    });
    tokens.push(...ofText);
  }
  return tokens;
}

function step(run: Run, operation: Operation): void {
  switch (operation.op) {
    case "embed":
      embed(run, operation);
      break;
    case "add_position":
      addRows(run, operation, ({ position }) => operation.offset + position);
      break;
    case "add_row":
      addRows(run, operation, () => operation.row);
      break;
    case "add_type":
      addRows(run, operation, ({ type }) => type);
      break;
    case "rms_norm":
      runRmsNorm(run, operation);
      break;
    case "layer_norm":
      runLayerNorm(run, operation);
      break;
    case "matmul":
      matmul(run, operation);
      break;
    case "activated_matmul":
      activatedMatmul(run, operation);
      break;
    case "quantize":
      run.buffers.write(operation.buffer, run.buffers.float(operation.buffer));
      break;
    case "prepare_heads":
      prepareHeads(run, operation);
      break;
    case "attention":
      attention(run, operation);
      break;
    case "activation":
      activation(run, operation);
      break;
    case "pool":
      pool(run, operation);
      break;
    case "output":
      throw new Error("output ends a plan");
  }
}

function embed(run: Run, op: Of<"embed">): void {
  const rows = run.tokens.map(({ id }) => scale(tableRow(run, op.table, id), op.scale));
  run.buffers.writeFloat(op.dst, rows);
}

function addRows(
  run: Run,
  { table, dst }: Of<"add_position"> | Of<"add_row"> | Of<"add_type">,
  rowOf: (token: Token) => number,
): void {
  const before = run.buffers.float(dst);
  const rows = run.tokens.map((token, t) => add(before[t]!, tableRow(run, table, rowOf(token))));
  run.buffers.writeFloat(dst, rows);
}

function runRmsNorm(run: Run, { src, weight, residual, dst, next, eps }: Of<"rms_norm">): void {
  const weights = values(run, weight);
  const normed = run.buffers.float(src).map((row) => rmsNorm(row, weights, eps));
  const before = residual === undefined ? undefined : run.buffers.float(residual);
  const rows = before === undefined ? normed : normed.map((row, t) => add(before[t]!, row));
  run.buffers.write(dst, rows);
  if (next === undefined) return;
  const nextWeights = values(run, next.weight);
  run.buffers.write(
    next.dst,
    rows.map((row) => rmsNorm(row, nextWeights, eps)),
  );
}

function runLayerNorm(run: Run, { src, weight, bias, dst, eps }: Of<"layer_norm">): void {
  const [weights, biases] = [values(run, weight), values(run, bias)];
  const rows = run.buffers.float(src).map((row) => layerNorm(row, weights, biases, eps));
  run.buffers.write(dst, rows);
}

function matmul(run: Run, { residual, dst, dstColumn, ...op }: Of<"matmul">): void {
  const before = residual === undefined ? undefined : run.buffers.float(residual);
  const rows = products(run, op).map((product, t) => {
    if (before === undefined) return product;
    return add(product, before[t]!.subarray(dstColumn, dstColumn + product.length));
  });
  run.buffers.writeColumns(dst, dstColumn, rows);
}

/** `W src (+ bias)` */
function products(
  run: Run,
  { src, matrix, bias, fineRow }: Pick<Of<"matmul">, "src" | "matrix" | "bias" | "fineRow">,
): Float64Array[] {
  const { columns, rows, parts } = run.plan.weights[matrix]!;
  const isInt8 = INT8_TYPES.has(parts[0]!.type);
  const input = (planes: 1 | 2) =>
    isInt8 ? run.buffers.quantized(src, planes) : run.buffers.float(src);
  const coarse = input(fineRow > 0 ? 1 : 2);
  const fine = input(fineRow < rows ? 2 : 1);
  if (fine[0]!.length !== columns) throw new Error("a matmul's input has other columns");
  const weights = values(run, matrix);
  const upper = weights.subarray(0, fineRow * columns);
  const lower = weights.subarray(fineRow * columns);
  return fine.map((row, t) => {
    const product = new Float64Array(rows);
    product.set(linear(upper, coarse[t]!));
    product.set(linear(lower, row), fineRow);
    return bias === undefined ? product : add(product, values(run, bias));
  });
}

function prepareHeads(run: Run, op: Of<"prepare_heads">): void {
  const { headCount, headCountKv, headSize } = op;
  const keysBegin = headCount * headSize;
  const keysEnd = keysBegin + headCountKv * headSize;
  const prepared = run.buffers.float(op.src).map((row, t) => {
    const copy = row.slice();
    for (let start = 0; start < keysEnd; start += headSize) {
      const norm = start < keysBegin ? op.queryNorm : op.keyNorm;
      let head: Float64Array = row.slice(start, start + headSize);
      if (norm !== undefined) head = rmsNorm(head, values(run, norm), op.eps);
      if (op.ropeBase > 0) head = rope(head, run.tokens[t]!.position, op.ropeBase);
      copy.set(start < keysBegin ? scale(head, op.queryScale) : head, start);
    }
    return copy;
  });
  run.buffers.writeFloat(
    op.keys,
    prepared.map((row) => row.slice(keysBegin, keysEnd)),
  );
  // Attention takes K from `keys`: nothing of use is left in its old place.
  for (const row of prepared) row.fill(Number.NaN, keysBegin, keysEnd);
  run.buffers.writeFloat(op.src, prepared);
}

function attention(run: Run, op: Of<"attention">): void {
  const { headCount, headCountKv, headSize } = op;
  const rows = run.buffers.float(op.src);
  const keys = run.buffers.float(op.keys);
  const mixed = rows.map((row, i) => {
    const { begin, end } = run.tokens[i]!;
    const first = op.reach === 0 ? begin : Math.max(begin, i - op.reach);
    const afterReach = op.reach === 0 ? end : Math.min(end, i + op.reach + 1);
    const after = op.causal ? i + 1 : afterReach;
    const result = new Float64Array(headCount * headSize);
    for (let h = 0; h < headCount; h++) {
      const group = Math.floor((h * headCountKv) / headCount);
      const query = row.subarray(h * headSize, (h + 1) * headSize);
      const scores = keys
        .slice(first, after)
        .map((key) => dot(query, key.subarray(group * headSize, (group + 1) * headSize)));
      const valueAt = (headCount + headCountKv + group) * headSize;
      for (const [n, weight] of softmax(Float64Array.from(scores)).entries()) {
        const value = rows[first + n]!;
        for (let c = 0; c < headSize; c++)
          result[h * headSize + c]! += weight * value[valueAt + c]!;
      }
    }
    return result;
  });
  run.buffers.write(op.dst, mixed);
}

const ACTIVATIONS = { gelu_erf: geluErf, gelu_tanh: geluTanh, silu, tanh: Math.tanh };

function activation(run: Run, op: Of<"activation">): void {
  run.buffers.write(op.dst, activated(run.buffers.float(op.src), op));
}

function activatedMatmul(run: Run, op: Of<"activated_matmul">): void {
  run.buffers.write(op.dst, activated(products(run, op), op));
}

function activated(
  rows: readonly Float64Array[],
  { kind, gated }: Pick<Of<"activation">, "kind" | "gated">,
): Float64Array[] {
  const f = ACTIVATIONS[kind];
  return rows.map((row) => {
    if (!gated) return row.map(f);
    const half = row.length / 2;
    return multiply(row.slice(0, half).map(f), row.slice(half));
  });
}

function pool(run: Run, { src, dst, kind }: Of<"pool">): void {
  const rows = run.buffers.float(src);
  const firsts = run.tokens.filter(({ position }) => position === 0);
  const pooled = firsts.map(({ begin, end }) => {
    if (kind === "cls") return rows[begin]!;
    if (kind === "last") return rows[end - 1]!;
    return scale(rows.slice(begin, end).reduce(add), 1 / (end - begin));
  });
  run.buffers.write(dst, pooled);
}

function tableRow({ plan, tensors }: Run, table: number, row: number): Float32Array {
  return tensors.row(plan.weights[table]!.parts[0]!.name, row);
}

/** All values of a weight, its parts one after another. */
function values({ plan, tensors }: Run, weight: number): Float32Array {
  const parts = plan.weights[weight]!.parts.map(({ name }) => tensors.all(name));
  if (parts.length === 1) return parts[0]!;
  const whole = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
