import { afterAll, describe, expect, test } from "bun:test";
import { closeSync, openSync, readFileSync } from "node:fs";
import { memoryFile } from "../../src/native/memory-file.ts";

const isLinux = process.platform === "linux";
const opened: number[] = [];
afterAll(() => {
  for (const fd of opened) closeSync(fd);
});

function make(text: string): string {
  const path = memoryFile(new TextEncoder().encode(text));
  if (path === undefined) throw new Error("there is no file in memory");
  const fd = Number(path.split("/").at(-1));
  if (!opened.includes(fd)) opened.push(fd);
  return path;
}

describe.skipIf(!isLinux)(
  `a file in memory${isLinux ? "" : " (skipped: this is not Linux)"}`,
  () => {
    test("has the bytes", () => {
      const path = make("some bytes");
      expect(path).toMatch(/^\/proc\/self\/fd\/\d+$/);
      expect(readFileSync(path, "utf8")).toBe("some bytes");
    });

    test("is the same for the same bytes, and another for others", () => {
      const path = make("one");
      const between = openSync("/dev/null", "r");
      expect(make("one")).toBe(path);
      expect(make("two")).not.toBe(path);
      expect(readFileSync(path, "utf8")).toBe("one");
      closeSync(between);
    });

    test("is the same in a Worker, so that a process has one library", async () => {
      const path = make("shared");
      const worker = new Worker(new URL("memory-file-worker.ts", import.meta.url).href);
      const { promise, resolve } = Promise.withResolvers<unknown>();
      worker.onmessage = ({ data }) => resolve(data);
      worker.postMessage("shared");
      expect(await promise).toBe(path);
      worker.terminate();
    });
  },
);
