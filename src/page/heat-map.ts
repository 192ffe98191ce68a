import { figure, find, formatNumber, make, quote } from "./dom.ts";
import { shorten } from "./texts.ts";
import { at, type Matrix, rangeOf } from "./vectors.ts";

/** Cells below this, in CSS pixels, have no label beside them. */
const LABEL_PX_MIN = 13;
/** Cells from this on show their value. */
const VALUE_PX_MIN = 28;
const CELL_PX_MAX = 56;
/** With texts beside the cells, the cells have this share of the width. */
const CELLS_SHARE = 0.66;
const LABEL_WIDTH_MIN = 460;

const HINT = "Point at a cell, or move with the arrow keys.";

type Colour = readonly [red: number, green: number, blue: number];

/** Cosines of all pairs as colours, as a line of text for the cell under the cursor, as a table. */
export class HeatMap {
  readonly #canvas = find("heat", HTMLCanvasElement);
  readonly #labels = find("heat-labels", HTMLOListElement);
  readonly #readout = find("heat-readout", HTMLElement);
  readonly #details = find("heat-details", HTMLDetailsElement);
  readonly #onChoose: (index: number) => void;
  #matrix: Matrix = { size: 0, values: new Float64Array() };
  #texts: readonly string[] = [];
  #chosen = 0;
  #cursor: readonly [row: number, column: number] | undefined;
  #picture: Picture | undefined;

  constructor(onChoose: (index: number) => void) {
    this.#onChoose = onChoose;
    this.#canvas.addEventListener("pointermove", (event) => this.#point(this.#cellAt(event)));
    this.#canvas.addEventListener("pointerleave", () => this.#point(undefined));
    this.#canvas.addEventListener("click", (event) => this.#onChoose(this.#cellAt(event)[0]));
    this.#canvas.addEventListener("keydown", (event) => this.#onKey(event));
    this.#details.addEventListener("toggle", () => this.#fillTable());
    new ResizeObserver(() => this.#draw()).observe(this.#canvas.parentElement!);
  }

  show(matrix: Matrix, texts: readonly string[]): void {
    this.#matrix = matrix;
    this.#texts = texts;
    this.#picture = undefined;
    this.#labels.replaceChildren(
      ...texts.map((text, i) => {
        const label = make("li", {}, make("i", {}, `${i + 1}`), quote(shorten(text, 60)));
        label.addEventListener("click", () => this.#onChoose(i));
        return label;
      }),
    );
    const range = rangeOf(matrix);
    find("legend", HTMLElement).hidden = range === undefined;
    const [low, high] = range ?? [0, 0];
    find("legend-low", HTMLElement).textContent = formatNumber(low, 3);
    find("legend-high", HTMLElement).textContent = formatNumber(high, 3);
    this.#point(undefined);
    this.#fillTable();
  }

  choose(index: number): void {
    this.#chosen = index;
    for (const [i, label] of [...this.#labels.children].entries()) {
      label.toggleAttribute("data-chosen", i === index);
    }
    this.#draw();
  }

  /** In the colours that hold now. */
  repaint(): void {
    this.#picture = undefined;
    this.#draw();
  }

  #draw(): void {
    const { size } = this.#matrix;
    const width = this.#canvas.parentElement!.clientWidth;
    if (size === 0 || width === 0) return;
    const isWide = width >= LABEL_WIDTH_MIN || (width * CELLS_SHARE) / size >= VALUE_PX_MIN;
    this.#labels.classList.toggle("numbers", !isWide);
    this.#labels.hidden = false;
    let room = width - this.#labels.offsetWidth;
    if (room / size < LABEL_PX_MIN) {
      this.#labels.hidden = true;
      room = width;
    }
    const cell = Math.min(CELL_PX_MAX, room / size);
    for (const label of this.#labels.children) {
      (label as HTMLElement).style.height = `${cell}px`;
    }
    const ratio = window.devicePixelRatio;
    const isFresh = this.#picture?.cell === cell && this.#picture.ratio === ratio;
    const picture = isFresh ? this.#picture! : this.#paint(cell, ratio);
    this.#picture = picture;
    const canvas = this.#canvas;
    canvas.width = picture.canvas.width;
    canvas.height = picture.canvas.height;
    canvas.style.flex = `0 0 ${cell * size}px`;
    canvas.style.height = `${cell * size}px`;
    const context = canvas.getContext("2d")!;
    context.drawImage(picture.canvas, 0, 0);
    this.#outline(context, picture);
  }

  #paint(cell: number, ratio: number): Picture {
    const { size } = this.#matrix;
    const canvas = make("canvas");
    canvas.width = Math.round(cell * size * ratio);
    canvas.height = canvas.width;
    const context = canvas.getContext("2d")!;
    const palette = new Palette(this.#canvas);
    const [low, high] = rangeOf(this.#matrix) ?? [0, 1];
    const edge = (i: number) => Math.round(i * cell * ratio);
    // Small cells touch; larger ones have a hair between them.
    const gap = cell < 8 ? 0 : Math.round(ratio);
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.font = `${11 * ratio}px ${getComputedStyle(this.#canvas).fontFamily}`;
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++) {
        const value = at(this.#matrix, row, column);
        const share = high > low ? (value - low) / (high - low) : 0.5;
        const isSelf = row === column;
        const colour = isSelf ? palette.self : palette.at(share);
        const [x, y] = [edge(column), edge(row)];
        const [w, h] = [edge(column + 1) - x - gap, edge(row + 1) - y - gap];
        context.fillStyle = `rgb(${colour.join()})`;
        context.fillRect(x, y, w, h);
        if (isSelf ? cell < LABEL_PX_MIN + 3 : cell < VALUE_PX_MIN) continue;
        context.fillStyle = palette.inkOn(colour);
        const told = isSelf ? `${row + 1}` : formatNumber(value, 2).replace("0.", ".");
        context.fillText(told, x + w / 2, y + h / 2);
      }
    }
    return { canvas, palette, cell, ratio, edge, gap };
  }

  #outline(context: CanvasRenderingContext2D, { edge, gap, palette, ratio }: Picture): void {
    const { size } = this.#matrix;
    context.lineWidth = 2 * ratio;
    const inset = ratio;
    const frame = (row: number, from: number, to: number) => {
      const [x, y] = [edge(from), edge(row)];
      const [w, h] = [edge(to) - x - gap, edge(row + 1) - y - gap];
      context.strokeRect(x + inset, y + inset, w - 2 * inset, h - 2 * inset);
    };
    context.strokeStyle = palette.accent;
    if (size > 1) frame(this.#chosen, 0, size);
    if (this.#cursor === undefined) return;
    const [row, column] = this.#cursor;
    context.strokeStyle = palette.ink;
    frame(row, column, column + 1);
  }

  #cellAt({ offsetX, offsetY }: MouseEvent): readonly [number, number] {
    const { size } = this.#matrix;
    const cell = this.#canvas.clientWidth / size;
    const index = (offset: number) => Math.min(size - 1, Math.max(0, Math.floor(offset / cell)));
    return [index(offsetY), index(offsetX)];
  }

  #point(cell: readonly [number, number] | undefined): void {
    const [row, column] = this.#cursor ?? [];
    if (cell !== undefined && cell[0] === row && cell[1] === column) return;
    this.#cursor = cell;
    this.#draw();
    if (cell === undefined) {
      this.#readout.replaceChildren(HINT);
      return;
    }
    const name = (i: number) => [`${i + 1} `, quote(shorten(this.#texts[i]!, 40))];
    const value = figure(at(this.#matrix, cell[0], cell[1]));
    const parts = [value, " · ", ...name(cell[0]), " · ", ...name(cell[1])];
    this.#readout.replaceChildren(...parts);
  }

  #onKey(event: KeyboardEvent): void {
    const last = this.#matrix.size - 1;
    const [row, column] = this.#cursor ?? [this.#chosen, this.#chosen];
    const moves: Readonly<Record<string, readonly [number, number]>> = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      Home: [row, 0],
      End: [row, last],
    };
    const to = moves[event.key];
    if (to !== undefined) {
      const within = (i: number) => Math.min(last, Math.max(0, i));
      this.#point([within(to[0]), within(to[1])]);
    } else if (event.key === "Enter" || event.key === " ") {
      this.#onChoose(row);
    } else {
      return;
    }
    event.preventDefault();
  }

  /** Tens of thousands of cells are made for those who open it. */
  #fillTable(): void {
    const place = this.#details.lastElementChild!;
    if (!this.#details.open) {
      place.replaceChildren();
      return;
    }
    const { size } = this.#matrix;
    const columns = Array.from({ length: size }, (_, i) => i);
    const head = columns.map((i) => make("th", { scope: "col" }, `${i + 1}`));
    const rows = columns.map((row) => {
      const title = make(
        "th",
        { scope: "row" },
        `${row + 1} `,
        quote(shorten(this.#texts[row]!, 60)),
      );
      const cells = columns.map((column) => make("td", {}, figure(at(this.#matrix, row, column))));
      return make("tr", {}, title, ...cells);
    });
    const corner = make("th", { scope: "col" }, "Text");
    const table = make(
      "table",
      {},
      make("caption", {}, "Cosine of each pair of texts"),
      make("thead", {}, make("tr", {}, corner, ...head)),
      make("tbody", {}, ...rows),
    );
    place.replaceChildren(table);
  }
}

/** The cells as they were painted last: a cursor that moves does not change them. */
interface Picture {
  readonly canvas: HTMLCanvasElement;
  readonly palette: Palette;
  /** Side of a cell in CSS pixels. */
  readonly cell: number;
  /** Pixels of the canvas in one of those. */
  readonly ratio: number;
  /** Where a row or column begins, in pixels of the canvas. */
  edge(index: number): number;
  /** Between cells, in pixels of the canvas. */
  readonly gap: number;
}

/** The colours of the style sheet as numbers, of the scheme that is shown now. */
class Palette {
  readonly #stops: readonly Colour[];
  readonly self: Colour;
  readonly accent: string;
  readonly ink: string;
  readonly #inks: readonly [Colour, Colour] = [
    [0, 0, 0],
    [255, 255, 255],
  ];

  constructor(place: HTMLElement) {
    const probe = make("span");
    place.parentElement!.append(probe);
    const read = (name: string): Colour => {
      probe.style.color = `var(--${name})`;
      const [red, green, blue] = getComputedStyle(probe).color.match(/\d+/g)!.map(Number);
      return [red!, green!, blue!];
    };
    this.#stops = ["heat-low", "heat-middle", "heat-high"].map(read);
    this.self = read("sunken");
    this.accent = `rgb(${read("accent").join()})`;
    this.ink = `rgb(${read("text").join()})`;
    probe.remove();
  }

  /** `share` from 0 to 1. */
  at(share: number): Colour {
    const place = Math.min(1, Math.max(0, share)) * (this.#stops.length - 1);
    const index = Math.min(this.#stops.length - 2, Math.floor(place));
    const [from, to] = [this.#stops[index]!, this.#stops[index + 1]!];
    const mix = (i: 0 | 1 | 2) => Math.round(from[i] + (to[i] - from[i]) * (place - index));
    return [mix(0), mix(1), mix(2)];
  }

  /** Black or white, whichever can be read better. */
  inkOn(colour: Colour): string {
    const [dark, light] = this.#inks;
    const ink = contrast(colour, dark) >= contrast(colour, light) ? dark : light;
    return `rgb(${ink.join()})`;
  }
}

/** https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
function contrast(a: Colour, b: Colour): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light! + 0.05) / (dark! + 0.05);
}

function luminance(colour: Colour): number {
  const [red, green, blue] = colour.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}
