import { UsageError } from "../../src/cli/errors.ts";
import { type OptionSpecs, parseOptions } from "../../src/cli/options.ts";
import type { Parallelism } from "../../src/index.ts";

const SPECS = {
  model: { type: "text", value: "PATH", help: "a GGUF file, gemma (default, made up) or minilm" },
  texts: { type: "count", value: "N", help: "texts of a call (64)" },
  tokens: { type: "count", value: "N", help: "tokens of a text, or few less (28)" },
  threads: { type: "count", value: "N", help: "threads (the cores)" },
  parallelism: { type: "choice", choices: ["auto", "texts", "matmul"], help: "how they share" },
  seconds: { type: "count", value: "N", help: "how long to measure (2)" },
  seed: { type: "count", value: "N", help: "of the texts (1)" },
  json: { type: "flag", help: "everything as JSON" },
  perf: { type: "flag", help: "hardware counters and a flame graph as well, by Linux's perf" },
} as const satisfies OptionSpecs;

export interface ProfileOptions {
  readonly model: string;
  readonly texts: number;
  readonly tokens: number;
  readonly threads: number | undefined;
  readonly parallelism: Parallelism;
  readonly seconds: number;
  readonly seed: number;
  readonly json: boolean;
  readonly perf: boolean;
}

/** Throws `UsageError` for what it does not know. */
export function readProfileOptions(args: readonly string[]): ProfileOptions {
  const { values, positionals } = parseOptions(SPECS, args);
  if (positionals.length > 0) {
    throw new UsageError(`unexpected '${positionals[0]}': a model is given by --model`);
  }
  const { model = "gemma", texts = 64, tokens = 28, parallelism = "auto" } = values;
  const { seconds = 2, seed = 1, threads, json, perf } = values;
  return { model, texts, tokens, threads, parallelism, seconds, seed, json, perf };
}

export function usage(): string {
  const lines = Object.entries(SPECS).map(([name, spec]) => {
    const value = "value" in spec ? spec.value : "choices" in spec ? spec.choices.join("|") : "";
    return `  ${`--${name} ${value}`.padEnd(36)}${spec.help}`;
  });
  return ["usage: bun run profile [options]", ...lines].join("\n");
}
