import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../docs/markdown.ts";

export const NGINX_FOLDER = join(ROOT, "deploy", "nginx");

/** The parts of the configuration that are comments until somebody wants them. */
export type Part = "tls" | "limit";

export interface Directive {
  readonly name: string;
  readonly values: readonly string[];
  readonly children: readonly Directive[];
}

export function readConfig(name: string): string {
  return readFileSync(join(NGINX_FOLDER, name), "utf8");
}

/** A configuration with a part of it switched on. */
export function switchOn(config: string, part: Part): string {
  return config.replaceAll(new RegExp(`^( *)#${part} `, "gm"), "$1");
}

/** What a configuration says, as nginx reads it: no variables are filled in. */
export function parseConfig(text: string): Directive[] {
  const tokens = text.match(/#.*|[{};]|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s{};]+/g) ?? [];
  const words = tokens.filter((token) => !token.startsWith("#"));
  let next = 0;
  const block = (): Directive[] => {
    const found: Directive[] = [];
    while (next < words.length && words[next] !== "}") {
      const all: string[] = [];
      while (words[next] !== ";" && words[next] !== "{") {
        const word = words[next++];
        if (word === undefined) throw new Error(`a directive that does not end: ${all.join(" ")}`);
        all.push(word);
      }
      const opens = words[next++] === "{";
      const children = opens ? block() : [];
      if (opens) next += 1;
      const [name = "", ...values] = all;
      found.push({ name, values, children });
    }
    return found;
  };
  return block();
}

/** The first directive of that name, wherever it is. */
export function findDirective(directives: readonly Directive[], name: string): Directive {
  const search = (among: readonly Directive[]): Directive | undefined => {
    for (const directive of among) {
      const found = directive.name === name ? directive : search(directive.children);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const found = search(directives);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}

const UNITS: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, s: 1000, ms: 1 };

/** `8m` in bytes, `30s` in milliseconds. */
export function amountOf(value: string): number {
  const [, digits, unit] = /^(\d+)([a-z]*)$/.exec(value) ?? [];
  const factor = unit === "" ? 1 : UNITS[unit ?? "?"];
  if (digits === undefined || factor === undefined) throw new Error(`${value} is no amount`);
  return Number(digits) * factor;
}
