import { type ErrorCode, GgufEmbedError } from "../errors.ts";
import type { MetadataArray, MetadataEntry } from "./types.ts";

/** Longest piece of a file's own text that a message repeats, in UTF-16 code units. */
const QUOTE_LENGTH_MAX = 80;

/** What to do about a file that a converter wrote wrongly. */
export const REPAIR = "Convert the model again, or get another file.";

/** Text of a file as a message may show it: in quotes, cut when long, safe for a terminal. */
export function quote(text: string): string {
  return escapeControls(JSON.stringify(cut(text)));
}

/** The same without quotes. */
export function printable(text: string): string {
  return escapeControls(cut(text));
}

function cut(text: string): string {
  return text.length > QUOTE_LENGTH_MAX ? `${text.slice(0, QUOTE_LENGTH_MAX)}…` : text;
}

/** Text that is whole, and safe for a terminal. */
export function escapeControls(text: string): string {
  return text.replace(CONTROLS, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** Controls, the breaks of lines and paragraphs, and marks that turn the direction of writing. */
const CONTROLS = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** What a metadata entry holds, for the second half of "expected …, found …". */
export function describeEntry(entry: MetadataEntry): string {
  const { type, value } = entry;
  if (typeof value === "string") return `string ${quote(value)}`;
  if (typeof value === "object") return describeArray(value);
  return `${type} ${value}`;
}

function describeArray(array: MetadataArray): string {
  const isNumbers = array.type !== "array" && array.type !== "string";
  return `array of ${array.length} ${isNumbers ? array.type : `${array.type}s`}`;
}

/** A shape as GGUF stores it: `[columns, rows]`. */
export function formatShape(shape: readonly (number | undefined)[]): string {
  return `[${shape.map((n) => n ?? "any").join(", ")}]`;
}

/** Every error about a file starts with the file's path. */
export function fileError(
  code: ErrorCode,
  path: string,
  message: string,
  options?: ErrorOptions,
): GgufEmbedError {
  return new GgufEmbedError(code, `${path}: ${message}`, options);
}
