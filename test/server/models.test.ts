import { expect, test } from "bun:test";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { open } from "../../src/index.ts";
import { Models } from "../../src/server/models.ts";
import { tinyModel } from "../engine/tiny-model.ts";

const model = tinyModel();

test("a model is found by its own id, though another's file states that name", async () => {
  await using first = await open(model.path);
  const stated = first.config.name!;
  expect(stated).not.toBe("tiny");
  const path = join(model.folder, `${stated}.gguf`);
  copyFileSync(model.path, path);
  await using second = await open(path);
  const models = new Models([
    { source: model.path, embedder: first },
    { source: path, embedder: second },
  ]);
  expect(models.find(stated, "embedding").embedder).toBe(second);
  expect(models.find("tiny", "embedding").embedder).toBe(first);
  expect(models.find(undefined, "embedding").embedder).toBe(first);
});

test("a tag that says nothing may be left out or given", async () => {
  await using embedder = await open(model.path);
  const models = new Models([
    { source: "ollama:a:latest", embedder },
    { source: "b", embedder },
  ]);
  expect(models.find("ollama:a:latest", "embedding").id).toBe("ollama:a:latest");
  expect(models.find("b:latest", "embedding").id).toBe("b");
  expect(() => models.find("b:300m", "embedding")).toThrow("there is no model");
});
