import { expect, test } from "bun:test";
import { copyFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { open } from "../../src/index.ts";
import { failure } from "../failure.ts";
import { makeTinyModel } from "../reference/tiny.ts";
import { openFiles, runScriptIn } from "./run-script.ts";
import { tinyModel } from "./tiny-model.ts";

const model = tinyModel();
const INDEX = join(import.meta.dir, "../../src/index.ts");
const runScript = (source: string, env?: Record<string, string>) =>
  runScriptIn(model.folder, source, env);

test("a process with an open model exits by itself", async () => {
  const { exitCode, stdout, stderr } = await runScript(`
    import { open } from ${JSON.stringify(INDEX)};
    const model = await open(${JSON.stringify(model.path)});
    console.log((await model.embed("one")).embedding.length);
  `);
  expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: "64\n", stderr: "" });
});

test("Workers have their own handles and get the same bits", async () => {
  const worker = join(model.folder, "worker.ts");
  writeFileSync(
    worker,
    `
    import { open } from ${JSON.stringify(INDEX)};
    declare var self: Worker;
    const model = await open(${JSON.stringify(model.path)});
    const texts = Array.from({ length: 50 }, (_, i) => "text " + i);
    const results = await Promise.all(texts.map((text) => model.embed(text)));
    self.postMessage(results.map(({ embedding }) => Array.from(embedding)));
    `,
  );
  const { exitCode, stdout, stderr } = await runScript(`
    const run = () => new Promise((resolve) => {
      const worker = new Worker(${JSON.stringify(worker)});
      worker.onmessage = ({ data }) => { worker.terminate(); resolve(JSON.stringify(data)); };
    });
    const results = await Promise.all([run(), run(), run()]);
    console.log(new Set(results).size, results[0].length > 1000);
  `);
  expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: "1 true\n", stderr: "" });
});

test("an unknown or unsupported variant is a clear error", async () => {
  const source = `
    import { open } from ${JSON.stringify(INDEX)};
    await open(${JSON.stringify(model.path)}).catch((e) => console.log(e.code, e.message));
  `;
  const unknown = await runScript(source, { GGUFEMBED_VARIANT: "mmx" });
  expect(unknown.stdout).toContain("NATIVE");
  expect(unknown.stdout).toContain("avx2");
  const other = process.arch === "x64" ? "neon" : "avx2";
  const unsupported = await runScript(source, { GGUFEMBED_VARIANT: other });
  expect(unsupported.stdout).toContain(`this CPU cannot run the variant ${other}`);
});

test("a file cut short after it was opened is an error, not a dead process", async () => {
  const path = join(model.folder, "cut.gguf");
  // Wide, so that the token table is too large to be kept in memory.
  const shape = { layers: 1, hidden: 4096, feedForward: 32, heads: 1, headSize: 16 };
  const options = { architecture: "gemma-embedding", type: "F32", dense: false, shape } as const;
  await makeTinyModel(options, path);
  const { exitCode, stdout, stderr } = await runScript(`
    import { truncateSync } from "node:fs";
    import { open } from ${JSON.stringify(INDEX)};
    const path = ${JSON.stringify(path)};
    const model = await open(path);
    await model.embed("one");
    truncateSync(path, 400_000);
    await model.embed("one two three").catch((e) => console.log(e.code, e.message));
    console.log("alive");
  `);
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
  expect(stdout).toContain("BAD_FILE");
  expect(stdout).toContain("token_embd.weight");
  expect(stdout).toEndWith("alive\n");
});

test("weights that are not finite are refused at open, with the tensor's name", async () => {
  const file = model.file!;
  for (const name of ["blk.3.ffn_down.weight", "blk.2.attn_norm.weight", "token_embd.weight"]) {
    const path = join(model.folder, "damaged.gguf");
    copyFileSync(model.path, path);
    const bytes = new Uint8Array(await Bun.file(path).arrayBuffer());
    const tensor = file.tensors.get(name)!;
    // The first scale of a Q8_0 tensor, or the first float.
    const bad = tensor.type === "F32" ? [0, 0, 0x80, 0x7f] : [0x00, 0x7c];
    const token = name === "token_embd.weight" ? (await firstToken()) * 68 : 0;
    bytes.set(bad, tensor.offset + token);
    writeFileSync(path, bytes);
    const error = await failure(async () => {
      await using embedder = await open(path);
      await embedder.embed("a");
    });
    expect(error.code).toBe("NOT_FINITE");
    expect(error.message).toContain(name);
    expect(error.message).toContain(path);
  }
});

async function firstToken(): Promise<number> {
  await using embedder = await open(model.path);
  return embedder.tokenize("a")[0]!;
}

test("a model that was refused for its tokenizer has let go of its file", async () => {
  const path = join(model.folder, "no-tokens.gguf");
  const bytes = Buffer.from(await Bun.file(model.path).arrayBuffer());
  bytes.write("tokenizer.ggml.nokens", bytes.indexOf("tokenizer.ggml.tokens"));
  writeFileSync(path, bytes);
  const error = await failure(() => open(path));
  expect(error.code).toBe("BAD_MODEL");
  // Whoever cuts a file short that is mapped ends this process. Nor may it be opened any more.
  for (let round = 0; round < 200; round++) {
    expect(openFiles()).not.toContain(path);
    await Bun.sleep(0);
  }
});

test("a file cut short before it is opened names what is missing", async () => {
  const path = join(model.folder, "short.gguf");
  copyFileSync(model.path, path);
  truncateSync(path, Math.floor(Bun.file(path).size / 2));
  const error = await failure(() => open(path));
  expect(error.code).toBe("BAD_FILE");
  expect(error.message).toContain(path);
});
