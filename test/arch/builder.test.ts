import { describe, expect, test } from "bun:test";
import { PlanBuilder } from "../../src/arch/builder.ts";
import { isMatmul, type Operation, type Precision } from "../../src/arch/plan.ts";
import { GgufMetadata } from "../../src/gguf/metadata.ts";
import type { GgmlTypeName, GgufFile, TensorInfo } from "../../src/gguf/types.ts";
import { thrown } from "../gguf/rejection.ts";

/** A header with these tensors: name, type, columns and, for a matrix, rows. */
function header(...tensors: readonly [string, GgmlTypeName, ...number[]][]): GgufFile {
  const rows = tensors.map(([name, type, ...shape]): [string, TensorInfo] => [
    name,
    { name, type, shape, file: 0, offset: 0, byteLength: 0 },
  ]);
  const metadata = new GgufMetadata("model.gguf", new Map());
  const path = "model.gguf";
  const places = { version: 3, fileSize: 0, alignment: 32, dataOffset: 0 };
  return { path, paths: [path], ...places, metadata, tensors: new Map(rows) };
}

const ABOUT = {
  contextLength: 8,
  vocabSize: 10,
  embeddingSize: 32,
  hiddenSize: 32,
  pooling: "mean",
  ignoredTensors: [],
} as const;

/** Embeds, pools and multiplies with the given tensors in turn. */
function chain(file: GgufFile, ...names: readonly string[]) {
  const plan = new PlanBuilder(file);
  const x = plan.tokens(32);
  plan.embed({ table: plan.table("table", 10, 32), dst: x, scale: 1 });
  let last = plan.texts(32);
  plan.pool({ src: x, dst: last, kind: "mean" });
  for (const name of names) {
    const dst = plan.texts(32);
    plan.matmul({ src: last, parts: [{ name, rows: 32 }], dst });
    last = dst;
  }
  return { plan, finished: plan.output(last, ABOUT) };
}

function opNames(operations: readonly Operation[]): string[] {
  return operations.map(({ op }) => op);
}

describe("the forms of a buffer", () => {
  test("float where float matrices read it, without quantize", () => {
    const file = header(["table", "F16", 32, 10], ["a.weight", "F16", 32, 32]);
    const { buffers, operations } = chain(file, "a").finished;
    expect(buffers.map(({ float, quantized }) => [float, quantized])).toEqual([
      [true, 0],
      [true, 0],
      [true, 0],
    ]);
    expect(opNames(operations)).toEqual(["embed", "pool", "matmul", "output"]);
  });

  test("quantised where int8 matrices read it, by a quantize after a matmul but not a pool", () => {
    const file = header(
      ["table", "Q8_0", 32, 10],
      ["a.weight", "Q8_0", 32, 32],
      ["b.weight", "Q8_0", 32, 32],
    );
    const { buffers, operations } = chain(file, "a", "b").finished;
    expect(buffers.map(({ float, quantized }) => [float, quantized])).toEqual([
      [true, 0],
      // Pooling adds up in float. Rows of texts have two planes.
      [true, 2],
      [true, 2],
      [true, 0],
    ]);
    const names = ["embed", "pool", "matmul", "quantize", "matmul", "output"];
    expect(opNames(operations)).toEqual(names);
    expect(operations[3]).toEqual({ op: "quantize", buffer: 2 });
  });

  test("quantised alone where a norm writes for int8 matrices alone", () => {
    const file = header(
      ["table", "Q8_0", 32, 10],
      ["norm", "F32", 32],
      ["a.weight", "Q8_0", 32, 32],
    );
    const plan = new PlanBuilder(file);
    const [x, normed, y] = [plan.tokens(32), plan.tokens(32), plan.tokens(32)];
    plan.embed({ table: plan.table("table", 10, 32), dst: x, scale: 1 });
    plan.rmsNorm({ src: x, weight: plan.vector("norm", 32), dst: normed, eps: 1e-6 });
    plan.matmul({ src: normed, parts: [{ name: "a", rows: 32 }], residual: x, dst: y });
    const pooled = plan.texts(32);
    plan.pool({ src: y, dst: pooled, kind: "mean" });
    const { buffers } = plan.output(pooled, ABOUT);
    expect(buffers[normed]).toEqual({ rows: "tokens", width: 32, float: false, quantized: 1 });
  });

  test("both where it is a residual besides", () => {
    const file = header(
      ["table", "F32", 32, 10],
      ["norm", "F32", 32],
      ["a.weight", "Q8_0", 32, 32],
    );
    for (const addsBy of ["matmul", "norm"] as const) {
      const plan = new PlanBuilder(file);
      const [x, y, z] = [plan.tokens(32), plan.tokens(32), plan.tokens(32)];
      const norm = plan.vector("norm", 32);
      plan.embed({ table: plan.table("table", 10, 32), dst: x, scale: 1 });
      plan.rmsNorm({ src: x, weight: norm, dst: y, eps: 1e-6 });
      const matmul = { src: y, parts: [{ name: "a", rows: 32 }], dst: z };
      plan.matmul(addsBy === "matmul" ? { ...matmul, residual: y } : matmul);
      if (addsBy === "norm") plan.rmsNorm({ src: z, weight: norm, residual: y, dst: z, eps: 1e-6 });
      const pooled = plan.texts(32);
      plan.pool({ src: z, dst: pooled, kind: "mean" });
      expect(plan.output(pooled, ABOUT).buffers[y]).toMatchObject({ float: true, quantized: 1 });
    }
  });

  test("a buffer that is written twice is quantised again before each int8 matmul", () => {
    const file = header(["table", "Q8_0", 32, 10], ["a.weight", "Q8_0", 32, 32]);
    const plan = new PlanBuilder(file);
    const [x, y] = [plan.tokens(32), plan.tokens(32)];
    const table = plan.table("table", 10, 32);
    plan.embed({ table, dst: x, scale: 1 });
    for (let i = 0; i < 2; i++) {
      plan.addRow({ table, dst: x, row: i });
      for (let j = 0; j < 2; j++) plan.matmul({ src: x, parts: [{ name: "a", rows: 32 }], dst: y });
    }
    const pooled = plan.texts(32);
    plan.pool({ src: y, dst: pooled, kind: "mean" });
    const { operations } = plan.output(pooled, ABOUT);
    const round = ["add_row", "quantize", "matmul", "matmul"];
    expect(opNames(operations)).toEqual(["embed", ...round, ...round, "pool", "output"]);
  });
});

describe("stacked matrices", () => {
  const tensors: [string, GgmlTypeName, ...number[]][] = [
    ["table", "F32", 32, 10],
    ["q.weight", "Q8_0", 32, 16],
    ["k.weight", "Q4_0", 32, 8],
    ["v.weight", "F16", 32, 8],
    ["q.bias", "F32", 16],
    ["k.bias", "F32", 8],
    ["v.bias", "F32", 8],
  ];
  const parts = [
    { name: "q", rows: 16 },
    { name: "k", rows: 8 },
    { name: "v", rows: 8 },
  ];

  test("neighbours of one form are one matmul, another form writes the next columns", () => {
    const plan = new PlanBuilder(header(...tensors));
    const [x, y] = [plan.tokens(32), plan.tokens(32)];
    plan.embed({ table: plan.table("table", 10, 32), dst: x, scale: 1 });
    plan.matmul({ src: x, parts, bias: true, residual: x, dst: y });
    const pooled = plan.texts(32);
    plan.pool({ src: y, dst: pooled, kind: "mean" });
    const { operations, weights, buffers } = plan.output(pooled, ABOUT);
    const matmuls = operations.filter((operation) => operation.op === "matmul");
    const summary = matmuls.map(({ matrix, bias, residual, dstColumn }) => ({
      matrix: weights[matrix]!.parts.map(({ name }) => name),
      rows: weights[matrix]!.rows,
      bias: weights[bias!]!.parts.map(({ name }) => name),
      biases: weights[bias!]!.columns,
      residual,
      dstColumn,
    }));
    const qk = { matrix: ["q.weight", "k.weight"], rows: 24, bias: ["q.bias", "k.bias"] };
    const v = { matrix: ["v.weight"], rows: 8, bias: ["v.bias"] };
    expect(summary).toEqual([
      { ...qk, biases: 24, residual: x, dstColumn: 0 },
      { ...v, biases: 8, residual: x, dstColumn: 24 },
    ]);
    expect(buffers[x]).toMatchObject({ float: true, quantized: 1 });
  });

  /** Of each matmul `fineRow`, and the planes of what they multiply, where V is fine. */
  function fine(precision: Precision, types: Readonly<Record<"q" | "k" | "v", GgmlTypeName>>) {
    const rows = { q: 32, k: 8, v: 8 };
    const names = ["q", "k", "v"] as const;
    const matrices = names.map((name): [string, GgmlTypeName, ...number[]] => [
      `${name}.weight`,
      types[name],
      32,
      rows[name],
    ]);
    const plan = new PlanBuilder(header(["table", "F32", 32, 10], ...matrices), precision);
    const [x, y] = [plan.tokens(32), plan.tokens(48)];
    plan.embed({ table: plan.table("table", 10, 32), dst: x, scale: 1 });
    const parts = names.map((name) => ({ name, rows: rows[name], fine: name === "v" }));
    plan.matmul({ src: x, parts, dst: y });
    const pooled = plan.texts(48);
    plan.pool({ src: y, dst: pooled, kind: "mean" });
    const { operations, buffers } = plan.output(pooled, { ...ABOUT, embeddingSize: 48 });
    const fineRows = operations.filter(isMatmul).map(({ fineRow }) => fineRow);
    return { fineRows, planes: buffers[x]!.quantized };
  }

  test("a fine part begins where a group of 16 rows does, and its source has two planes", () => {
    const same = { q: "Q8_0", k: "Q8_0", v: "Q8_0" } as const;
    expect(fine("default", same)).toEqual({ fineRows: [32], planes: 2 });
    expect(fine("high", same)).toEqual({ fineRows: [0], planes: 2 });
  });

  test("a fine part of another type is a matmul that is fine as a whole", () => {
    const coarse = { q: "F16", k: "F16", v: "Q8_0" } as const;
    expect(fine("default", coarse)).toEqual({ fineRows: [40, 0], planes: 2 });
    const behind = { q: "F16", k: "Q8_0", v: "Q8_0" } as const;
    expect(fine("default", behind)).toEqual({ fineRows: [32, 0], planes: 2 });
    // Float matrices read no planes.
    const float = { q: "Q8_0", k: "Q8_0", v: "F16" } as const;
    expect(fine("default", float)).toEqual({ fineRows: [40, 0], planes: 1 });
    expect(fine("default", { q: "F16", k: "F16", v: "F16" })).toMatchObject({ planes: 0 });
  });

  test("rows that do not fill the target are the architecture's mistake", () => {
    const plan = new PlanBuilder(header(...tensors));
    const [x, y] = [plan.tokens(32), plan.tokens(32)];
    expect(() => plan.matmul({ src: x, parts: parts.slice(0, 2), dst: y })).toThrow("not 24 wide");
  });
});

describe("activated products", () => {
  const tensors: [string, GgmlTypeName, ...number[]][] = [
    ["table", "F32", 32, 10],
    ["gate.weight", "Q8_0", 32, 64],
    ["up.weight", "Q8_0", 32, 64],
    ["up16.weight", "F16", 32, 64],
    ["narrow.weight", "F32", 32, 40],
  ];
  const gelu = { kind: "gelu_tanh", gated: true } as const;

  /** Two layers of the same products. */
  function twice(names: readonly string[], rows: number, gated = true) {
    const plan = new PlanBuilder(header(...tensors));
    const [x, y] = [plan.tokens(32), plan.tokens(rows)];
    plan.embed({ table: plan.table("table", 10, 32), dst: x, scale: 1 });
    const parts = names.map((name) => ({ name, rows }));
    const add = () => plan.activatedMatmul({ src: x, parts, dst: y, ...gelu, gated });
    add();
    add();
    const pooled = plan.texts(rows);
    plan.pool({ src: y, dst: pooled, kind: "mean" });
    const used = new Set(names.map((name) => `${name}.weight`));
    const ignoredTensors = tensors.map(([name]) => name).filter((name) => !used.has(name));
    return plan.output(pooled, { ...ABOUT, embeddingSize: rows, hiddenSize: rows, ignoredTensors });
  }

  test("are one operation where gate and up make one matrix of whole blocks", () => {
    const { operations, buffers } = twice(["gate", "up"], 64);
    const names = ["embed", "quantize", "activated_matmul", "activated_matmul", "pool", "output"];
    expect(opNames(operations)).toEqual(names);
    expect(operations[2]).toMatchObject({ src: 0, dst: 1, ...gelu });
    expect(buffers).toHaveLength(3);
  });

  test("are several where types differ or columns are left over, with one buffer between", () => {
    const mixed = twice(["gate", "up16"], 64);
    const round = ["matmul", "matmul", "activation"];
    const around = (inner: string[]) => ["embed", ...inner, "pool", "output"];
    expect(opNames(mixed.operations)).toEqual(around(["quantize", ...round, ...round]));
    expect(mixed.buffers.map(({ width }) => width)).toEqual([32, 64, 128, 64]);
    const narrow = twice(["narrow"], 40, false);
    const single = ["matmul", "activation"];
    expect(opNames(narrow.operations)).toEqual(around([...single, ...single]));
    expect(narrow.operations.at(-3)).toMatchObject({ gated: false, src: 2, dst: 1 });
  });
});

describe("weights", () => {
  test("asked for twice are held once", () => {
    const file = header(["table", "F32", 32, 10], ["a.weight", "F32", 32, 32]);
    const { plan, finished } = chain(file, "a", "a");
    expect(finished.weights).toHaveLength(2);
    expect(plan.table("table", 10, 32)).toBe(0);
  });

  test("missing, of another shape or of an unknown type are errors that name them", () => {
    const file = header(["table", "F32", 32, 10], ["a.weight", "TQ2_0", 32, 32]);
    const plan = new PlanBuilder(file);
    const missing = thrown(() => plan.vector("norm", 32));
    expect(missing.code).toBe("BAD_MODEL");
    expect(missing.message).toContain('model.gguf: tensor "norm" is missing');
    const shape = thrown(() => plan.table("table", 11, 32));
    expect(shape.code).toBe("BAD_MODEL");
    expect(shape.message).toContain('"table": expected shape [32, 11], found [32, 10]');
    const [x, y] = [plan.tokens(32), plan.tokens(32)];
    const part = { name: "a", rows: 32 };
    const type = thrown(() => plan.matmul({ src: x, parts: [part], dst: y }));
    expect(type.code).toBe("UNSUPPORTED");
    expect(type.message).toContain('"a.weight": expected type Q8_0, ');
    expect(type.message).toContain("F32, F16, BF16, found TQ2_0");
  });

  test("that a plan leaves unused are refused, unless they are known to be needless", () => {
    const extra = ["x", "y", "z", "u", "v", "w"].map((name): [string, GgmlTypeName, number] => [
      `${name}.weight`,
      "F32",
      32,
    ]);
    const file = header(["table", "F32", 32, 10], ...extra);
    const error = thrown(() => chain(file));
    expect(error.code).toBe("UNSUPPORTED");
    const named = "x.weight, y.weight, z.weight, u.weight, v.weight, … (6 in all)";
    expect(error.message).toContain(`model.gguf: the file holds tensors that this version`);
    expect(error.message).toContain(named);

    const plan = new PlanBuilder(header(["table", "F32", 32, 10], ["head", "F32", 32]));
    const [x, pooled] = [plan.tokens(32), plan.texts(32)];
    plan.embed({ table: plan.table("table", 10, 32), dst: x, scale: 1 });
    plan.pool({ src: x, dst: pooled, kind: "mean" });
    const { weights } = plan.output(pooled, { ...ABOUT, ignoredTensors: ["head"] });
    expect(weights).toHaveLength(1);
  });
});

describe("an architecture's own mistakes are assertions", () => {
  const file = header(["table", "F32", 32, 10], ["norm", "F32", 16]);

  test("reading what nobody wrote", () => {
    const plan = new PlanBuilder(file);
    const [x, pooled] = [plan.tokens(32), plan.texts(32)];
    plan.pool({ src: x, dst: pooled, kind: "mean" });
    expect(() => plan.output(pooled, { ...ABOUT, ignoredTensors: ["table", "norm"] })).toThrow(
      "pool reads buffer 0 before it is written",
    );
  });

  test("a buffer that nobody reads", () => {
    const plan = new PlanBuilder(file);
    const [x, pooled] = [plan.tokens(32), plan.texts(32)];
    plan.tokens(7);
    plan.embed({ table: plan.table("table", 10, 32), dst: x, scale: 1 });
    plan.pool({ src: x, dst: pooled, kind: "mean" });
    expect(() => plan.output(pooled, { ...ABOUT, ignoredTensors: ["norm"] })).toThrow(
      "nothing reads buffer 2",
    );
  });

  test("widths that do not fit", () => {
    const plan = new PlanBuilder(file);
    const x = plan.tokens(32);
    const norm = plan.vector("norm", 16);
    expect(() => plan.rmsNorm({ src: x, weight: norm, dst: x, eps: 1 })).toThrow("not 16 wide");
    const heads = { headCount: 3, headCountKv: 1, headSize: 8 };
    const keys = plan.keys(8);
    const prepare = { src: x, keys, eps: 1, ...heads, ropeBase: 0, queryScale: 1 };
    expect(() => plan.prepareHeads(prepare)).toThrow("not 40 wide");
  });
});
