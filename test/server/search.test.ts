import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { open, openSearchIndex } from "../../src/index.ts";
import { Models } from "../../src/server/models.ts";
import { openServedIndex } from "../../src/server/served-index.ts";
import { MAIN } from "../cli/run-cli.ts";
import { tinyModel } from "../engine/tiny-model.ts";
import { freshFolder } from "../fresh-folder.ts";
import { DOCUMENTS, makeIndex } from "./documents.ts";
import { startProcess } from "./process.ts";
import { startServer } from "./start.ts";

const model = tinyModel();
const other = tinyModel({ seed: 7 });
const folder = freshFolder();

/** The path of an index. */
async function withIndex(): Promise<string> {
  const path = join(folder.path, "index.db");
  await using embedder = await open(model.path);
  await makeIndex(path, embedder);
  return path;
}

describe("/v1/search", () => {
  test("finds what the library finds", async () => {
    const path = await withIndex();
    await using started = await startServer(model.path, {}, {}, path);
    await using index = await openSearchIndex({ path, model: started.embedder });
    for (const [body, options] of [
      [{}, {}],
      [
        { mode: "vector", limit: 2, exact: true },
        { mode: "vector", limit: 2, exact: true },
      ],
      [{ mode: "text", filter: null, limit: null }, { mode: "text" }],
      [{ filter: { id: "animals/*" } }, { filter: { id: "animals/*" } }],
      [{ filter: { metadata: { year: 2024 } } }, { filter: { metadata: { year: 2024 } } }],
    ] as const) {
      const response = await started.post("/v1/search", { query: "a cat", ...body });
      expect(response.status).toBe(200);
      const expected = await index.search("a cat", options);
      expect(expected.length).toBeGreaterThan(0);
      expect(await response.json()).toEqual({
        object: "list",
        model: "tiny",
        data: expected.map(({ lineEnd, ...hit }) => ({ ...hit, line_end: lineEnd })),
      });
    }
    const info = await (await fetch(`${started.url}info`)).json();
    expect(info).toMatchObject({ index: { model: "tiny", documents: 3, chunks: 3 } });
    expect(JSON.stringify(started.log)).not.toContain("cat");
  });

  test("refuses what is wrong, wants a key, and says where nothing is indexed", async () => {
    const path = await withIndex();
    await using started = await startServer(model.path, { apiKeys: ["key"] }, {}, path);
    const headers = { authorization: "Bearer key" };
    for (const [body, status] of [
      [{}, 400],
      [{ query: "a", limit: 101 }, 400],
      [{ query: "a", mode: "magic" }, 400],
      [{ query: "a", filter: { path: "x" } }, 400],
      [{ query: "word ".repeat(999) }, 413],
    ] as const) {
      expect((await started.post("/v1/search", body, { headers })).status).toBe(status);
    }
    expect((await started.post("/v1/search", { query: "a" })).status).toBe(401);
    await using without = await startServer(model.path);
    const response = await without.post("/v1/search", { query: "a" });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: "no_index" } });
    expect(await (await fetch(`${without.url}info`)).json()).toMatchObject({ index: null });
  });
});

test("an index goes with the model that it was made with, whichever is first", async () => {
  const path = await withIndex();
  await using fitting = await open(model.path);
  await using wrong = await open(other.path);
  const named = { source: "fitting", embedder: fitting };
  const models = new Models([{ source: "wrong", embedder: wrong }, named]);
  const served = await openServedIndex(path, models);
  expect(served.model.id).toBe("fitting");
  await served.index.close();
  const alone = new Models([{ source: "wrong", embedder: wrong }]);
  await expect(openServedIndex(path, alone)).rejects.toMatchObject({ code: "WRONG_MODEL" });
});

test("serve --index needs no -m, and says what is wrong with an index", async () => {
  await using embedder = await open(model.path);
  const own = join(folder.path, "own.db");
  await using index = await openSearchIndex({ path: own, model: embedder, source: model.path });
  const program = [process.execPath, MAIN];
  const serve = (...args: string[]) => {
    const command = [...program, "serve", "--port", "0", ...args];
    return Bun.spawnSync(command, { stdio: ["ignore", "pipe", "pipe"] }).stderr.toString();
  };
  expect(serve("--index", own)).toContain("nothing is indexed in it yet");
  await index.add(DOCUMENTS);
  expect(serve("--index", own, "-m", other.path)).toMatch(/cannot be compared.*leave -m out/);
  expect(serve("--index", join(folder.path, "none.db"))).toContain("none.db");
  const { url, child, ended } = await startProcess(program, undefined, {
    env: process.env,
    args: ["--index", own],
  });
  const body = JSON.stringify({ query: "rates", mode: "text" });
  const answer = await fetch(`${url}v1/search`, { method: "POST", body });
  expect(await answer.json()).toMatchObject({ data: [{ id: "money.md" }] });
  child.kill("SIGTERM");
  expect((await ended()).code).toBe(0);
});
