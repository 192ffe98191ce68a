import { bar, type ProgressSurface, StatusLine, timeLeft } from "./status-line.ts";

export interface ProgressState {
  /** How much of the input is done, in the unit of the input's size. */
  readonly done: number;
  readonly texts: number;
  readonly tokens: number;
}

/** Tells how far through an input of this size the work is; undefined where nobody knows it. */
export class Progress extends StatusLine<ProgressState> {
  constructor(size: number | undefined, surface: ProgressSurface) {
    super((state, ...seconds) => progressLine(state, size, ...seconds), surface);
  }
}

function progressLine(
  state: ProgressState,
  size: number | undefined,
  workSeconds: number,
  sinceSeconds: number,
): string {
  const texts = `${state.texts.toLocaleString("en-US")} ${state.texts === 1 ? "text" : "texts"}`;
  const rate = Math.round(state.tokens / workSeconds).toLocaleString("en-US");
  const counts = `${texts}, ${rate} tokens/s`;
  if (size === undefined) return counts;
  const fraction = Math.min(1, state.done / size);
  const left = timeLeft(fraction, workSeconds, sinceSeconds);
  return `${bar(fraction)} ${counts}, ${left}`;
}
