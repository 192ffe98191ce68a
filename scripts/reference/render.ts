import { type Comment, parseComment } from "./comment.ts";
import { GROUPS } from "./groups.ts";
import { declarationOf, type Item, referencesOf } from "./model.ts";

const HEAD = `<!-- Generated from the comments in src by \`bun run reference\`. Do not edit. -->

# API reference

Everything that \`import { … } from "ggufembed"\` gives, and at the end what the adapters' entry
points give beside it. Shapes are row-major, the slowest index first. All lengths are in the units
that are named beside them.
`;

/** The reference in Markdown. `order` compares members of a symbol by their place in its source. */
export function renderReference(items: readonly Item[], order: MemberOrder): string {
  const parts = Object.entries(GROUPS).map(([group, names]) => {
    const symbols = names.map((name) => items.filter((item) => item.name === name));
    return [`## ${group}`, ...symbols.map((overloads) => renderSymbol(overloads, order))];
  });
  return `${[HEAD, contents(), ...parts.flat()].map((part) => part.trim()).join("\n\n")}\n`;
}

/** Where the declaration of a symbol has a member. */
export type MemberOrder = (symbol: string, member: string) => number;

function contents(): string {
  const lines = Object.entries(GROUPS).map(([group, names]) => {
    return `- ${group}: ${names.map(link).join(", ")}`;
  });
  return lines.join("\n");
}

const ANCHORS = symbolAnchors();
const link = (name: string) => `[${name}](#${ANCHORS.get(name)})`;

/** Of each symbol's heading, as GitHub makes them: a second one of the same letters is numbered. */
function symbolAnchors(): ReadonlyMap<string, string> {
  const anchors = new Map<string, string>();
  const seen = new Map<string, number>();
  const headings = Object.entries(GROUPS).flatMap(([group, names]) => [group, ...names]);
  for (const heading of headings) {
    const slug = heading
      .toLowerCase()
      .replace(/[^\w -]/g, "")
      .replaceAll(" ", "-");
    const earlier = seen.get(slug) ?? 0;
    seen.set(slug, earlier + 1);
    // Of a part and a symbol of one name the symbol comes later, and is the one that is meant.
    anchors.set(heading, earlier === 0 ? slug : `${slug}-${earlier}`);
  }
  return anchors;
}

function renderSymbol(overloads: readonly Item[], order: MemberOrder): string {
  const [first] = overloads;
  if (first === undefined) return "";
  const parts = [`### ${first.name}`, renderItem(overloads)];
  const at = ({ name = "constructor" }: Item) => order(first.name, name);
  const members = [...(first.members ?? [])].sort((a, b) => at(a) - at(b));
  const isProperty = ({ kind }: Item) => /^Property/.test(kind);
  const properties = members.filter(isProperty).map(renderProperty);
  if (properties.length > 0) parts.push(properties.join("\n"));
  const methods = members.filter((member) => !isProperty(member));
  for (const name of new Set(methods.map((method) => method.name))) {
    const same = methods.filter((method) => method.name === name);
    parts.push(`#### ${first.name}${name === undefined ? " constructor" : `.${name}`}`);
    parts.push(renderItem(same, first.name));
  }
  return parts.join("\n\n");
}

/** Declarations and comments; overloads without a comment of their own have that before. */
function renderItem(overloads: readonly Item[], owner?: string): string {
  const declarations = overloads.map((item) => wrap(declarationOf(item)));
  const name = owner ?? overloads[0]?.name;
  const links = new Set(overloads.flatMap(referencesOf).filter((each) => each !== name));
  const comments = overloads.map(({ docComment }) => parseComment(docComment));
  const parts = [
    `\`\`\`ts\n${declarations.join("\n")}\n\`\`\``,
    ...comments.flatMap(renderComment),
  ];
  if (links.size > 0) parts.push(`See ${[...links].map(link).join(", ")}.`);
  return parts.join("\n\n");
}

const COLUMNS_MAX = 100;

/** One parameter a line, where a signature is too long for one. */
function wrap(declaration: string): string {
  const [, head, parameters, rest] = /^([^(]*\()(.*)(\).*)$/s.exec(declaration) ?? [];
  if (declaration.length <= COLUMNS_MAX || parameters === undefined) return declaration;
  const lines = parameters.split(/, (?=\w+\??:)/).map((parameter) => `  ${parameter},`);
  return `${head}\n${lines.join("\n")}\n${rest}`;
}

function renderComment({ summary, parameters, returns, throws, examples }: Comment): string[] {
  const parts = [summary];
  if (parameters.length > 0) {
    parts.push(parameters.map(([name, text]) => `- \`${name}\`: ${indent(text)}`).join("\n"));
  }
  if (returns !== undefined) parts.push(`Returns ${returns}`);
  parts.push(...throws.map((text) => `Throws ${text.replace(/^GgufEmbedError /, "")}`));
  parts.push(...examples.map((code) => `\`\`\`ts\n${code}\n\`\`\``));
  return parts.filter((part) => part !== "");
}

function renderProperty(item: Item): string {
  const declaration = declarationOf(item)
    .replace(/^readonly /, "")
    .replace(/;$/, "");
  const { summary } = parseComment(item.docComment);
  const links = referencesOf(item);
  const see = links.length === 0 ? "" : ` See ${links.map(link).join(", ")}.`;
  return `- \`${declaration}\`: ${indent(summary)}${see}`;
}

const indent = (text: string) => text.replace(/\n(?=[^\n])/g, "\n  ");
