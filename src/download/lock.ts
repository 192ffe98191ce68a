import { Database } from "bun:sqlite";
import { abortableSleep } from "./retry.ts";

const POLL_MS = 50;

/**
 * Runs `work` while nobody else on this machine, in this process or another, runs it for `path`.
 *
 * The lock is the kernel's, on an empty file that stays: it ends with its owner, however that
 * dies, so no lock is ever stale. SQLite holds it because Bun has no other way to `fcntl`.
 * Waiting ends with the signal's reason when `signal` aborts.
 */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  using database = new Database(path, { create: true });
  while (!tryLock(database)) {
    await abortableSleep(POLL_MS, signal);
  }
  return await work();
}

function tryLock(database: Database): boolean {
  try {
    database.run("BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "SQLITE_BUSY") return false;
    throw error;
  }
}
