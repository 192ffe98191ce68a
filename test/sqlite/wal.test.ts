import { Database } from "bun:sqlite";
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { enterWal, isBusy } from "../../src/sqlite/wal.ts";

const folder = mkdtempSync(join(tmpdir(), "ggufembed-wal-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a file's mode changes once whoever holds the file lets it go", async () => {
  const path = join(folder, "held.db");
  using holder = new Database(path, { create: true });
  holder.run("CREATE TABLE one (a)");
  holder.run("BEGIN IMMEDIATE");
  using other = new Database(path);
  const entering = enterWal(other, 30_000);
  await Bun.sleep(30);
  holder.run("COMMIT");
  await entering;
  expect(other.query("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
});

test("and it is told when that takes too long", async () => {
  const path = join(folder, "kept.db");
  using holder = new Database(path, { create: true });
  holder.run("CREATE TABLE one (a)");
  holder.run("BEGIN EXCLUSIVE");
  using other = new Database(path);
  const error = await enterWal(other, 20).catch((reason) => reason);
  expect(isBusy(error)).toBe(true);
  holder.run("ROLLBACK");
});
