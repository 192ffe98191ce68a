import { afterAll, beforeAll } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RedisServer, startRedis } from "../../bench/queue/redis.ts";

export const hasRedis = Bun.which("redis-server") !== null;
/** For a test's name. */
export const skipped = hasRedis ? "" : " (skipped: no redis-server on the PATH)";

/** One for all tests of a file, which use queues of different names. */
export function redisServer(): { readonly address: string; readonly folder: string } {
  const folder = mkdtempSync(join(tmpdir(), "ggufembed-queue-"));
  let server: RedisServer | undefined;
  beforeAll(async () => {
    if (hasRedis) server = await startRedis(folder);
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });
  return { address: join(folder, "redis.sock"), folder };
}
