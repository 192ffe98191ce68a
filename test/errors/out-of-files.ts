/** A process that has used up its descriptors opens a model: its argument. Says what it is told. */
import { closeSync, openSync } from "node:fs";
import { type GgufEmbedError, open, systemInfo } from "../../src/index.ts";

const path = process.argv[2] ?? "";
// Loading the library is not what is to fail.
await systemInfo();
const files: number[] = [];
try {
  for (;;) files.push(openSync("/dev/null", "r"));
} catch {
  // All are used up.
}
const tell = ({ code, message, cause }: GgufEmbedError) =>
  console.log(JSON.stringify({ code, message, cause: cause instanceof Error }));
// None left to read the file with, and then one: too few for what wakes the event loop.
for (let free = 0; free < 2; free++) {
  await open(path).catch(tell);
  closeSync(files.pop() ?? 0);
}
