import { JsonBytes } from "../../vectors/json-bytes.ts";
import { Failure } from "../errors.ts";
import { npyHeader } from "./npy.ts";

/** One embedded text, ready to be written. */
export interface Row {
  readonly index: number;
  readonly tokens: number;
  /** Tokens that were cut off. */
  readonly truncated: number;
  readonly embedding: Float32Array;
  /** Further fields of the object; none of `OWN_FIELDS`. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Names that the output object gives a meaning of its own. */
export const OWN_FIELDS: ReadonlySet<string> = new Set([
  "index",
  "tokens",
  "truncated",
  "embedding",
]);

/** Rows to bytes. What a call returns is valid until the next call. */
export interface Format {
  /** Whether `start` must know the number of rows. Its length never depends on it. */
  readonly countsRows: boolean;
  /** Bytes before the first row. */
  start(rows: number): Uint8Array;
  row(row: Row): Uint8Array;
  /** Bytes after the last row. */
  end(): Uint8Array;
}

export interface Shape {
  /** Components of a vector. */
  readonly dimensions: number;
  /** Whether an embedding is a vector for each token instead of one for the text. */
  readonly perToken: boolean;
}

export const FORMAT_NAMES = ["jsonl", "json", "npy", "f32"] as const;
export type FormatName = (typeof FORMAT_NAMES)[number];

const FORMATS: Readonly<Record<FormatName, (shape: Shape) => Format>> = {
  jsonl: jsonLines,
  json: jsonArray,
  npy: ({ dimensions }) => ({
    ...raw(),
    countsRows: true,
    start: (rows) => npyHeader(rows, dimensions),
  }),
  f32: raw,
};

/** Whether the format's bytes are no text. */
export function isBinary(name: FormatName): boolean {
  return name === "npy" || name === "f32";
}

export function createFormat(name: FormatName, shape: Shape): Format {
  if (shape.perToken && isBinary(name)) {
    const reason = "this model gives one for each token";
    throw new Failure(
      `--format ${name} holds one vector a text, and ${reason}: use --format jsonl`,
    );
  }
  return FORMATS[name](shape);
}

/** One object a line. */
function jsonLines(shape: Shape): Format {
  const bytes = new JsonBytes();
  return {
    countsRows: false,
    start: () => bytes.clear().view(),
    row: (row) => writeObject(bytes.clear(), row, shape).text("\n").view(),
    end: () => bytes.clear().view(),
  };
}

/** One array of objects, an object a line. */
function jsonArray(shape: Shape): Format {
  const bytes = new JsonBytes();
  return {
    countsRows: false,
    start: () => bytes.clear().text("[").view(),
    row: (row) => writeObject(bytes.clear().text(row.index > 0 ? ",\n" : ""), row, shape).view(),
    end: () => bytes.clear().text("]\n").view(),
  };
}

/** The vectors one after another: little-endian float32, as on every CPU the engine runs on. */
function raw(): Format {
  const nothing = new Uint8Array(0);
  return {
    countsRows: false,
    start: () => nothing,
    row: ({ embedding: { buffer, byteOffset, byteLength } }) =>
      new Uint8Array(buffer, byteOffset, byteLength),
    end: () => nothing,
  };
}

/** `{"index":…,"tokens":…,…,"embedding":[…]}`; `truncated` stands there when it is not 0. */
function writeObject(bytes: JsonBytes, row: Row, shape: Shape): JsonBytes {
  const { index, tokens, truncated, embedding, fields } = row;
  bytes.text(`{"index":${index},"tokens":${tokens}`);
  if (truncated > 0) bytes.text(`,"truncated":${truncated}`);
  const others = JSON.stringify(fields).slice(1, -1);
  if (others !== "") bytes.text(`,${others}`);
  bytes.text(`,"embedding":`);
  if (shape.perToken) bytes.floatRows(embedding, shape.dimensions);
  else bytes.floats(embedding);
  return bytes.text("}");
}
