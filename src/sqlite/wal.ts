import { type Database, SQLiteError } from "bun:sqlite";

/** Between two tries of what SQLite does not wait for. */
const RETRY_MS = 5;

/**
 * Lets readers go on while one process writes. Of two processes that change a file's mode at once
 * SQLite lets one fail, without waiting: here it waits, for as long as others may block it.
 */
export async function enterWal(database: Database, busyTimeoutMs: number): Promise<void> {
  const deadline = performance.now() + busyTimeoutMs;
  for (;;) {
    try {
      database.run("PRAGMA journal_mode = WAL");
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw error;
      await Bun.sleep(RETRY_MS);
    }
  }
}

/** Whether another process holds what was asked for. */
export function isBusy(error: unknown): error is SQLiteError {
  return error instanceof SQLiteError && /^SQLITE_(BUSY|LOCKED)/.test(error.code ?? "");
}
