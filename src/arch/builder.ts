import { ok as assert } from "node:assert/strict";
import type { GgufFile, TensorInfo } from "../gguf/types.ts";
import { assignForms, type BufferShape, insertQuantize } from "./forms.ts";
import type {
  ActivationKind,
  BufferId,
  Operation,
  PackedForm,
  Plan,
  Precision,
  Weight,
  WeightId,
} from "./plan.ts";
import { packedForm } from "./plan.ts";
import { type TensorRows, WeightList } from "./weights.ts";

/** The fields of one operation, without its name. */
type Fields<Op extends Operation["op"]> = Omit<Extract<Operation, { op: Op }>, "op">;

export interface MatmulFields {
  readonly src: BufferId;
  /** Stacked by rows in this order: `<name>.weight`, and `<name>.bias` if there are biases. */
  readonly parts: readonly MatmulPart[];
  readonly bias?: boolean;
  readonly residual?: BufferId;
  readonly dst: BufferId;
}

export interface MatmulPart extends TensorRows {
  /**
   * In default precision, too, it sees its input in 16 bits, and so does what is stacked after it.
   */
  readonly fine?: boolean;
}

export interface ActivatedMatmulFields
  extends Pick<MatmulFields, "src" | "parts" | "bias" | "dst"> {
  readonly kind: ActivationKind;
  readonly gated: boolean;
}

/** Rows of a packed matrix that share a vector. */
const ROWS_TOGETHER = 16;
/** The native side shares activated products out by so many columns. */
const ACTIVATED_COLUMNS = 32;

/** What a plan says of itself besides its operations. */
export interface PlanFields
  extends Omit<
    Plan,
    "weights" | "buffers" | "operations" | "layerEnds" | "precision" | "typeCount"
  > {
  /** Default 1. */
  readonly typeCount?: number;
  /** Names of tensors that a file may hold and the forward pass does not need. */
  readonly ignoredTensors: readonly string[];
}

/**
 * Collects a forward pass, so that an architecture reads as one page of operations. What a file
 * gets wrong (a tensor missing, of another shape or type, or unused) is an error that names it;
 * what an architecture gets wrong (widths that do not fit) is an assertion.
 */
export class PlanBuilder {
  readonly #weights: WeightList;
  readonly #precision: Precision;
  readonly #buffers: BufferShape[] = [];
  readonly #betweens = new Map<string, BufferId>();
  readonly #operations: Operation[] = [];
  readonly #layerEnds: Operation[] = [];

  constructor(file: GgufFile, precision: Precision = "default") {
    this.#weights = new WeightList(file);
    this.#precision = precision;
  }

  /** A buffer with one row a token. */
  tokens(width: number): BufferId {
    return this.#addBuffer({ rows: "tokens", width });
  }

  /** A buffer with one row a text. */
  texts(width: number): BufferId {
    return this.#addBuffer({ rows: "texts", width });
  }

  /** A buffer for K, transposed. */
  keys(width: number): BufferId {
    return this.#addBuffer({ rows: "keys", width });
  }

  /** A matrix whose rows are looked up. */
  table(name: string, rows: number, columns: number): WeightId {
    return this.#weights.table({ name, rows }, columns);
  }

  /** A tensor to add or multiply element by element. */
  vector(name: string, length: number): WeightId {
    return this.#weights.vector({ name, rows: length });
  }

  embed(fields: Fields<"embed">): void {
    this.#assertWidth(this.#weight(fields.table).columns, fields.dst);
    this.#operations.push({ op: "embed", ...fields });
  }

  addPosition(fields: Fields<"add_position">): void {
    this.#assertWidth(this.#weight(fields.table).columns, fields.dst);
    this.#operations.push({ op: "add_position", ...fields });
  }

  addRow(fields: Fields<"add_row">): void {
    const table = this.#weight(fields.table);
    assert(fields.row < table.rows);
    this.#assertWidth(table.columns, fields.dst);
    this.#operations.push({ op: "add_row", ...fields });
  }

  addType(fields: Fields<"add_type">): void {
    this.#assertWidth(this.#weight(fields.table).columns, fields.dst);
    this.#operations.push({ op: "add_type", ...fields });
  }

  rmsNorm(fields: Fields<"rms_norm">): void {
    const width = this.#weight(fields.weight).columns;
    this.#assertWidth(width, fields.src, fields.residual, fields.dst);
    const norm: Operation = { op: "rms_norm", ...fields };
    const before = this.#operations.at(-1);
    const both = before && joinNorms(before, norm);
    if (both === undefined) {
      this.#operations.push(norm);
    } else {
      this.#operations[this.#operations.length - 1] = both;
      if (this.#layerEnds.at(-1) === before) this.#layerEnds[this.#layerEnds.length - 1] = both;
    }
  }

  layerNorm(fields: Fields<"layer_norm">): void {
    const width = this.#weight(fields.weight).columns;
    assert(this.#weight(fields.bias).columns === width);
    this.#assertWidth(width, fields.src, fields.dst);
    this.#operations.push({ op: "layer_norm", ...fields });
  }

  /**
   * Multiplies with the stacked parts. Neighbours of one packed form are one matrix; where
   * it changes (blocks beside floats), another matmul writes the next columns.
   */
  matmul({ src, parts, bias = false, residual, dst }: MatmulFields): void {
    assert(this.#buffers[src]!.rows === this.#buffers[dst]!.rows);
    const columns = this.#buffers[src]!.width;
    let dstColumn = 0;
    for (const stack of this.#stacksOfOneForm(parts, columns)) {
      this.#operations.push({
        op: "matmul",
        src,
        ...this.#product(stack, src, bias),
        residual,
        dst,
        dstColumn,
      });
      dstColumn += stack.rows;
    }
    this.#assertWidth(dstColumn, dst, residual);
  }

  /**
   * Multiplies with the stacked parts, one or, gated, two of equal height, and activates the
   * product: in one operation where they make one matrix, otherwise in several.
   */
  activatedMatmul({ src, parts, bias = false, dst, kind, gated }: ActivatedMatmulFields): void {
    const { rows: of, width } = this.#buffers[dst]!;
    const columns = this.#buffers[src]!.width;
    const [stack, ...others] = this.#stacksOfOneForm(parts, columns);
    assert(parts.length === (gated ? 2 : 1) && parts.every(({ rows }) => rows === width));
    if (stack !== undefined && others.length === 0 && width % ACTIVATED_COLUMNS === 0) {
      const product = this.#product(stack, src, bias);
      this.#operations.push({ op: "activated_matmul", src, ...product, dst, kind, gated });
      return;
    }
    const product = this.#between({ rows: of, width: parts.length * width });
    this.matmul({ src, parts, bias, dst: product });
    this.#operations.push({ op: "activation", src: product, dst, kind, gated });
  }

  prepareHeads(fields: Fields<"prepare_heads">): void {
    const { src, keys, headCount, headCountKv, headSize, queryNorm, keyNorm } = fields;
    assert(this.#buffers[keys]!.rows === "keys");
    this.#assertWidth((headCount + 2 * headCountKv) * headSize, src);
    this.#assertWidth(headCountKv * headSize, keys);
    for (const norm of [queryNorm, keyNorm]) {
      assert(norm === undefined || this.#weight(norm).columns === headSize);
    }
    assert(headCount % headCountKv === 0 && (headSize % 2 === 0 || fields.ropeBase === 0));
    this.#operations.push({ op: "prepare_heads", ...fields });
  }

  attention(fields: Fields<"attention">): void {
    const { src, keys, dst, headCount, headCountKv, headSize } = fields;
    assert(this.#operations.at(-1)?.op === "prepare_heads");
    this.#assertWidth((headCount + 2 * headCountKv) * headSize, src);
    this.#assertWidth(headCountKv * headSize, keys);
    this.#assertWidth(headCount * headSize, dst);
    this.#operations.push({ op: "attention", ...fields });
  }

  /** Marks the operation before as a layer's last. */
  endLayer(): void {
    this.#layerEnds.push(this.#operations.at(-1)!);
  }

  pool(fields: Fields<"pool">): void {
    assert(this.#buffers[fields.src]!.rows === "tokens");
    assert(this.#buffers[fields.dst]!.rows === "texts");
    this.#assertWidth(this.#buffers[fields.src]!.width, fields.dst);
    this.#operations.push({ op: "pool", ...fields });
  }

  /**
   * Ends the plan. Throws `UNSUPPORTED` when the file holds a tensor that the plan does not use.
   */
  output(src: BufferId, { ignoredTensors, typeCount = 1, ...fields }: PlanFields): Plan {
    assert(this.#buffers[src]!.rows === "texts");
    this.#assertWidth(fields.embeddingSize, src);
    this.#operations.push({ op: "output", src });
    this.#weights.checkUnused(ignoredTensors);
    const weights = this.#weights.items;
    const operations = insertQuantize(this.#operations, weights);
    return {
      weights,
      buffers: assignForms(this.#buffers, weights, operations),
      operations,
      layerEnds: this.#layerEnds.map((operation) => operations.indexOf(operation)),
      precision: this.#precision,
      typeCount,
      ...fields,
    };
  }

  #addBuffer(shape: BufferShape): BufferId {
    assert(Number.isInteger(shape.width) && shape.width > 0);
    return this.#buffers.push(shape) - 1;
  }

  /** For what lives from one operation to the next: those of one shape share a buffer. */
  #between(shape: BufferShape): BufferId {
    const key = `${shape.rows} ${shape.width}`;
    const buffer = this.#betweens.get(key) ?? this.#addBuffer(shape);
    this.#betweens.set(key, buffer);
    return buffer;
  }

  #weight(id: WeightId): Weight {
    return this.#weights.items[id]!;
  }

  #product(stack: Stack, src: BufferId, bias: boolean) {
    const { parts, tensors, rows } = stack;
    return {
      matrix: this.#weights.matrix(tensors, rows, this.#buffers[src]!.width),
      bias: bias ? this.#weights.vector(...parts.map(biasOf)) : undefined,
      fineRow: this.#fineRow(stack, src),
    };
  }

  /**
   * Rows of texts are few beside the rows of tokens, so that 16 bits cost next to nothing, and no
   * mean over tokens evens their error out.
   */
  #fineRow({ parts, rows }: Stack, src: BufferId): number {
    if (this.#precision === "high" || this.#buffers[src]!.rows === "texts") return 0;
    const fine = parts.findIndex((part) => part.fine);
    if (fine < 0) return rows;
    const row = parts.slice(0, fine).reduce((sum, part) => sum + part.rows, 0);
    return row - (row % ROWS_TOGETHER);
  }

  #stacksOfOneForm(parts: readonly MatmulPart[], columns: number): Stack[] {
    const stacks: Stack[] = [];
    let form: PackedForm | undefined;
    for (const part of parts) {
      const tensor = this.#weights.tensor({ ...part, name: `${part.name}.weight` }, columns);
      if (packedForm(tensor.type) !== form) stacks.push({ parts: [], tensors: [], rows: 0 });
      form = packedForm(tensor.type);
      const stack = stacks.at(-1)!;
      stack.parts.push(part);
      stack.tensors.push(tensor);
      stack.rows += part.rows;
    }
    return stacks;
  }

  #assertWidth(width: number, ...buffers: readonly (BufferId | undefined)[]): void {
    for (const buffer of buffers) {
      if (buffer === undefined) continue;
      assert(this.#buffers[buffer]!.width === width, `buffer ${buffer} is not ${width} wide`);
    }
  }
}

/** Parts that make one matrix. */
interface Stack {
  readonly parts: MatmulPart[];
  readonly tensors: TensorInfo[];
  rows: number;
}

/**
 * One operation for two norms of which the second reads what the first has just written: its rows
 * are still in the first-level cache.
 */
function joinNorms(first: Operation, second: Fields<"rms_norm">): Operation | undefined {
  if (first.op !== "rms_norm" || first.next !== undefined || second.residual !== undefined) return;
  if (first.dst !== second.src || first.dst === second.dst || first.eps !== second.eps) return;
  return { ...first, next: { weight: second.weight, dst: second.dst } };
}

function biasOf(part: TensorRows): TensorRows {
  return { ...part, name: `${part.name}.bias` };
}
