import type { Buffer, BufferId } from "../../src/arch/plan.ts";

/** What a buffer holds, and which of its forms are up to date. */
interface State {
  readonly rows: readonly Float64Array[];
  readonly float: boolean;
  readonly quantized: boolean;
}

/**
 * The activation buffers of a plan in float64. Reading a form that no operation has brought up to
 * date is an error: that is how plans that lack a form or a `quantize` are found out.
 */
export class Activations {
  readonly #buffers: readonly Buffer[];
  readonly #int8: boolean;
  readonly #states: State[];

  /** With `int8`, quantised forms are rounded as the engine rounds them. */
  constructor(
    buffers: readonly Buffer[],
    counts: { readonly tokens: number; readonly texts: number },
    int8: boolean,
  ) {
    this.#buffers = buffers;
    this.#int8 = int8;
    this.#states = buffers.map(({ rows, width }) => {
      const length = rows === "texts" ? counts.texts : counts.tokens;
      const unset = () => new Float64Array(width).fill(Number.NaN);
      return { rows: Array.from({ length }, unset), float: false, quantized: false };
    });
  }

  float(buffer: BufferId): readonly Float64Array[] {
    const { rows, float } = this.#states[buffer]!;
    if (!float) throw new Error(`buffer ${buffer} has no float form that is up to date`);
    return rows;
  }

  /** As its first plane alone holds it, or both. */
  quantized(buffer: BufferId, planes: 1 | 2): readonly Float64Array[] {
    const { rows, quantized } = this.#states[buffer]!;
    if (!quantized) throw new Error(`buffer ${buffer} has no quantised form that is up to date`);
    const has = this.#buffers[buffer]!.quantized;
    if (has < planes) throw new Error(`buffer ${buffer} has no second plane`);
    if (!this.#int8) return rows;
    if (has === 1) return rows.map((row) => roundBlocks(row, INT8_MAX, 1));
    return rows.map((row) => roundBlocks(row, JOINED_MAX, planes === 1 ? PLANE_BASE : 1));
  }

  /** For operations that write float32 only. */
  writeFloat(buffer: BufferId, rows: readonly Float64Array[]): void {
    if (!this.#buffers[buffer]!.float) throw new Error(`buffer ${buffer} has no float form`);
    this.#write(buffer, { rows, float: true, quantized: false });
  }

  /** The same for some columns; the others keep what they hold. */
  writeColumns(buffer: BufferId, column: number, rows: readonly Float64Array[]): void {
    const whole = this.#states[buffer]!.rows.map((row) => row.slice());
    for (const [t, row] of rows.entries()) whole[t]!.set(row, column);
    this.writeFloat(buffer, whole);
  }

  /** For operations that write every form that the buffer has. */
  write(buffer: BufferId, rows: readonly Float64Array[]): void {
    const { float, quantized } = this.#buffers[buffer]!;
    this.#write(buffer, { rows, float, quantized: quantized > 0 });
  }

  #write(buffer: BufferId, state: State): void {
    const { width } = this.#buffers[buffer]!;
    const count = this.#states[buffer]!.rows.length;
    if (state.rows.length !== count || state.rows.some((row) => row.length !== width)) {
      throw new Error(`buffer ${buffer} is written with another shape`);
    }
    this.#states[buffer] = state;
  }
}

const INT8_MAX = 127;
/** Two int8 planes are `255 · first + second`. */
const PLANE_BASE = 255;
const JOINED_MAX = PLANE_BASE * INT8_MAX;

/**
 * Blocks of 32: scale = max|x| / steps in float32, then round half to even; and then to a
 * multiple of so many scales.
 */
function roundBlocks(row: Float64Array, steps: number, multiple: number): Float64Array {
  const result = new Float64Array(row.length);
  for (let start = 0; start < row.length; start += 32) {
    const block = row.subarray(start, start + 32);
    const unit = Math.fround(Math.max(...block.map(Math.abs)) / steps);
    for (const [i, value] of block.entries()) {
      const number = unit === 0 ? 0 : roundHalfToEven(value / unit);
      result[start + i] = unit * multiple * Math.round(number / multiple);
    }
  }
  return result;
}

function roundHalfToEven(x: number): number {
  const rounded = Math.round(x);
  return Math.abs(x - Math.trunc(x)) === 0.5 ? 2 * Math.round(x / 2) : rounded;
}
