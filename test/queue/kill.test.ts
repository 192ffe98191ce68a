import { expect, test } from "bun:test";
import { join } from "node:path";
import { tinyModel } from "../engine/tiny-model.ts";
import { killAtRandom } from "./killing.ts";
import { hasRedis, redisServer, skipped } from "./redis.ts";

const TEXTS = 6000;

const { address, folder } = redisServer();
const model = tinyModel();

// Three workers: one that is killed leaves others that must take what it had.
test.skipIf(!hasRedis)(
  `workers that are killed at random lose no text and double none${skipped}`,
  async () => {
    const report = await killAtRandom({
      folder,
      address,
      model: model.path,
      results: `jsonl:${join(folder, "results")}`,
      texts: TEXTS,
      workers: 3,
      intervalMs: 200,
      seed: 7,
    });
    expect(report).toMatchObject({ rows: TEXTS, missing: 0, doubled: 0, different: 0 });
    expect(report.status).toMatchObject({ texts: TEXTS, done: TEXTS, failed: 0, waiting: 0 });
    expect(report.workersKilled).toBeGreaterThan(2);
  },
  120_000,
);
