import { join } from "node:path";
import { Redis } from "ioredis";

export interface RedisServer extends AsyncDisposable {
  /** Path of its socket. */
  readonly address: string;
}

/** A Redis of our own, on a socket in a folder, with nothing on disk. */
export async function startRedis(folder: string, ...more: string[]): Promise<RedisServer> {
  const address = join(folder, "redis.sock");
  const where = ["--port", "0", "--unixsocket", address, "--dir", folder];
  const child = Bun.spawn(["redis-server", ...where, "--save", "", "--appendonly", "no", ...more], {
    stdio: ["ignore", "ignore", "ignore"],
  });
  const client = new Redis(address, { lazyConnect: true, retryStrategy: () => 20 });
  // Until the socket is there.
  client.on("error", () => {});
  // One that wants a password answers, too.
  await client.ping().catch(() => {});
  client.disconnect();
  return {
    address,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}
