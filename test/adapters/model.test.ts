import { describe, expect, test } from "bun:test";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { LazyModel } from "../../src/adapters/model.ts";
import { Retrieval } from "../../src/adapters/retrieval.ts";
import { type Embedder, open } from "../../src/index.ts";
import { freshFolder } from "../fresh-folder.ts";
import { adaptedModel, LONG, TEXTS } from "./case.ts";

const tiny = adaptedModel();
const folder = freshFolder();

describe("the model behind an adapter", () => {
  test("is opened once, however many want it at a time, and not before", async () => {
    const lazy = new LazyModel({ model: tiny.path, open: { threads: 1 } });
    const [one, two] = await Promise.all([lazy.get(), lazy.get()]);
    expect(one).toBe(two);
    expect(one.threads).toBe(1);
    await lazy.close();
    await expect(one.embed("one")).rejects.toHaveProperty("code", "CLOSED");
  });

  test("may be a URL", async () => {
    const lazy = new LazyModel({ model: pathToFileURL(tiny.path) });
    expect((await lazy.get()).config.name).toBe(tiny.model.config.name);
    await lazy.close();
  });

  test("is looked for again where it was not found", async () => {
    const path = join(folder.path, "late.gguf");
    const lazy = new LazyModel({ model: path, open: { offline: true } });
    await expect(lazy.get()).rejects.toHaveProperty("code", "FILE_NOT_FOUND");
    cpSync(tiny.path, path);
    expect((await lazy.get()).config.architecture).toBe("gemma-embedding");
    await lazy.close();
  });

  test("that came open stays open when the adapter is closed, which then refuses", async () => {
    const lazy = new LazyModel({ model: tiny.model });
    expect(await lazy.get()).toBe(tiny.model);
    await lazy.close();
    await lazy.close();
    await expect(lazy.get()).rejects.toHaveProperty("code", "CLOSED");
    expect((await tiny.model.embed("one")).tokens).toBeGreaterThan(1);
  });

  test("closes while it is being opened", async () => {
    const lazy = new LazyModel({ model: tiny.path });
    const model = lazy.get();
    await lazy.close();
    await expect((await model).embed("one")).rejects.toHaveProperty("code", "CLOSED");
  });

  test("is not waited for once a signal aborts; others still get it", async () => {
    const lazy = new LazyModel({ model: tiny.path });
    const controller = new AbortController();
    const patient = lazy.get();
    const hasty = lazy.get(controller.signal);
    controller.abort(new Error("enough"));
    await expect(hasty).rejects.toThrow("enough");
    await expect(lazy.get(controller.signal)).rejects.toThrow("enough");
    expect((await patient).config.architecture).toBe("gemma-embedding");
    await lazy.close();
  });

  test("must give a vector a text", async () => {
    const lazy = new LazyModel({ model: tiny.path, open: { pooling: "none" } });
    await expect(lazy.get()).rejects.toThrow(/pooling "none".*open it with another pooling/);
    await lazy.close();
  });

  test("must be one, and its options must be of use", () => {
    const wrong = { model: {} as Embedder };
    expect(() => new LazyModel(wrong)).toThrow("neither an open model nor what open() takes");
    expect(() => new LazyModel({ model: tiny.model, open: {} })).toThrow("is open already");
  });
});

describe("retrieval", () => {
  test("takes the model's own tasks, others, or none", async () => {
    const usual = new Retrieval({ model: tiny.model });
    expect(await usual.documents(TEXTS)).toEqual(await tiny.vectors(TEXTS, { task: "document" }));
    expect(await usual.queries(TEXTS)).toEqual(await tiny.vectors(TEXTS, { task: "query" }));
    expect(await usual.query("one")).toEqual(await tiny.vector("one", { task: "query" }));
    const others = { queryTask: "code_retrieval", documentTask: null };
    const special = new Retrieval({ model: tiny.model, ...others });
    expect(await special.query("one")).toEqual(
      await tiny.vector("one", { task: "code_retrieval" }),
    );
    expect(await special.documents(TEXTS)).toEqual(await tiny.vectors(TEXTS));
    expect(await usual.documents(TEXTS)).not.toEqual(await tiny.vectors(TEXTS));
  });

  test("passes on dimensions, truncation and normalisation", async () => {
    const vectors = { dimensions: 16, truncate: "end", normalize: false } as const;
    const retrieval = new Retrieval({ model: tiny.model, ...vectors });
    const texts = [LONG, "one"];
    expect(await retrieval.documents(texts)).toEqual(
      await tiny.vectors(texts, { ...vectors, task: "document" }),
    );
    expect(await retrieval.query(LONG)).toEqual(
      await tiny.vector(LONG, { ...vectors, task: "query" }),
    );
  });

  test("refuses a long text by its index, a task that is not there by its name", async () => {
    const retrieval = new Retrieval({ model: tiny.model, queryTask: "dance" });
    const failure = retrieval.documents(["one", LONG]);
    await expect(failure).rejects.toMatchObject({ code: "INPUT_TOO_LONG", index: 1 });
    await expect(retrieval.query("one")).rejects.toThrow('No task "dance"');
  });

  test("waits with many documents where a call would be refused", async () => {
    await using model = await open(tiny.path, { threads: 1, queueLimit: 1 });
    const before = model.embed("one");
    const refused = model.embed("two");
    const vectors = new Retrieval({ model }).documents(TEXTS);
    await expect(refused).rejects.toHaveProperty("code", "QUEUE_FULL");
    expect(await vectors).toEqual(await tiny.vectors(TEXTS, { task: "document" }));
    await before;
  });
});
