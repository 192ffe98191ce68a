import { find, formatNumber, make, makeSvg, quote } from "./dom.ts";
import type { Plane } from "./pca.ts";
import { shorten } from "./texts.ts";
import { type Matrix, nearest } from "./vectors.ts";

/** Of the drawing's own units. */
const WIDTH = 500;
const HEIGHT = 400;
const MARGIN = 28;
/** More numbers than this cover each other. */
const NUMBERS_MAX = 60;
const NEIGHBOURS_SHOWN = 3;

type Position = readonly [x: number, y: number];

/** Texts as points on the plane of their two principal components. */
export class Scatter {
  readonly #svg = find("map", SVGSVGElement);
  readonly #readout = find("map-readout", HTMLElement);
  readonly #details = find("map-details", HTMLDetailsElement);
  readonly #onChoose: (index: number) => void;
  #plane: Plane = { points: [], shares: [0, 0] };
  #matrix: Matrix = { size: 0, values: new Float64Array() };
  #texts: readonly string[] = [];
  #chosen = 0;

  constructor(onChoose: (index: number) => void) {
    this.#onChoose = onChoose;
    this.#svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    this.#svg.addEventListener("keydown", (event) => this.#onKey(event));
    this.#details.addEventListener("toggle", () => this.#fillTable());
  }

  show(plane: Plane, matrix: Matrix, texts: readonly string[]): void {
    this.#plane = plane;
    this.#matrix = matrix;
    this.#texts = texts;
    const kept = Math.round((plane.shares[0] + plane.shares[1]) * 100);
    find("map-share", HTMLElement).textContent =
      texts.length > 2 ? `keeps ${kept} % of the variance` : "";
    this.#fillTable();
  }

  choose(index: number): void {
    this.#chosen = index;
    const place = this.#scale();
    const near = nearest(this.#matrix, index).slice(0, NEIGHBOURS_SHOWN);
    const [x1, y1] = place(index);
    const lines = near.map((other) => {
      const [x2, y2] = place(other);
      return makeSvg("line", { class: "near", x1, y1, x2, y2 });
    });
    const axes = [
      makeSvg("line", { class: "axis", x1: 0, x2: WIDTH, y1: HEIGHT / 2, y2: HEIGHT / 2 }),
      makeSvg("line", { class: "axis", x1: WIDTH / 2, x2: WIDTH / 2, y1: 0, y2: HEIGHT }),
    ];
    // The chosen one last: it lies above the others.
    const order = [...this.#texts.keys()].filter((i) => i !== index);
    const isNumbered = (i: number) =>
      this.#texts.length <= NUMBERS_MAX || i === index || near.includes(i);
    // Who is numbered first has the best place.
    const numbered = [index, ...near, ...order.filter((i) => !near.includes(i))].filter(isNumbered);
    const numbers = placeNumbers(numbered, place, [...this.#texts.keys()].map(place));
    const points = [...order, index].map((i) => this.#point(i, place(i), numbers.get(i)));
    this.#svg.replaceChildren(...axes, ...lines, ...points);
    this.#tell(index);
  }

  #point(index: number, [cx, cy]: Position, number: Position | undefined): SVGElement {
    const isChosen = index === this.#chosen;
    const parts = [
      makeSvg("circle", { class: "target", cx, cy, r: 14 }),
      makeSvg("circle", { cx, cy, r: isChosen ? 6 : this.#radius }),
    ];
    if (number !== undefined) {
      const [x, y] = number;
      parts.push(makeSvg("text", { x, y }, `${index + 1}`));
    }
    const point = makeSvg("g", { class: isChosen ? "chosen" : "", "data-index": index }, ...parts);
    point.addEventListener("pointerenter", () => this.#tell(index));
    point.addEventListener("pointerleave", () => this.#tell(this.#chosen));
    point.addEventListener("click", () => this.#onChoose(index));
    return point;
  }

  get #radius(): number {
    return this.#texts.length <= NUMBERS_MAX ? 4.5 : 3;
  }

  /** One scale for both axes, so that distances may be compared. */
  #scale(): (index: number) => Position {
    const { points } = this.#plane;
    const extent = (axis: 0 | 1) => Math.max(1e-9, ...points.map((point) => Math.abs(point[axis])));
    const scale = Math.min((WIDTH / 2 - MARGIN) / extent(0), (HEIGHT / 2 - MARGIN) / extent(1));
    return (index) => {
      const [x, y] = points[index]!;
      const round = (value: number) => Math.round(value * 100) / 100;
      return [round(WIDTH / 2 + x * scale), round(HEIGHT / 2 - y * scale)];
    };
  }

  #tell(index: number): void {
    const text = this.#texts[index];
    if (text === undefined) return;
    this.#readout.replaceChildren(`${index + 1} `, quote(shorten(text, 80)));
  }

  #onKey(event: KeyboardEvent): void {
    const steps: Readonly<Record<string, number>> = {
      ArrowRight: 1,
      ArrowDown: 1,
      ArrowLeft: -1,
      ArrowUp: -1,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const { length } = this.#texts;
    this.#onChoose((this.#chosen + step + length) % length);
  }

  #fillTable(): void {
    const place = this.#details.lastElementChild!;
    if (!this.#details.open) {
      place.replaceChildren();
      return;
    }
    const head = ["Text", "First", "Second"].map((name) => make("th", { scope: "col" }, name));
    const rows = this.#texts.map((text, i) => {
      const title = make("th", { scope: "row" }, `${i + 1} `, quote(shorten(text, 60)));
      const cells = this.#plane.points[i]!.map((value) => make("td", {}, formatNumber(value, 3)));
      return make("tr", {}, title, ...cells);
    });
    const table = make(
      "table",
      {},
      make("caption", {}, "Position on the first two principal components"),
      make("thead", {}, make("tr", {}, ...head)),
      make("tbody", {}, ...rows),
    );
    place.replaceChildren(table);
  }
}

/** Of a number in the drawing's own units; all digits are as wide. */
const DIGIT_WIDTH = 7;
const NUMBER_HEIGHT = 11;
const CLEARANCE = 8;

/**
 * Where numbers begin, beside their points: right, left, above or below, the first that covers no
 * other number and no point. Where all do, there is none.
 */
function placeNumbers(
  indices: readonly number[],
  place: (index: number) => Position,
  points: readonly Position[],
): ReadonlyMap<number, Position> {
  const placed = new Map<number, Position>();
  const taken: (readonly [x: number, y: number, width: number])[] = [];
  for (const index of indices) {
    const [cx, cy] = place(index);
    const width = `${index + 1}`.length * DIGIT_WIDTH;
    const candidates: readonly Position[] = [
      [cx + CLEARANCE, cy + 4],
      [cx - CLEARANCE - width, cy + 4],
      [cx - width / 2, cy - CLEARANCE],
      [cx - width / 2, cy + CLEARANCE + NUMBER_HEIGHT - 2],
    ];
    const free = candidates.find(([x, y]) => {
      const isOver = ([px, py]: Position) =>
        px > x - 4 && px < x + width + 4 && py > y - NUMBER_HEIGHT - 2 && py < y + 3;
      const meets = ([ox, oy, other]: readonly [number, number, number]) =>
        ox < x + width && x < ox + other && Math.abs(oy - y) < NUMBER_HEIGHT;
      return !points.some(isOver) && !taken.some(meets);
    });
    const chosen = free ?? (placed.size === 0 ? candidates[0] : undefined);
    if (chosen === undefined) continue;
    placed.set(index, chosen);
    taken.push([...chosen, width]);
  }
  return placed;
}
