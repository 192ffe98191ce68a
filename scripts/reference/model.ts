import { readFileSync } from "node:fs";

/** An exported symbol or a member of one, as API Extractor tells of it in `*.api.json`. */
export interface Item {
  readonly kind: string;
  readonly name: string;
  /** With its `/**`; empty where there is none. */
  readonly docComment?: string;
  /** The declaration, without members. */
  readonly excerptTokens: readonly Token[];
  readonly members?: readonly Item[];
  /** From 1; only of what may have overloads. */
  readonly overloadIndex?: number;
}

export interface Token {
  readonly text: string;
  /** `ggufembed!Name:kind` for a symbol of ours, `!Name:kind` for one of the language. */
  readonly canonicalReference?: string;
}

interface Package {
  readonly members: readonly [{ readonly members: readonly Item[] }];
}

/** The exported symbols, by name. */
export function readModel(path: string): readonly Item[] {
  const model: Package = JSON.parse(readFileSync(path, "utf8"));
  return model.members[0].members;
}

export function declarationOf({ kind, excerptTokens }: Item): string {
  const text = excerptTokens.map((token) => token.text).join("");
  const declaration = text.replace(/^export (declare )?/, "").trim();
  return kind === "Variable" ? `const ${declaration};` : declaration;
}

/** Our own symbols that a declaration names; `~` where another entry point exports them. */
export function referencesOf({ excerptTokens }: Item): string[] {
  const names = excerptTokens.flatMap(({ canonicalReference = "" }) => {
    return /^ggufembed!~?([^~.#:]+):/.exec(canonicalReference)?.[1] ?? [];
  });
  return [...new Set(names)];
}
