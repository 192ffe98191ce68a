/**
 * A report as a picture: on the left each weight format with its interval, on the right what fewer
 * dimensions and smaller encodings cost the first of them.
 */
import type { Encoding } from "../../src/index.ts";
import { escapeXml } from "../xml.ts";
import { fullOf, GROUP_NAMES, groupsIn, METRIC_NAMES } from "./document.ts";
import { type Estimate, type Group, METRICS, type Metric } from "./figures.ts";
import type { Report } from "./report.ts";

const PANEL = { width: 470, height: 260 };
/** Around the axes of a panel: the scale and its title, the legend, the names below. */
const MARGIN = { left: 62, top: 58, right: 18, bottom: 72 };
const TITLE_HEIGHT = 30;
const TICKS = 5;
/** Of an axis. */
const TITLE = 'text-anchor="middle" fill="#444444"';

interface Point extends Estimate {
  /** From 0, left, to 1, right. */
  readonly at: number;
}

interface Series {
  readonly name: string;
  readonly color: string;
  readonly points: readonly Point[];
  /** Whether its points lie on one line. */
  readonly joined: boolean;
}

interface Panel {
  readonly title: string;
  readonly up: string;
  readonly across: string;
  readonly names: readonly { readonly at: number; readonly text: string }[];
  readonly series: readonly Series[];
}

// Okabe and Ito's colours, which people with any colour vision tell apart.
const GROUP_COLORS: Readonly<Record<Group, string>> = {
  english: "#0072b2",
  all: "#009e73",
  across: "#d55e00",
};
const ENCODING_COLORS: Readonly<Record<Encoding, string>> = {
  float32: "#0072b2",
  int8: "#e69f00",
  binary: "#cc79a7",
};

export function drawReport(report: Report): string {
  const panels = METRICS.flatMap((metric) => [
    formatsPanel(report, metric),
    settingsPanel(report, metric),
  ]);
  const width = 2 * PANEL.width;
  const height = TITLE_HEIGHT + METRICS.length * PANEL.height;
  const { models, resamples } = report;
  const title = `${models[0]?.name}: a small set, ${resamples} resamples, bars are 95 % intervals`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ` +
      `width="${width}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    text(width / 2, 20, title, 'text-anchor="middle" font-size="14" font-weight="bold"'),
    ...panels.map((panel, index) => {
      const x = (index % 2) * PANEL.width;
      const y = TITLE_HEIGHT + Math.floor(index / 2) * PANEL.height;
      return `<g transform="translate(${x} ${y})">\n${drawPanel(panel)}\n</g>`;
    }),
    "</svg>\n",
  ].join("\n");
}

function formatsPanel(report: Report, metric: Metric): Panel {
  const { models } = report;
  const groups = groupsIn(report);
  const column = (index: number) => (index + 0.5) / models.length;
  return {
    title: `${METRIC_NAMES[metric]} by weight format`,
    up: METRIC_NAMES[metric],
    across: "weight format (all components, float32)",
    names: models.map(({ label }, index) => ({ at: column(index), text: label })),
    series: groups.map((group, place) => ({
      name: GROUP_NAMES[group],
      color: GROUP_COLORS[group],
      joined: false,
      points: models.flatMap((model, index) => {
        const found = fullOf(model).groups[group]?.[metric];
        // Side by side, so that no bar hides another.
        const aside = (place - (groups.length - 1) / 2) * Math.min(0.02, 0.25 / models.length);
        return found === undefined ? [] : [{ ...found, at: column(index) + aside }];
      }),
    })),
  };
}

function settingsPanel(report: Report, metric: Metric): Panel {
  const [model] = report.models;
  const [group] = groupsIn(report);
  const settings = model?.settings ?? [];
  const dimensions = [...new Set(settings.map((setting) => setting.dimensions))].reverse();
  const encodings = [...new Set(settings.map((setting) => setting.encoding))];
  const column = (count: number) => (dimensions.indexOf(count) + 0.5) / dimensions.length;
  return {
    title: `${METRIC_NAMES[metric]} of ${model?.label}, ${group && GROUP_NAMES[group]}`,
    up: METRIC_NAMES[metric],
    across: "dimensions",
    names: dimensions.map((count) => ({ at: column(count), text: String(count) })),
    series: encodings.map((encoding, place) => ({
      name: encoding,
      color: ENCODING_COLORS[encoding],
      joined: true,
      points: settings
        .filter((setting) => setting.encoding === encoding)
        .flatMap((setting) => {
          const found = group && setting.groups[group]?.[metric];
          const aside = (place - (encodings.length - 1) / 2) * 0.02;
          return found ? [{ ...found, at: column(setting.dimensions) + aside }] : [];
        })
        .reverse(),
    })),
  };
}

function drawPanel(panel: Panel): string {
  const { left, top, right, bottom } = MARGIN;
  const [width, height] = [PANEL.width - left - right, PANEL.height - top - bottom];
  const scale = scaleOf(panel.series.flatMap(({ points }) => points));
  const x = (at: number) => left + at * width;
  const y = (value: number) => top + (1 - (value - scale.low) / (scale.high - scale.low)) * height;
  const middle = top + height / 2;
  const isCrowded = panel.names.reduce((sum, { text: name }) => sum + name.length, 0) > 50;
  return [
    text(left, 16, panel.title, 'font-weight="bold"'),
    ...drawLegend(panel.series, left, 36),
    ...scale.ticks.flatMap((tick) => [
      line(left, y(tick), left + width, y(tick), "#dddddd"),
      text(
        left - 8,
        y(tick) + 4,
        tick.toFixed(scale.decimals).replace("-", "−"),
        'text-anchor="end"',
      ),
    ]),
    line(left, top, left, top + height, "black"),
    line(left, top + height, left + width, top + height, "black"),
    ...panel.names.map(({ at, text: name }) => {
      const [px, py] = [x(at), top + height + 16];
      return isCrowded
        ? text(px, py, name, `text-anchor="end" transform="rotate(-35 ${fixed(px)} ${fixed(py)})"`)
        : text(px, py, name, 'text-anchor="middle"');
    }),
    text(left + width / 2, PANEL.height - 10, panel.across, TITLE),
    text(16, middle, panel.up, `${TITLE} transform="rotate(-90 16 ${fixed(middle)})"`),
    ...panel.series.flatMap((series) => drawSeries(series, x, y)),
  ].join("\n");
}

function drawLegend(series: readonly Series[], left: number, y: number): string[] {
  return series.flatMap(({ name, color }, index) => {
    const x = left + index * 125;
    return [`<circle cx="${x + 5}" cy="${y}" r="4" fill="${color}"/>`, text(x + 14, y + 4, name)];
  });
}

function drawSeries(
  { color, points, joined, name }: Series,
  x: (at: number) => number,
  y: (value: number) => number,
): string[] {
  const path = points.map(({ at, value }) => `${fixed(x(at))},${fixed(y(value))}`).join(" ");
  return [
    ...(joined ? [`<polyline points="${path}" fill="none" stroke="${color}"/>`] : []),
    ...points.flatMap(({ at, value, low, high }) => [
      line(x(at), y(low), x(at), y(high), color),
      `<circle cx="${fixed(x(at))}" cy="${fixed(y(value))}" r="3.5" fill="${color}">` +
        `<title>${escapeXml(name)}: ${value.toFixed(3)}</title></circle>`,
    ]),
  ];
}

/** Round ticks that enclose all points and their bars. */
function scaleOf(points: readonly Point[]) {
  const least = Math.min(...points.map(({ low, value }) => Math.min(low, value)));
  const most = Math.max(...points.map(({ high, value }) => Math.max(high, value)));
  const wanted = Math.max(most - least, 0.01) / TICKS;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const step = ([1, 2, 5, 10].find((each) => each * power >= wanted) ?? 10) * power;
  const [first, last] = [Math.floor(least / step), Math.ceil(most / step)];
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  const decimals = Math.max(0, -Math.floor(Math.log10(step * 1.001)));
  return { low: first * step, high: last * step, ticks, decimals };
}

function line(x1: number, y1: number, x2: number, y2: number, color: string): string {
  const [a, b, c, d] = [x1, y1, x2, y2].map(fixed);
  return `<line x1="${a}" y1="${b}" x2="${c}" y2="${d}" stroke="${color}"/>`;
}

function text(x: number, y: number, content: string, attributes = ""): string {
  const space = attributes === "" ? "" : " ";
  return `<text x="${fixed(x)}" y="${fixed(y)}"${space}${attributes}>${escapeXml(content)}</text>`;
}

function fixed(value: number): string {
  return value.toFixed(1);
}
