import { figure, find, make, quote } from "./dom.ts";
import { shorten } from "./texts.ts";
import { at, type Matrix, nearest } from "./vectors.ts";

const SHOWN_MAX = 10;

/** The texts that are most like the chosen one. */
export function showNeighbours(matrix: Matrix, texts: readonly string[], chosen: number): void {
  const list = find("near", HTMLOListElement);
  const rows = nearest(matrix, chosen).slice(0, SHOWN_MAX);
  if (rows.length === 0) {
    const told = make("span", { class: "muted" }, "With a second text there is one.");
    list.replaceChildren(make("li", {}, make("i"), told));
    return;
  }
  list.replaceChildren(
    ...rows.map((index) => {
      const cosine = at(matrix, chosen, index);
      const bar = make("b");
      bar.style.width = `${Math.max(0, cosine) * 100}%`;
      const share = make("span", { class: "share", "aria-hidden": "true" }, bar);
      const text = quote(shorten(texts[index]!, 200));
      return make("li", {}, make("i", {}, `${index + 1}`), text, share, figure(cosine));
    }),
  );
}
