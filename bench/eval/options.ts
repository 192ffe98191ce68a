import { UsageError } from "../../src/cli/errors.ts";
import { type OptionSpecs, parseOptions } from "../../src/cli/options.ts";
import type { Encoding } from "../../src/index.ts";
import { LANGUAGES, type Language } from "./data.ts";

const ENCODINGS: readonly Encoding[] = ["float32", "int8", "binary"];
/** Those that EmbeddingGemma was trained for, and one less. */
const DIMENSIONS = [512, 256, 128, 64];
const RESAMPLES = 1000;

const SPECS = {
  dimensions: { type: "text", value: "N,N", help: `fewer components (${DIMENSIONS})` },
  encodings: { type: "text", value: "A,B", help: `of vectors (${ENCODINGS})` },
  languages: { type: "text", value: "A,B", help: `only these (${LANGUAGES})` },
  resamples: { type: "count", value: "N", help: `for the intervals (${RESAMPLES})` },
  seed: { type: "count", value: "N", help: "of the resamples (1)" },
  threads: { type: "count", value: "N", help: "threads (the cores); they change no figure" },
  json: { type: "flag", help: "everything as JSON" },
  plot: { type: "text", value: "FILE.svg", help: "draw a plot as well" },
  write: { type: "flag", help: "write docs/quality.md, its plot and its data" },
} as const satisfies OptionSpecs;

export const USAGE = [
  "usage: bun run eval [MODEL…] [options]",
  "  MODEL: .gguf files or names, as `open` takes them; the others are compared with the first.",
  "  Without one: all-MiniLM-L6-v2 in F32, F16, BF16 and Q8_0.",
  ...Object.entries(SPECS).map(([name, spec]) => {
    const value = "value" in spec ? ` ${spec.value}` : "";
    return `  ${`--${name}${value}`.padEnd(20)}${spec.help}`;
  }),
].join("\n");

export interface EvalOptions {
  readonly models: readonly string[];
  readonly dimensions: readonly number[];
  readonly encodings: readonly Encoding[];
  readonly languages: readonly Language[];
  readonly resamples: number;
  readonly seed: number;
  readonly threads: number | undefined;
  readonly json: boolean;
  readonly plot: string | undefined;
  readonly write: boolean;
}

/** Throws `UsageError` for what it does not know. */
export function readEvalOptions(args: readonly string[]): EvalOptions {
  const { values, positionals } = parseOptions(SPECS, args);
  const { resamples = RESAMPLES, seed = 1, threads, json, plot, write } = values;
  return {
    models: positionals,
    dimensions: readDimensions(values.dimensions),
    // All components in float32 are what others are compared with.
    encodings: ["float32", ...listOf("encodings", values.encodings, ENCODINGS).filter(isEncoded)],
    languages: listOf("languages", values.languages, LANGUAGES),
    resamples,
    seed,
    threads,
    json,
    plot,
    write,
  };
}

function isEncoded(encoding: Encoding): boolean {
  return encoding !== "float32";
}

function readDimensions(text: string | undefined): readonly number[] {
  if (text === undefined) return DIMENSIONS;
  const found = text.split(",").map(Number);
  const wrong = found.find((count) => !Number.isInteger(count) || count < 8 || count % 8 !== 0);
  if (wrong === undefined) return [...new Set(found)].sort((a, b) => b - a);
  throw new UsageError(`option '--dimensions' takes multiples of 8, found '${text}'`);
}

function listOf<T extends string>(name: string, text: string | undefined, all: readonly T[]): T[] {
  const found = text?.split(",") ?? all;
  const wrong = found.find((each) => !all.some((one) => one === each));
  if (wrong !== undefined) {
    throw new UsageError(`option '--${name}' takes some of ${all}, found '${wrong}'`);
  }
  return all.filter((each) => found.includes(each));
}
