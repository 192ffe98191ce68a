import { mkdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "./docs/markdown.ts";

/** What the adapters are for, and what their examples use of it. */
export const FRAMEWORKS = [
  "@ai-sdk/provider",
  "@langchain/classic",
  "@langchain/core",
  "@llamaindex/core",
  "ai",
  "chromadb",
  "llamaindex",
];

/** Gives a project packages of ours, where there is no network to get them from. */
export function lendPackages(folder: string, names: readonly string[]): void {
  for (const name of names) {
    const at = join(folder, "node_modules", name);
    mkdirSync(dirname(at), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), at);
  }
}
