/**
 * `bun test/queue/campaign.ts [TEXTS] [PLACE…]`, where a PLACE is jsonl, parquet, sqlite or the
 * address of a PostgreSQL with pgvector: kills workers at random while texts are embedded
 * from a queue, and holds what is in the result store to the library's vectors. The same runs small
 * in `kill.test.ts`. Ends with 1 if anything is lost, doubled or different.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startRedis } from "../../bench/queue/redis.ts";
import { makeTinyModel } from "../reference/tiny.ts";
import { killAtRandom } from "./killing.ts";

const TEXTS = 20_000;
const PLACES = ["jsonl", "parquet", "sqlite"];
const SEED = 1;

const [count = String(TEXTS), ...named] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "ggufembed-campaign-"));
let isWhole = true;
try {
  const model = join(folder, "tiny.gguf");
  await makeTinyModel({ architecture: "gemma-embedding", type: "Q8_0" }, model);
  for (const name of named.length > 0 ? named : PLACES) {
    const own = mkdtempSync(join(folder, "place-"));
    await using redis = await startRedis(own);
    const report = await killAtRandom({
      folder: own,
      address: redis.address,
      model,
      results: name.includes(":") ? name : `${name}:${join(own, "results")}`,
      texts: Number(count),
      workers: 3,
      intervalMs: 200,
      seed: SEED,
      log: (line) => console.error(`  ${name}: ${line}`),
    });
    const { status, missing, doubled, different, rows } = report;
    isWhole &&= missing + doubled + different + status.failed === 0 && rows === Number(count);
    console.log(
      `${name}, seed ${SEED}: ${count} texts in ${report.seconds.toFixed(1)} s, ` +
        `${report.workersKilled} workers and ${report.producersKilled} producers killed; ` +
        `${rows} rows, ${missing} missing, ${doubled} doubled, ${different} different, ` +
        `${status.failed} failed`,
    );
  }
} finally {
  rmSync(folder, { recursive: true });
}
process.exit(isWhole ? 0 : 1);
