import { expect, test } from "bun:test";
import { ensureBuilt } from "../../scripts/build.ts";
import { ROOT } from "../../scripts/paths.ts";
import { ensureSynth } from "../../scripts/synth.ts";
import { hasRedis, skipped } from "../queue/redis.ts";

// Not in a test: those have little time.
await ensureBuilt();
await ensureSynth("mini");

test.skipIf(!hasRedis)(
  `every measure of the queue runs at the tiny size, and gets vectors${skipped}`,
  async () => {
    const command = [process.execPath, "bench/queue.ts", "--tiny"];
    const child = Bun.spawn(command, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
    const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    expect([await child.exited, stderr]).toEqual([0, ""]);
    for (const name of ["one worker, 2 threads", "one worker, 1 thread", "two workers, 1 thread"]) {
      expect(stdout).toMatch(new RegExp(`; ${name}( each)?: [1-9]\\d*\\.\\d texts/s; ratio \\d`));
    }
  },
  60_000,
);
