import { ok as assert } from "node:assert/strict";
import { accessOf } from "./access.ts";
import type { Buffer, BufferId, Operation, Weight } from "./plan.ts";
import { isMatmul, packedForm } from "./plan.ts";

/** A buffer before the plan is complete: who reads it, and so its forms, is not known yet. */
export type BufferShape = Pick<Buffer, "rows" | "width">;

/** Whether a matmul with this matrix reads its input quantised. */
export function readsQuantized(matrix: Weight): boolean {
  assert(matrix.kind === "matrix");
  // Parts of one matrix have one form.
  return packedForm(matrix.parts[0]!.type) === "int8";
}

/**
 * Puts a `quantize` before each int8 matmul whose input was last written as float32 only: by
 * another matmul (dense_2 → dense_3), say.
 */
export function insertQuantize(
  operations: readonly Operation[],
  weights: readonly Weight[],
): Operation[] {
  const result: Operation[] = [];
  const floatOnly = new Set<BufferId>();
  for (const operation of operations) {
    if (isMatmul(operation) && floatOnly.has(operation.src)) {
      if (readsQuantized(weights[operation.matrix]!)) {
        result.push({ op: "quantize", buffer: operation.src });
        floatOnly.delete(operation.src);
      }
    }
    result.push(operation);
    const access = accessOf(operation);
    for (const buffer of access.writes) {
      if (access.writesAllForms) floatOnly.delete(buffer);
      else floatOnly.add(buffer);
    }
  }
  return result;
}

/**
 * Gives every buffer the forms that its readers need: `quantized` when an int8 matmul reads it,
 * `float` when anything else does. A form that nobody reads costs workspace and time.
 * Two planes where one matmul reads both; others may read the first alone.
 */
export function assignForms(
  shapes: readonly BufferShape[],
  weights: readonly Weight[],
  operations: readonly Operation[],
): Buffer[] {
  const float = new Set<BufferId>();
  const planes = shapes.map((): Buffer["quantized"] => 0);
  const written = new Set<BufferId>();
  for (const operation of operations) {
    const { reads, multiplied, writes } = accessOf(operation);
    for (const buffer of reads) {
      assert(written.has(buffer), `${operation.op} reads buffer ${buffer} before it is written`);
      float.add(buffer);
    }
    if (multiplied !== undefined) {
      assert(isMatmul(operation) && written.has(multiplied));
      const matrix = weights[operation.matrix]!;
      if (!readsQuantized(matrix)) float.add(multiplied);
      else if (operation.fineRow < matrix.rows) planes[multiplied] = 2;
      else planes[multiplied] ||= 1;
    }
    // Pooling adds up in its target, whoever reads that.
    if (operation.op === "pool") float.add(operation.dst);
    for (const buffer of writes) written.add(buffer);
  }
  return shapes.map((shape, id) => {
    const buffer = { ...shape, float: float.has(id), quantized: planes[id]! };
    assert(buffer.float || buffer.quantized > 0, `nothing reads buffer ${id}`);
    return buffer;
  });
}
