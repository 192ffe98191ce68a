import { describe, expect, test } from "bun:test";
import { parseComment } from "../../scripts/reference/comment.ts";
import { findComplaints } from "../../scripts/reference/complaints.ts";
import { memberOrder } from "../../scripts/reference/member-order.ts";
import { declarationOf, type Item, referencesOf } from "../../scripts/reference/model.ts";
import { placeholderModule } from "../../scripts/reference/placeholder.ts";

const SAID = "/**\n * Says what it is.\n */\n";

function item(kind: string, name: string, text: string, more: Partial<Item> = {}): Item {
  return { kind, name, docComment: SAID, excerptTokens: [{ text }], ...more };
}

describe("the reference is refused where", () => {
  const options = item("Interface", "Options", "export interface Options");
  const parts = { All: ["Options"] };
  const complaints = (...members: Item[]) => findComplaints([{ ...options, members }], parts);

  test("nothing: a documented symbol with documented members is fine", () => {
    expect(complaints(item("PropertySignature", "a", "a?: number;"))).toEqual([]);
  });

  test("a symbol or a member has no comment, or one of tags alone", () => {
    for (const docComment of ["", "/**\n * @throws\n *\n * X\n */\n"]) {
      const member = item("MethodSignature", "a", "a(): void;", { docComment, overloadIndex: 1 });
      expect(complaints(member)).toEqual(["Options.a has no comment"]);
      expect(findComplaints([{ ...options, docComment }], parts)).toEqual([
        "Options has no comment",
      ]);
    }
    const docComment = "/**\n * Constructs a new instance of the `Options` class\n */\n";
    const unnamed = { kind: "Constructor", docComment, excerptTokens: [] } as unknown as Item;
    expect(complaints(unnamed)).toEqual(["Options.constructor has no comment"]);
  });

  test("the first of overloads has none; the others need none", () => {
    const overload = (overloadIndex: number, docComment: string) =>
      item("MethodSignature", "a", "a(): void;", { docComment, overloadIndex });
    expect(complaints(overload(1, SAID), overload(2, ""))).toEqual([]);
    expect(complaints(overload(1, ""), overload(2, SAID))).toEqual(["Options.a has no comment"]);
  });

  test("a member's type hides members, which could have no comments", () => {
    const member = item("PropertySignature", "a", "a: {\n    b: number;\n};");
    expect(complaints(member)).toEqual(["Options.a has members without comments: name their type"]);
  });

  test("a symbol is in no part, or a part has what is not exported", () => {
    expect(findComplaints([options], { All: ["Gone"] })).toEqual([
      "scripts/reference/groups.ts lacks Options",
      "scripts/reference/groups.ts has Gone, which no entry point exports",
    ]);
  });
});

test("a comment is taken apart", () => {
  const comment = `/**
 * Does it, see {@link Options | the options}.
 *
 * More \\{of\\} it.
 *
 * @param a - one
 *   thing
 *
 * @throws
 *
 * GgufEmbedError \`CLOSED\`
 *
 * @returns a number
 *
 * @example
 * \`\`\`ts
 * if (a) {
 *   b();
 * }
 * \`\`\`
 */
`;
  expect(parseComment(comment)).toEqual({
    summary: "Does it, see `the options`.\n\nMore {of} it.",
    parameters: [["a", "one\nthing"]],
    returns: "a number",
    throws: ["GgufEmbedError `CLOSED`"],
    examples: ["if (a) {\n  b();\n}"],
  });
});

test("members come in the order of their source", () => {
  const order = memberOrder(`export declare interface Other {
    readonly a: number;
}
export declare interface Options {
    readonly b: number;
    a(): void;
}
`);
  expect(order("Options", "b")).toBeLessThan(order("Options", "a"));
});

test("a declaration is told without its export, and whom of ours it names", () => {
  const excerptTokens = [
    { text: "export declare function open(options: " },
    { text: "Options", canonicalReference: "ggufembed!Options:interface" },
    { text: "): " },
    { text: "Promise", canonicalReference: "!Promise:interface" },
    { text: ";" },
  ];
  const open = item("Function", "open", "", { excerptTokens });
  expect(declarationOf(open)).toBe("function open(options: Options): Promise;");
  expect(referencesOf(open)).toEqual(["Options"]);
});

test("other runtimes find each value by name, once, and no type", () => {
  const items = [
    item("Function", "open", "", { overloadIndex: 1 }),
    item("Function", "open", "", { overloadIndex: 2 }),
    item("Interface", "Options", ""),
    item("Variable", "version", ""),
  ];
  expect(placeholderModule(items)).toBe(
    "exports.open = undefined;\nexports.version = undefined;\n" +
      'throw require("../src/unsupported.cjs").unsupported();\n',
  );
});
