import { basename } from "node:path";
import { formatBytes } from "./format-bytes.ts";
import { printable, quote } from "./gguf/message.ts";
import type { FormatShare, Inspection, SpecialToken, TokenizerInspection } from "./inspect.ts";

type Lines = string | readonly string[];

/** An inspection for a terminal: a label and its value on each line, the values aligned. */
export function formatInspection(inspection: Inspection): string {
  const { tokenizer, tasks, problem, warnings } = inspection;
  const fields: readonly (readonly [label: string, value: Lines])[] = [
    ["file", formatFile(inspection)],
    ["size", `${formatBytes(inspection.fileSize)} (GGUF version ${inspection.ggufVersion})`],
    ["architecture", formatText(inspection.architecture)],
    ["name", formatText(inspection.name)],
    ["parameters", formatParameters(inspection)],
    ["formats", inspection.formats.map(formatShare)],
    ["context", formatNumber(inspection.contextLength, "token")],
    ["hidden size", formatNumber(inspection.hiddenSize)],
    ["embedding size", formatEmbeddingSize(inspection)],
    ["layers", formatNumber(inspection.layerCount)],
    ["heads", formatHeads(inspection)],
    ["window", formatWindow(inspection.slidingWindow)],
    ["pooling", formatText(inspection.pooling)],
    ["tokenizer", tokenizer === null ? UNKNOWN : formatTokenizer(tokenizer)],
    ["flags", tokenizer === null ? [] : formatFlags(tokenizer)],
    ["before a text", tokenizer === null ? UNKNOWN : formatToken(tokenizer.bos)],
    ["after a text", tokenizer === null ? UNKNOWN : formatToken(tokenizer.eos)],
    ["tasks", tasks.length === 0 ? "none known" : tasks.join(", ")],
    ["runs here", problem === null ? "yes" : `no. ${problem}`],
    ["warnings", warnings.length === 0 ? "none" : warnings],
  ];
  const width = Math.max(...fields.map(([label]) => label.length));
  const lines = fields.flatMap(([label, value]) => {
    const values = typeof value === "string" ? [value] : value;
    return values.map((line, i) => `${(i === 0 ? label : "").padEnd(width)}  ${line}\n`);
  });
  return lines.join("");
}

const UNKNOWN = "unknown";

const NUMBERS = new Intl.NumberFormat("en-US");

function formatFile({ path, fileCount }: Inspection): string {
  const name = printable(basename(path));
  return fileCount === 1 ? name : `${name}, the first of ${formatNumber(fileCount, "file")}`;
}

function formatText(text: string | null): string {
  return text === null ? UNKNOWN : printable(text);
}

function formatNumber(value: number | null, noun?: string): string {
  if (value === null) return UNKNOWN;
  const number = NUMBERS.format(value);
  if (noun === undefined) return number;
  return `${number} ${noun}${value === 1 ? "" : "s"}`;
}

function formatEmbeddingSize({ embeddingSize, pooling }: Inspection): string {
  return pooling === "rank" ? "none: a reranker gives scores" : formatNumber(embeddingSize);
}

function formatParameters({ parameterCount, tensorCount }: Inspection): string {
  return `${formatNumber(parameterCount)} in ${formatNumber(tensorCount, "tensor")}`;
}

function formatShare({ type, tensorCount, bytes }: FormatShare): string {
  return `${type}: ${formatNumber(tensorCount, "tensor")}, ${formatBytes(bytes)}`;
}

function formatHeads({ headCount, headCountKv }: Inspection): string {
  if (headCount === headCountKv) return formatNumber(headCount);
  return `${formatNumber(headCount)} query, ${formatNumber(headCountKv)} key and value`;
}

function formatWindow(tokens: number | null): Lines {
  if (tokens === null) return [];
  return `${formatNumber(tokens, "token")}: ${formatNumber(Math.floor(tokens / 2))} to each side`;
}

function formatTokenizer({ model, pre, vocabSize }: TokenizerInspection): string {
  const kind = pre === null ? model : `${model} (${pre})`;
  return `${printable(kind)}, ${formatNumber(vocabSize, "token")}`;
}

function formatFlags({ flags }: TokenizerInspection): Lines {
  return Object.entries(flags).map(([name, on]) => `${printable(name)}: ${on ? "yes" : "no"}`);
}

function formatToken({ id, text, added }: SpecialToken): string {
  if (id === null) return "no token";
  const token = text === null ? `token ${id}` : `token ${id} ${quote(text)}`;
  if (added === null) return `${token} (no flag: as the tokenizer has it)`;
  return added ? token : `nothing (${token} is switched off)`;
}
