import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startRedis } from "../../bench/queue/redis.ts";
import { cliEnvironment, MAIN } from "../cli/run-cli.ts";
import { lendPackages } from "../lend.ts";
import { hasRedis, skipped } from "../queue/redis.ts";
import { makeTinyModel } from "../reference/tiny.ts";
import { ROOT, readDocument } from "./markdown.ts";

/*
 * The examples of docs/queue.md, as they stand. What installs packages of the system is `bash`, and
 * is not run.
 */
const { blocks } = readDocument("docs/queue.md");
const shell = blocks.find(({ language }) => language === "sh");
const program = blocks.find(({ language }) => language === "ts");
const printed = blocks.find(({ language }) => language === "text");
const folder = mkdtempSync(join(tmpdir(), "ggufembed-queue-docs-"));
let redis: Awaited<ReturnType<typeof startRedis>> | undefined;

beforeAll(async () => {
  if (hasRedis) redis = await startRedis(folder);
  await makeTinyModel({ architecture: "bert", type: "Q8_0" }, join(folder, "tiny.gguf"));
  await Bun.write(join(folder, "notes.txt"), "one\ntwo\nthree\n");
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(ROOT, join(folder, "node_modules", "ggufembed"));
  lendPackages(folder, ["bullmq", "ioredis"]);
  const command = join(folder, "node_modules", "ggufembed-command", "ggufembed");
  await Bun.write(command, `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`);
  chmodSync(command, 0o755);
});
afterAll(async () => {
  await redis?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function run(command: string[]) {
  const child = Bun.spawn(command, {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...cliEnvironment({ GGUFEMBED_MODEL: "tiny.gguf", GGUFEMBED_REDIS: redis?.address ?? "" }),
      PATH: `${join(folder, "node_modules", "ggufembed-command")}:${process.env.PATH}`,
    },
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, stdout, stderr };
}

test.skipIf(!hasRedis)(
  `the commands do what they say${skipped}`,
  async () => {
    const { code, stdout, stderr } = await run(["/bin/sh", "-ec", shell!.text]);
    expect([code, stderr]).toEqual([
      0,
      "ggufembed: 3 texts in 1 batch\n" +
        "ggufembed: 3 texts in 1 batch, 1 of them known\nggufembed: 3 texts done\n",
    ]);
    expect(stdout).toMatch(/^done +3 /m);
    const lines = readFileSync(join(folder, "vectors.jsonl"), "utf8").trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).id)).toEqual([
      "notes.txt:1",
      "notes.txt:2",
      "notes.txt:3",
    ]);
  },
  20_000,
);

test.skipIf(!hasRedis)(
  `the program prints what stands below it${skipped}`,
  async () => {
    await Bun.write(join(folder, "program.ts"), program!.text);
    const { code, stdout, stderr } = await run([process.execPath, "program.ts"]);
    expect([code, stderr, stdout]).toEqual([0, "", printed!.text]);
  },
  20_000,
);
