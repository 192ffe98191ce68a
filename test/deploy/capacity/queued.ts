import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { startRedis } from "../../../bench/queue/redis.ts";
import { enqueue } from "../../../src/queue/index.ts";
import type { Figures } from "./figures.ts";
import type { Scene } from "./scene.ts";

/** As many as wait by default, before more are put in. */
const TEXTS = 65_536;

/** What Redis needs for texts that wait. */
export async function queued({ folder, paragraphs }: Scene): Promise<Pick<Figures, "queued">> {
  const place = join(folder, "redis");
  mkdirSync(place);
  await using server = await startRedis(place);
  const client = new Redis(server.address);
  const megabytes = async () =>
    Number(/used_memory:(\d+)/.exec(await client.info("memory"))?.[1]) / 1e6;
  const before = await megabytes();
  function* texts() {
    for (let i = 0; i < TEXTS; i++) {
      yield { text: paragraphs[i % paragraphs.length]!, id: `text-${i}` };
    }
  }
  await enqueue(texts(), { redis: server.address, run: "capacity", waitingMax: TEXTS });
  const after = await megabytes();
  client.disconnect();
  return { queued: { texts: TEXTS, megabytes: after - before } };
}
