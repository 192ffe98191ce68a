import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { systemCode } from "../../src/cli/errors.ts";
import { workplace } from "./model.ts";
import { cliEnvironment, MAIN } from "./run-cli.ts";

const place = workplace();

const PIPES = { stdin: "pipe", stdout: "pipe", stderr: "pipe", env: cliEnvironment() } as const;

const command = (...args: string[]) => [MAIN, "embed", "-m", place.model, ...args];

/** `embed` with its input left open. */
const startEmbed = (...args: string[]) => Bun.spawn([process.execPath, ...command(...args)], PIPES);

/** Reads until a line is complete. */
async function readLine(output: AsyncIterator<Uint8Array>): Promise<string> {
  let text = "";
  while (!text.includes("\n")) {
    const { done, value } = await output.next();
    if (done) throw new Error(`the output ended after ${JSON.stringify(text)}`);
    text += new TextDecoder().decode(value);
  }
  return text;
}

describe("pipes", () => {
  test("a result comes out before the next text is there", async () => {
    const child = startEmbed();
    const output = child.stdout[Symbol.asyncIterator]();
    for (const [index, text] of ["first", "second"].entries()) {
      child.stdin.write(`${text}\n`);
      await child.stdin.flush();
      expect(JSON.parse(await readLine(output))).toMatchObject({ index });
    }
    child.stdin.end();
    expect((await output.next()).done).toBe(true);
    expect(await child.exited).toBe(0);
  });

  test("a reader that goes away ends the command quietly, its input still open", async () => {
    const script = '{ "$0" "$@"; echo "code $?" >&2; } | head -n 1';
    const child = Bun.spawn(["sh", "-c", script, process.execPath, ...command()], PIPES);
    // More texts until one of their results finds nobody: `head` leaves after the first.
    try {
      while (child.exitCode === null) {
        child.stdin.write("some text\n");
        await child.stdin.flush();
        await Bun.sleep(20);
      }
    } catch (error) {
      // It ended between a look at its exit code and a write.
      if (systemCode(error) !== "EPIPE") throw error;
    }
    expect(await child.stdout.text()).toMatch(/^\{"index":0,.*\}\n$/);
    expect(await child.stderr.text()).toBe("code 141\n");
  });

  test("a reader that waits makes the command wait: input is not read ahead of it", async () => {
    const child = startEmbed();
    const lines = new TextEncoder().encode("some text\n".repeat(1000));
    const written = await writeWhileTaken(child.stdin, lines, 64 << 20);
    // The pipes hold 64 KiB each; a group of texts and one read of the input lie between them.
    expect(written).toBeLessThan(4 << 20);
    child.kill("SIGKILL");
    await child.exited;
  });
});

const onLinux = process.platform === "linux";
test.skipIf(!onLinux)("--threads is the number of workers (skipped: not Linux)", async () => {
  const counts = [];
  for (const threads of [1, 33]) {
    const child = startEmbed("--threads", String(threads));
    child.stdin.write("some text\n");
    await child.stdin.flush();
    await readLine(child.stdout[Symbol.asyncIterator]());
    counts.push(readdirSync(`/proc/${child.pid}/task`).length);
    child.kill("SIGKILL");
    await child.exited;
  }
  // Bun's own threads come and go, a few at most.
  const [few, many] = counts as [number, number];
  expect(Math.abs(many - few - 32)).toBeLessThan(8);
});

/** Writes until the pipe takes no more for half a second, or until `limit` bytes. */
async function writeWhileTaken(
  stdin: Bun.FileSink,
  bytes: Uint8Array,
  limit: number,
): Promise<number> {
  let written = 0;
  while (written < limit) {
    stdin.write(bytes);
    const taken = await Promise.race([
      Promise.resolve(stdin.flush()).then(() => true),
      Bun.sleep(500).then(() => false),
    ]);
    if (!taken) break;
    written += bytes.length;
  }
  return written;
}

describe("signals", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)(
    "%s ends quietly with %d and takes the unfinished file away",
    async (signal, code) => {
      const before = readdirSync(place.folder);
      const child = startEmbed("--output", place.file("rows.jsonl"));
      child.stdin.write("some text\n");
      await child.stdin.flush();
      // The unfinished file is a sign that the command has begun.
      while (readdirSync(place.folder).length === before.length && child.exitCode === null) {
        await Bun.sleep(5);
      }
      child.kill(signal);
      expect(await child.exited).toBe(code);
      expect(await child.stderr.text()).toBe("");
      expect(await child.stdout.text()).toBe("");
      expect(readdirSync(place.folder)).toEqual(before);
    },
  );
});

/** What a terminal shows of a command. */
async function onTerminal(args: readonly string[], env: Record<string, string> = {}) {
  let screen = "";
  const decoder = new TextDecoder();
  const child = Bun.spawn([process.execPath, MAIN, ...args], {
    terminal: {
      cols: 120,
      rows: 24,
      data: (_, bytes) => {
        screen += decoder.decode(bytes, { stream: true });
      },
    },
    env: cliEnvironment(env),
  });
  const code = await child.exited;
  child.terminal?.close();
  return { code, screen };
}

describe("terminals", () => {
  test("without a text there, the command does not wait for one to be typed", async () => {
    const { code, screen } = await onTerminal(["embed", "-m", place.model]);
    expect(code).toBe(2);
    expect(screen).toContain("nothing to read: give TEXT, or --input FILE, or pipe texts in");
  });

  test("bytes that are no text stay off it", async () => {
    const { code, screen } = await onTerminal(["embed", "-m", place.model, "--format=npy", "a"]);
    expect(code).toBe(2);
    expect(screen).toContain("--format npy is not for terminals: give --output FILE, or a pipe");
  });

  test("short work shows no progress bar", async () => {
    const { code, screen } = await onTerminal(["embed", "-m", place.model, "-o", "/dev/null", "a"]);
    expect([code, screen]).toEqual([0, ""]);
  });
});
