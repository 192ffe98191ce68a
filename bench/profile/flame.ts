/**
 * Flame graphs (after Brendan Gregg's): stacks that `perf script` printed become boxes, one above
 * the function that called it, as wide as its share of the samples.
 */
import { escapeXml } from "../xml.ts";

/** A function and the samples in it and above it. */
export interface Frame {
  readonly name: string;
  samples: number;
  readonly above: Map<string, Frame>;
}

const WIDTH = 1200;
const ROW = 18;
/** Narrower boxes are left out. */
const LEAST_WIDTH = 1;
const LETTER_WIDTH = 6.6;

/** Reads `perf script -F comm,ip,sym`: a head line, then frames from the innermost out. */
export function readStacks(script: string): Frame {
  const root: Frame = { name: "all", samples: 0, above: new Map() };
  for (const block of script.split(/\n\s*\n/)) {
    const [head, ...frames] = block.split("\n").filter((line) => line.trim() !== "");
    if (head === undefined) continue;
    const names = frames.map((line) => line.trim().replace(/^[0-9a-f]+\s+/, ""));
    let frame = root;
    frame.samples += 1;
    for (const name of [head.trim(), ...names.reverse()]) {
      const next = frame.above.get(name) ?? { name, samples: 0, above: new Map() };
      frame.above.set(name, next);
      next.samples += 1;
      frame = next;
    }
  }
  return root;
}

/** `a;b;c N`, a line a stack: what other tools read. */
export function foldStacks(root: Frame): string {
  const lines: string[] = [];
  const visit = (frame: Frame, path: readonly string[]) => {
    const own = frame.above.values().reduce((rest, next) => rest - next.samples, frame.samples);
    if (own > 0 && path.length > 0) lines.push(`${path.join(";")} ${own}`);
    for (const next of frame.above.values()) {
      visit(next, [...path, next.name.replaceAll(";", ":")]);
    }
  };
  visit(root, []);
  return lines.map((line) => `${line}\n`).join("");
}

export function drawFlames(root: Frame, title: string): string {
  const boxes: string[] = [];
  let depthMax = 0;
  const draw = (frame: Frame, x: number, depth: number) => {
    const width = (frame.samples / root.samples) * WIDTH;
    if (width < LEAST_WIDTH) return;
    depthMax = Math.max(depthMax, depth);
    boxes.push(drawBox(frame, x, depth, width, root.samples));
    let at = x;
    const next = [...frame.above.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const child of next) {
      draw(child, at, depth + 1);
      at += (child.samples / root.samples) * WIDTH;
    }
  };
  draw(root, 0, 0);
  const height = (depthMax + 3) * ROW;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" ` +
      'font-family="monospace" font-size="11">',
    `<text x="4" y="14">${escapeXml(title)}, ${root.samples} samples</text>`,
    // From the bottom up.
    `<g transform="translate(0 ${height}) scale(1 -1)">`,
    ...boxes,
    "</g>",
    "</svg>\n",
  ].join("\n");
}

function drawBox(frame: Frame, x: number, depth: number, width: number, all: number): string {
  const y = depth * ROW;
  const share = ((frame.samples / all) * 100).toFixed(2);
  const letters = Math.floor((width - 6) / LETTER_WIDTH);
  const label = frame.name.length > letters ? `${frame.name.slice(0, letters - 1)}…` : frame.name;
  const text =
    letters < 3
      ? ""
      : `<text transform="translate(${(x + 3).toFixed(1)} ${y + 5}) scale(1 -1)">` +
        `${escapeXml(label)}</text>`;
  return (
    `<g><title>${escapeXml(frame.name)}: ${frame.samples} samples, ${share} %</title>` +
    `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${ROW - 1}" ` +
    `fill="${colorOf(frame.name)}"/>${text}</g>`
  );
}

/** Warm, and the same for the same name. */
function colorOf(name: string): string {
  const hash = Number(BigInt(Bun.hash(name)) % 256n);
  return `rgb(${235 + (hash % 20)},${130 + (hash >> 2)},${60 + (hash >> 3)})`;
}
