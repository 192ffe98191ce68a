/** One figure of a soak, and what it must not exceed. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly max?: number;
}

export interface Soak {
  /** What it does, in a sentence for a person. */
  readonly title: string;
  readonly figures: readonly Figure[];
}

/** `tiny` is for `bun run check`: a second or two, and figures that say little. */
export type Size = "full" | "tiny";

export function isMet({ value, max }: Figure): boolean {
  return max === undefined || value <= max;
}

export function formatFigure({ value, unit }: Figure): string {
  const text = Number.isInteger(value) ? value.toLocaleString("en-US") : value.toFixed(1);
  return unit === "" ? text : `${text} ${unit}`;
}

/** Resident memory of this process in megabytes, what nobody uses any more given back first. */
export function residentMegabytes(): number {
  Bun.gc(true);
  return process.memoryUsage.rss() / 1e6;
}
