import { expect, test } from "bun:test";
import { withDownloadBar } from "../../src/cli/download-bar.ts";
import { Progress } from "../../src/cli/progress.ts";

const WIPE = "\r\x1b[K";

/** A terminal whose clock the test moves. */
class Screen {
  readonly visible: boolean;
  readonly columns: number;
  readonly written: string[] = [];
  #ms = 0;
  #timer: { readonly intervalMs: number; readonly callback: () => void } | undefined;

  constructor(visible = true, columns = 80) {
    this.visible = visible;
    this.columns = columns;
  }

  write(text: string): void {
    this.written.push(text);
  }

  now(): number {
    return this.#ms;
  }

  every(intervalMs: number, callback: () => void): () => void {
    this.#timer = { intervalMs, callback };
    return () => {
      this.#timer = undefined;
    };
  }

  /** Lets time pass up to `ms`. */
  at(ms: number): void {
    const interval = this.#timer?.intervalMs ?? ms;
    while (this.#ms < ms) {
      this.#ms += interval;
      this.#timer?.callback();
    }
  }
}

test("work of less than a second shows nothing", () => {
  const screen = new Screen();
  const progress = new Progress(10, screen);
  progress.update({ done: 9, texts: 9, tokens: 90 });
  screen.at(900);
  progress.clear();
  screen.at(3000);
  expect(screen.written).toEqual([]);
});

test("long work shows the share done, the rate and the time left, then wipes it", () => {
  const screen = new Screen();
  const progress = new Progress(400, screen);
  screen.at(2000);
  progress.update({ done: 100, texts: 1234, tokens: 5000 });
  screen.at(2200);
  progress.clear();
  const line = " 25% [######..................] 1,234 texts, 2,500 tokens/s, 6 s left";
  expect(screen.written).toEqual([WIPE + line, WIPE + line, WIPE]);
});

test("an input of unknown size shows counts only", () => {
  const screen = new Screen();
  const progress = new Progress(undefined, screen);
  screen.at(500);
  progress.update({ done: 5, texts: 1, tokens: 25 });
  screen.at(1000);
  progress.clear();
  expect(screen.written).toEqual([`${WIPE}1 text, 50 tokens/s`, WIPE]);
});

test("redraws ten times a second, within the width of the terminal", () => {
  const screen = new Screen(true, 20);
  const progress = new Progress(100, screen);
  progress.update({ done: 1, texts: 1, tokens: 1 });
  screen.at(2000);
  progress.clear();
  expect(screen.written).toHaveLength(12);
  expect(screen.written[0]).toHaveLength(WIPE.length + 19);
});

test("is silent where stderr is no terminal, and leaves no exit handler behind", () => {
  const handlers = process.listenerCount("exit");
  for (const visible of [true, false]) {
    const screen = new Screen(visible);
    const progress = new Progress(100, screen);
    progress.update({ done: 1, texts: 1, tokens: 1 });
    screen.at(1000);
    expect(screen.written).toHaveLength(visible ? 1 : 0);
    expect(process.listenerCount("exit")).toBe(handlers + (visible ? 1 : 0));
    progress.clear();
  }
  expect(process.listenerCount("exit")).toBe(handlers);
});

test("a download shows the share that is here, and the time left at its own pace", async () => {
  const screen = new Screen();
  const result = await withDownloadBar(async ({ onProgress }) => {
    // A fifth was here before, so a fifth in two seconds leaves six.
    onProgress?.({ received: 20_000_000, total: 100_000_000 });
    screen.at(2000);
    onProgress?.({ received: 40_000_000, total: 100_000_000 });
    screen.at(2100);
    onProgress?.({ received: 40_000_000, total: undefined });
    screen.at(2200);
    return "done";
  }, screen);
  expect(result).toBe("done");
  const before = " 20% [#####...................] downloading: 20.0 of 100.0 MB";
  const line = " 40% [##########..............] downloading: 40.0 of 100.0 MB, 6 s left";
  expect([...new Set(screen.written)]).toEqual([
    WIPE + before,
    WIPE + line,
    `${WIPE}downloading: 40.0 MB`,
    WIPE,
  ]);
});

test("a download that fails leaves no bar", async () => {
  const screen = new Screen();
  const failing = withDownloadBar(async ({ onProgress }) => {
    onProgress?.({ received: 1, total: 2 });
    screen.at(2000);
    throw new Error("lost");
  }, screen);
  expect(await failing.catch((error: Error) => error.message)).toBe("lost");
  expect(screen.written.at(-1)).toBe(WIPE);
});
