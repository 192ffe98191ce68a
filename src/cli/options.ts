import { parseArgs } from "node:util";
import { UsageError } from "./errors.ts";
import { didYouMean } from "./suggest.ts";

interface OptionBase {
  /** One letter, for `-m`. */
  readonly short?: string;
  readonly help: string;
}

/** One option of a command: what the parser accepts and what the help says, in one place. */
export type OptionSpec = OptionBase &
  (
    | { readonly type: "flag" }
    | { readonly type: "text"; readonly value: string }
    /** May be given several times; all count. */
    | { readonly type: "texts"; readonly value: string }
    /** A whole number from 1; how large it may be is the library's to know. */
    | { readonly type: "count"; readonly value: string }
    | { readonly type: "choice"; readonly choices: readonly string[] }
  );

/** By long name, without dashes. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

type OptionValue<S extends OptionSpec> = S extends { readonly type: "flag" }
  ? boolean
  : S extends { readonly type: "texts" }
    ? readonly string[]
    : S extends { readonly choices: readonly (infer Choice)[] }
      ? Choice | undefined
      : S extends { readonly type: "count" }
        ? number | undefined
        : string | undefined;

export type OptionValues<S extends OptionSpecs> = {
  readonly [Name in keyof S]: OptionValue<S[Name]>;
};

export interface Parsed<S extends OptionSpecs> {
  readonly values: OptionValues<S>;
  readonly positionals: readonly string[];
}

/**
 * Parses the arguments after the command's name. The last of a repeated option counts, but of those
 * that may be repeated.
 */
export function parseOptions<const S extends OptionSpecs>(
  specs: S,
  args: readonly string[],
): Parsed<S> {
  // Not `strict`: its messages speak of APIs. Every token is checked below instead.
  const { tokens, positionals } = parseArgs({
    args: [...args],
    options: Object.fromEntries(Object.entries(specs).map(toNodeOption)),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values: Record<string, Value | string[] | undefined> = {};
  for (const [name, spec] of Object.entries(specs)) {
    values[name] = spec.type === "flag" ? false : spec.type === "texts" ? [] : undefined;
  }
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const spec = Object.hasOwn(specs, token.name) ? specs[token.name] : undefined;
    if (spec === undefined) throw new UsageError(unknownOption(token.rawName, specs));
    const value = readValue(spec, token);
    const known = values[token.name];
    if (Array.isArray(known)) known.push(String(value));
    else values[token.name] = value;
  }
  return { values: values as OptionValues<S>, positionals };
}

/** Whether help is asked for; after `--` everything is text. */
export function wantsHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  const options = end < 0 ? args : args.slice(0, end);
  return options.includes("--help") || options.includes("-h");
}

function toNodeOption([name, spec]: [string, OptionSpec]): [
  string,
  { type: "string" | "boolean"; short?: string },
] {
  const type = spec.type === "flag" ? "boolean" : "string";
  return [name, spec.short === undefined ? { type } : { type, short: spec.short }];
}

function unknownOption(rawName: string, specs: OptionSpecs): string {
  const known = ["--help", ...Object.keys(specs).map((name) => `--${name}`)];
  const guess = rawName.startsWith("--") ? didYouMean(rawName, known) : "";
  const hint = guess === "" ? "; a text that starts with '-' goes after '--'" : guess;
  return `unknown option '${rawName}'${hint}`;
}

interface OptionToken {
  readonly name: string;
  /** As it was typed. */
  readonly rawName: string;
  readonly value?: string | undefined;
  /** Whether the value came in the same argument, as in `--name=value`. */
  readonly inlineValue?: boolean | undefined;
}

type Value = string | number | boolean;

function readValue(spec: OptionSpec, token: OptionToken): Value {
  const { rawName, value } = token;
  if (spec.type === "flag") {
    if (value !== undefined) throw new UsageError(`option '${rawName}' takes no value`);
    return true;
  }
  if (value === undefined) throw new UsageError(`option '${rawName}' needs a value`);
  if (spec.type === "count") return readCount(value, rawName);
  if (spec.type === "choice") return readChoice(value, rawName, spec.choices);
  // `-m --jsonl` is a forgotten value, not a file of that name; a lone `-` is standard input.
  if (!token.inlineValue && value.startsWith("-") && value !== "-") {
    const hint = `write '--${token.name}=${value}' if that is its value`;
    throw new UsageError(`option '${rawName}' needs a value, found '${value}'; ${hint}`);
  }
  return value;
}

function readCount(value: string, rawName: string): number {
  const number = /^\+?\d+$/.test(value) ? Number(value) : Number.NaN;
  if (number >= 1) return number;
  throw new UsageError(`option '${rawName}' takes a whole number from 1, found '${value}'`);
}

function readChoice(value: string, rawName: string, choices: readonly string[]): string {
  if (choices.includes(value)) return value;
  const list = choices.join(", ");
  const guess = didYouMean(value, choices);
  throw new UsageError(`option '${rawName}' takes one of ${list}, found '${value}'${guess}`);
}
