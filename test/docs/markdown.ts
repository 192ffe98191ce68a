import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dir, "..", "..");

/** A fenced block of code. */
export interface Block {
  readonly language: string;
  readonly text: string;
  /** Of the opening fence, from 1. */
  readonly line: number;
}

export interface Markdown {
  /** From the root of the checkout. */
  readonly path: string;
  readonly blocks: readonly Block[];
  /** Without the fenced blocks. */
  readonly prose: string;
}

/** Every document of the project, read. */
export function readDocuments(): Markdown[] {
  const inRoot = readdirSync(ROOT).filter((name) => name.endsWith(".md"));
  const inDocs = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md"));
  return [...inRoot, ...inDocs.map((name) => `docs/${name}`)].sort().map(readDocument);
}

export function readDocument(path: string): Markdown {
  return { path, ...parseMarkdown(readFileSync(join(ROOT, path), "utf8")) };
}

export function parseMarkdown(text: string): Omit<Markdown, "path"> {
  const blocks: Block[] = [];
  const prose: string[] = [];
  let open: { readonly language: string; readonly line: number } | undefined;
  let inside: string[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const fence = /^ *```(\w*)/.exec(line);
    if (fence === null) (open === undefined ? prose : inside).push(line);
    else if (open === undefined) open = { language: fence[1] ?? "", line: index + 1 };
    else {
      blocks.push({ ...open, text: inside.map((each) => `${each}\n`).join("") });
      open = undefined;
      inside = [];
    }
  }
  if (open !== undefined) throw new Error(`line ${open.line}: a block that does not end`);
  return { blocks, prose: prose.join("\n") };
}

/** Targets of `[text](target)`. */
export function linksOf({ prose }: Pick<Markdown, "prose">): string[] {
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
}

/** What stands between single backticks. */
export function codeSpansOf({ prose }: Pick<Markdown, "prose">): string[] {
  return [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code);
}

/** The anchors of a document's headings, as GitHub makes them: it numbers those of one name. */
export function anchorsOf({ prose }: Pick<Markdown, "prose">): string[] {
  const slugs = [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
  return slugs.map((slug, i) => {
    const earlier = slugs.slice(0, i).filter((each) => each === slug).length;
    return earlier === 0 ? slug : `${slug}-${earlier}`;
  });
}

/** The cells of every table row, without headers' rules. */
export function tableRowsOf({ prose }: Pick<Markdown, "prose">): string[][] {
  const rows = [...prose.matchAll(/^\|(.+)\|$/gm)].map(([, cells = ""]) =>
    cells.split("|").map((cell) => cell.trim()),
  );
  return rows.filter((cells) => !cells.every((cell) => /^:?-*:?$/.test(cell)));
}
