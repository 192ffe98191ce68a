import { stderrIsTerminal, stdoutIsTerminal, WIPE_LINE, writeStderr } from "./terminal.ts";

/** Work shorter than this needs no bar. */
const DELAY_MS = 1000;
const REDRAW_INTERVAL_MS = 100;
const BAR_WIDTH = 24;
const COLUMNS_DEFAULT = 80;

/** Where the bar is drawn, and when: replaced in tests. */
export interface ProgressSurface {
  readonly visible: boolean;
  readonly columns: number;
  write(text: string): void;
  /** Milliseconds. */
  now(): number;
  /** Calls back again and again until the function that it returns is called. */
  every(intervalMs: number, callback: () => void): () => void;
}

/**
 * What long work says of `state` on one line.
 *
 * @param workSeconds that `state` took
 * @param sinceSeconds that have passed since
 */
export type Describe<State> = (state: State, workSeconds: number, sinceSeconds: number) => string;

/** A line on stderr for long work, on terminals only; nothing is left of it at the end. */
export class StatusLine<State> {
  readonly #describe: Describe<State>;
  readonly #surface: ProgressSurface;
  readonly #start: number;
  readonly #stop: () => void;
  #state: State | undefined;
  #updated = 0;
  #drawn = false;

  constructor(describe: Describe<State>, surface: ProgressSurface) {
    this.#describe = describe;
    this.#surface = surface;
    this.#start = surface.now();
    // By the clock and not by results: these come in bursts, a batch at a time.
    const draw = () => this.#draw();
    this.#stop = surface.visible ? surface.every(REDRAW_INTERVAL_MS, draw) : () => {};
  }

  update(state: State): void {
    this.#state = state;
    this.#updated = this.#surface.now();
  }

  readonly clear = (): void => {
    this.#stop();
    if (!this.#drawn) return;
    this.#drawn = false;
    process.off("exit", this.clear);
    this.#surface.write(WIPE_LINE);
  };

  #draw(): void {
    const now = this.#surface.now();
    if (now - this.#start < DELAY_MS || this.#state === undefined) return;
    // A signal ends the process without coming back here.
    if (!this.#drawn) process.once("exit", this.clear);
    this.#drawn = true;
    const workSeconds = (this.#updated - this.#start) / 1000;
    const sinceSeconds = (now - this.#updated) / 1000;
    const line = this.#describe(this.#state, workSeconds, sinceSeconds);
    this.#surface.write(WIPE_LINE + line.slice(0, this.#surface.columns - 1));
  }
}

/** stderr, unless the output itself goes to the terminal. */
export function stderrSurface(outputIsStdout: boolean): ProgressSurface {
  return {
    visible: stderrIsTerminal() && !(outputIsStdout && stdoutIsTerminal()),
    columns: process.stderr.columns ?? COLUMNS_DEFAULT,
    write: writeStderr,
    now: () => performance.now(),
    every(intervalMs, callback) {
      const timer = setInterval(callback, intervalMs);
      return () => clearInterval(timer);
    },
  };
}

/** ` 25% [######..................]` */
export function bar(fraction: number): string {
  const filled = "#".repeat(Math.round(fraction * BAR_WIDTH)).padEnd(BAR_WIDTH, ".");
  return `${`${Math.floor(fraction * 100)}%`.padStart(4)} [${filled}]`;
}

/** What is left of work that took so long for this fraction. */
export function timeLeft(fraction: number, workSeconds: number, sinceSeconds: number): string {
  return `${duration(Math.max(0, workSeconds / fraction - workSeconds - sinceSeconds))} left`;
}

function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
