/** Where one text ends and the next begins. */
export type Separator = "lines" | "blocks";

/** More make a heat map that no screen shows. */
export const TEXTS_MAX = 200;

/** The texts of what was typed, and how many there would be without the limit. */
export function splitTexts(
  typed: string,
  separator: Separator,
): { readonly texts: readonly string[]; readonly total: number } {
  const parts = typed.split(separator === "lines" ? /\r?\n/ : /\r?\n(?:[^\S\n]*\r?\n)+/);
  const all = parts.map((part) => part.trim()).filter((part) => part !== "");
  return { texts: all.slice(0, TEXTS_MAX), total: all.length };
}

/** A text in one line of at most `max` characters, none of which is cut in two. */
export function shorten(text: string, max: number): string {
  // What is beyond cannot be in it.
  const line = text.slice(0, max * 4).replaceAll(/\s+/g, " ");
  const characters = [...line];
  return characters.length <= max && line.length >= text.length
    ? line
    : `${characters.slice(0, max - 1).join("")}…`;
}

/** Three groups that a model should see, in six languages. */
export const SAMPLE = [
  "The cat sleeps on the warm windowsill.",
  "A kitten is napping in the sun.",
  "El gato duerme al sol.",
  "القطة نائمة على النافذة",
  "Interest rates rose for the third time this year.",
  "The central bank raised its key rate again.",
  "Die Zinsen sind erneut gestiegen.",
  "中央银行再次加息",
  "Knead the dough and let it rest for an hour.",
  "Bake the bread until its crust is brown.",
  "המתכון ללחם פשוט מאוד",
].join("\n");
