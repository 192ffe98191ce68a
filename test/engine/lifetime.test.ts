import { expect, test } from "bun:test";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runScriptIn } from "./run-script.ts";
import { tinyModel } from "./tiny-model.ts";

const model = tinyModel();
const here = (name: string) => JSON.stringify(join(import.meta.dir, name));
const INDEX = here("../../src/index.ts");

test("models that are dropped without being closed free what they hold", async () => {
  const paths = Array.from({ length: 30 }, (_, i) => join(model.folder, `dropped-${i}.gguf`));
  for (const path of paths) copyFileSync(model.path, path);
  const { exitCode, stdout, stderr } = await runScriptIn(
    model.folder,
    `
    import { open } from ${INDEX};
    import { openFiles } from ${here("run-script.ts")};
    const paths = ${JSON.stringify(paths)};
    const kept = await open(paths[0]);
    const before = [...(await kept.embed("one")).embedding].join();
    async function openAndDrop(path) {
      const model = await open(path);
      await model.embed("one");
    }
    for (const path of paths.slice(1)) await openAndDrop(path);
    const held = () => openFiles().filter((path) => path.includes("dropped-")).length;
    for (let round = 0; round < 200 && held() > 1; round++) {
      Bun.gc(true);
      await Bun.sleep(5);
    }
    const after = [...(await kept.embed("one")).embedding].join();
    console.log(held(), before === after);
    `,
  );
  expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: "1 true\n", stderr: "" });
});

test("Workers that are terminated in the middle leave what they share whole", async () => {
  const own = join(model.folder, "own.gguf");
  copyFileSync(model.path, own);
  const worker = join(model.folder, "terminated.ts");
  writeFileSync(
    worker,
    `
    import { open } from ${INDEX};
    declare var self: Worker;
    const paths = ${JSON.stringify([model.path, own])};
    const models = await Promise.all(paths.map((path) => open(path)));
    self.postMessage("ready");
    for (let round = 0; ; round++) {
      for (const model of models) {
        if (round % 2 === 0) model.embedSync("one two three");
        else await Promise.all([model.embed("one two three"), model.embed("four")]);
      }
      await Bun.sleep(0);
    }
    `,
  );
  const { exitCode, stdout, stderr } = await runScriptIn(
    model.folder,
    `
    import { readGguf } from ${here("../../src/gguf/reader.ts")};
    import { batchOf, bitsOf, loadNative } from ${here("run-native.ts")};
    import { openFiles } from ${here("run-script.ts")};
    const file = await readGguf(${JSON.stringify(model.path)});
    const batch = batchOf(file, [[3, 4, 5], [6]]);
    const engine = await loadNative(file);
    const bits = async () => bitsOf([await engine.embed(batch)]).join();
    const expected = await bits();
    let same = true;
    let shared = 0;
    for (let round = 0; round < 5; round++) {
      const workers = await Promise.all([0, 1].map(() => new Promise((resolve) => {
        const worker = new Worker(${JSON.stringify(worker)});
        worker.onmessage = () => resolve(worker);
      })));
      shared = Math.max(shared, engine.stats().sharers);
      same &&= (await bits()) === expected;
      const closed = workers.map((worker) => new Promise((resolve) => {
        worker.addEventListener("close", resolve);
      }));
      for (const worker of workers) worker.terminate();
      same &&= (await bits()) === expected;
      await Promise.all(closed);
    }
    // What a Worker left goes when the next model comes, once the system has seen its end.
    const held = () => openFiles().filter((path) => path.includes("own.gguf")).length;
    for (let round = 0; round < 200 && (held() > 0 || engine.stats().sharers > 1); round++) {
      await (await loadNative(file)).unload();
      await Bun.sleep(5);
    }
    console.log(held(), engine.stats().sharers, shared >= 3, same && (await bits()) === expected);
    await engine.unload();
    `,
  );
  expect({ exitCode, stdout, stderr }).toEqual({
    exitCode: 0,
    stdout: "0 1 true true\n",
    stderr: "",
  });
}, 30_000);
