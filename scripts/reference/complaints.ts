import { parseComment } from "./comment.ts";
import type { Groups } from "./groups.ts";
import { declarationOf, type Item } from "./model.ts";

/** What keeps the reference from being complete. */
export function findComplaints(items: readonly Item[], parts: Groups): string[] {
  const names = new Set(items.map(({ name }) => name));
  const grouped = new Set(Object.values(parts).flat());
  const groups = "scripts/reference/groups.ts";
  return [
    ...[...names].filter((name) => !grouped.has(name)).map((name) => `${groups} lacks ${name}`),
    ...[...grouped]
      .filter((name) => !names.has(name))
      .map((name) => `${groups} has ${name}, which no entry point exports`),
    ...items.flatMap((item) => undocumented(item, item.name)),
  ];
}

function undocumented(item: Item, path: string): string[] {
  const inside = (item.members ?? []).flatMap((member) =>
    undocumented(member, pathOf(path, member)),
  );
  // The first of several overloads may speak for all.
  const isLater = (item.overloadIndex ?? 1) > 1;
  const complaints = isLater || hasText(item) ? [] : [`${path} has no comment`];
  if (hidesMembers(item)) complaints.push(`${path} has members without comments: name their type`);
  return [...complaints, ...inside];
}

const pathOf = (path: string, { name }: Item) => `${path}.${name ?? "constructor"}`;

function hasText({ docComment, kind }: Item): boolean {
  const { summary } = parseComment(docComment);
  // API Extractor's own words, where there are none.
  const isFiller = kind === "Constructor" && summary.startsWith("Constructs a new instance");
  return summary !== "" && !isFiller;
}

/** An object type in the middle of a declaration: its members would be told of nowhere. */
function hidesMembers(item: Item): boolean {
  return /property/i.test(item.kind) && /\{[^}]*;/.test(declarationOf(item));
}
