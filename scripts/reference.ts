/**
 * `bun run reference`: writes docs/api.md from the comments of what the entry points export. With
 * `--check` it writes nothing, and fails unless the file is what it would write.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./paths.ts";
import { logToStderr } from "./process.ts";
import { findComplaints } from "./reference/complaints.ts";
import { makeDeclarations, publicDeclarations, publicItems } from "./reference/declarations.ts";
import { GROUPS } from "./reference/groups.ts";
import { memberOrder } from "./reference/member-order.ts";
import { renderReference } from "./reference/render.ts";

const NAME = "docs/api.md";
const PATH = join(ROOT, NAME);

async function main(): Promise<string[]> {
  await makeDeclarations(logToStderr);
  const items = publicItems();
  const complaints = findComplaints(items, GROUPS);
  if (complaints.length > 0) return complaints;
  const text = renderReference(items, memberOrder(publicDeclarations()));
  if (!process.argv.includes("--check")) writeFileSync(PATH, text);
  else if (readFileSync(PATH, "utf8") !== text) {
    return [`${NAME} is not what the comments say: run \`bun run reference\` and commit it`];
  }
  return [];
}

const complaints = await main();
for (const complaint of complaints) logToStderr(complaint);
if (complaints.length > 0) process.exit(1);
