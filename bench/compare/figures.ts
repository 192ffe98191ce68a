/** Figures: what a case says, in numbers that a bar can be set to. */
import type { Spread } from "./statistics.ts";

/** Seconds, bytes, multiply-adds a second; a share is of 1. */
export type Unit =
  | "tokens/s"
  | "bytes/s"
  | "macs/s"
  | "seconds"
  | "bytes"
  | "times"
  | "share"
  | "error";

export interface Quantity {
  readonly value: number;
  readonly unit: Unit;
}

/** What is asked of a figure. */
export interface Bar {
  readonly sense: "≥" | "≤";
  readonly value: number;
}

export interface Figure {
  /** What is measured, to be read after the title of the case. */
  readonly what: string;
  readonly unit: Unit;
  /** Of all rounds; where one figure is made of all of them, that one. */
  readonly spread: Spread;
  /** Null where nothing is asked. */
  readonly bar: Bar | null;
  /** What the figure is made of: ours, and what is beside it. */
  readonly ours?: Quantity;
  readonly beside?: Quantity;
}

export const atLeast = (value: number): Bar => ({ sense: "≥", value });
export const atMost = (value: number): Bar => ({ sense: "≤", value });

/** Undefined where nothing is asked. */
export function isMet({ bar, spread }: Figure): boolean | undefined {
  if (bar === null) return undefined;
  return bar.sense === "≥" ? spread.median >= bar.value : spread.median <= bar.value;
}

const FORMATS: Readonly<Record<Unit, (value: number) => string>> = {
  "tokens/s": (value) => `${value.toFixed(0)} tokens/s`,
  "bytes/s": (value) => `${(value / 1e6).toFixed(2)} MB/s`,
  "macs/s": (value) => `${(value / 1e9).toFixed(0)} G/s`,
  seconds: (value) => `${(value * 1e3).toFixed(2)} ms`,
  bytes: (value) => `${(value / 1e6).toFixed(0)} MB`,
  times: (value) => `${value.toFixed(2)}×`,
  share: (value) => `${(value * 100).toFixed(1)} %`,
  error: (value) => value.toExponential(2),
};

export function formatQuantity({ value, unit }: Quantity): string {
  return FORMATS[unit](value);
}

/** A figure in words; what there is none of is empty. */
export interface FigureText {
  readonly figure: string;
  /** Lowest and highest round. */
  readonly range: string;
  readonly bar: string;
  readonly met: string;
  readonly ours: string;
  readonly beside: string;
}

export function describeFigure(figure: Figure): FigureText {
  const { unit, spread, bar, ours, beside } = figure;
  const { median, min, max } = spread;
  const format = (value: number) => formatQuantity({ value, unit });
  const met = isMet(figure);
  return {
    figure: format(median),
    range: min === max ? "" : `${format(min)} – ${format(max)}`,
    bar: bar === null ? "" : `${bar.sense} ${format(bar.value)}`,
    met: met === undefined ? "" : met ? "yes" : "**no**",
    ours: ours === undefined ? "" : formatQuantity(ours),
    beside: beside === undefined ? "" : formatQuantity(beside),
  };
}
