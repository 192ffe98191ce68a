import type { MemberOrder } from "./render.ts";

/** Members in the order of their declaration: API Extractor's model has them by the alphabet. */
export function memberOrder(declarations: string): MemberOrder {
  return (symbol, member) => {
    const start = declarations.search(new RegExp(`^export (declare )?\\w+ ${symbol}\\b`, "m"));
    const body = declarations.slice(start, declarations.indexOf("\n}", start));
    return body.search(new RegExp(`^ {4}(static |readonly )*${RegExp.escape(member)}(?!\\w)`, "m"));
  };
}
