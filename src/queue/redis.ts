import type { Redis, RedisOptions } from "ioredis";
import { GgufEmbedError, invalidArgument } from "../errors.ts";
import { optional } from "./packages.ts";

export const REDIS_DEFAULT = "redis://127.0.0.1:6379";
const CONNECT_TIMEOUT_MS = 5000;
const RETRY_MS_MAX = 5000;

/**
 * A connection that waits for Redis to come back when it goes, but not for one that was never
 * there. Rejects with `INVALID_ARGUMENT`, `MISSING_PACKAGE`, `QUEUE_UNREACHABLE`.
 */
export async function connectRedis(address: string = REDIS_DEFAULT): Promise<Redis> {
  checkAddress(address);
  const { Redis } = await optional(() => import("ioredis"), "bullmq ioredis", "a queue");
  let isConnected = false;
  const options: RedisOptions = {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // BullMQ's workers wait for jobs by commands that block.
    maxRetriesPerRequest: null,
    retryStrategy: (times) => (isConnected ? Math.min(times * 200, RETRY_MS_MAX) : null),
  };
  const client = new Redis(address, options);
  let reason: Error | undefined;
  const note = (error: Error) => {
    reason = error;
  };
  client.on("error", note);
  try {
    await client.connect();
    await client.ping();
    isConnected = true;
    client.off("error", note);
    return client;
  } catch (error) {
    client.disconnect();
    throw unreachable(address, reason ?? error);
  }
}

function checkAddress(address: string): void {
  if (/^(rediss?:\/\/|\/)./.test(address)) return;
  const expected = "redis://HOST:PORT, rediss://HOST:PORT or the path of a socket";
  throw invalidArgument(
    `the address of Redis is ${withoutPassword(address)}; it must be ${expected}`,
  );
}

/** For messages. */
export function withoutPassword(address: string): string {
  return address.replace(/(:\/\/[^:@/]*):[^@/]*@/, "$1:***@");
}

function unreachable(address: string, cause: unknown): GgufEmbedError {
  const why = cause instanceof Error ? cause.message || String(cause) : String(cause);
  const advice = /NOAUTH|WRONGPASS|NOPERM/.test(why)
    ? "check the user and the password in the address"
    : "start it (Debian: `apt install redis-server`), or correct the address";
  const message = `cannot use Redis at ${withoutPassword(address)}: ${why}; ${advice}`;
  return new GgufEmbedError("QUEUE_UNREACHABLE", message, { cause });
}
