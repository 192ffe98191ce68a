import type { Item } from "./model.ts";

const VALUES = ["Class", "Function", "Variable"];

/**
 * The module that runtimes other than Bun get. It must have the names of what they import: they
 * look for those before they run it, and would complain about them instead. CommonJS, so that
 * `require` and `import` find the same.
 */
export function placeholderModule(items: readonly Item[]): string {
  const values = items.filter(({ kind }) => VALUES.includes(kind)).map(({ name }) => name);
  const names = [...new Set(values)].map((name) => `exports.${name} = undefined;\n`);
  return `${names.join("")}throw require("../src/unsupported.cjs").unsupported();\n`;
}
