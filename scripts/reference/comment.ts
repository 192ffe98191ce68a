/** A documentation comment, taken apart. Texts are Markdown. */
export interface Comment {
  readonly summary: string;
  readonly parameters: readonly (readonly [name: string, text: string])[];
  readonly returns: string | undefined;
  readonly throws: readonly string[];
  /** Code. */
  readonly examples: readonly string[];
}

/** Reads a comment as API Extractor writes it: each block tag begins a line. */
export function parseComment(comment = ""): Comment {
  const text = comment
    .replace(/^\/\*\*\s*|\s*\*\/\s*$/g, "")
    .replace(/^ *\* ?/gm, "")
    .replace(/\{@link (?:[^|}]+\| *)?([^}]+)\}/g, "`$1`")
    .replace(/\\([{}@<>])/g, "$1");
  // A line break first: there may be no summary before the first tag.
  const [summary = "", ...blocks] = `\n${text}`.split(/^(?=@[a-z])/m);
  const all = (tag: string) =>
    blocks.flatMap((block) => (block.startsWith(`@${tag}`) ? [block.slice(tag.length + 1)] : []));
  return {
    summary: tidy(summary),
    parameters: all("param").map((block) => {
      const [, name = "", description = ""] = /^\s*(\S+) - (.*)$/s.exec(block) ?? [];
      return [name, tidy(description)] as const;
    }),
    returns: all("returns").map(tidy)[0],
    throws: all("throws").map(tidy),
    examples: all("example").map((block) => block.replace(/^```\w*$/gm, "").trim()),
  };
}

function tidy(text: string): string {
  return text.replace(/^ +| +$/gm, "").trim();
}
