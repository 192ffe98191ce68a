import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { inspect, listModels, open, openTokenizer, pull, removeModel } from "../../src/index.ts";
import { MAIN } from "../cli/run-cli.ts";
import { serveScript } from "../download/server.ts";
import { tinyModel } from "../engine/tiny-model.ts";
import { failure } from "../failure.ts";
import { type FakeHub, fakeHub, sha256 } from "./fake-hub.ts";
import { filesBelow } from "./machine.ts";

/*
 * From the outside: the library with this process's own environment, and the command line, on a
 * real model that a hub has.
 */
const model = tinyModel();
const REPO = "org/tiny";
const FILE = "tiny-Q8_0.gguf";
const PLACE = `hub/${REPO}/main/${FILE}`;
const VARIABLES = /^(GGUFEMBED_|HF_|HUGGING|XDG_CACHE|LLAMA_CACHE|OLLAMA_)/;

let bytes: Uint8Array;
let home: string;
let hub: FakeHub;
const before = Object.entries(process.env).filter(([name]) => VARIABLES.test(name));
beforeAll(() => {
  bytes = readFileSync(model.path);
  home = mkdtempSync(join(tmpdir(), "ggufembed-hub-"));
  hub = fakeHub({ repos: { [REPO]: { [FILE]: bytes } } });
  Object.assign(process.env, environment());
});
afterAll(() => {
  for (const name of Object.keys(environment())) delete process.env[name];
  for (const [name, value] of before) process.env[name] = value;
  hub[Symbol.dispose]();
  rmSync(home, { recursive: true });
});

function environment(folder = home) {
  return {
    HF_ENDPOINT: hub.endpoint,
    HF_HOME: join(folder, "hf"),
    LLAMA_CACHE: join(folder, "llama.cpp"),
    OLLAMA_MODELS: join(folder, "ollama"),
    GGUFEMBED_CACHE: join(folder, "cache"),
    GGUFEMBED_OFFLINE: "0",
    HF_HUB_OFFLINE: "0",
  };
}

interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function start(args: readonly string[], env: Readonly<Record<string, string>>) {
  const child = Bun.spawn([process.execPath, MAIN, ...args], {
    env: { ...process.env, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const outputs = Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  const finished = outputs.then(([code, stdout, stderr]): Finished => ({ code, stdout, stderr }));
  return { child, finished };
}

const cli = (args: readonly string[], env = {}) => start(args, env).finished;

describe("a name opens", () => {
  test("a model that is downloaded once, and gives the bits that its path gives", async () => {
    const received: number[] = [];
    const options = { onProgress: ({ received: n }: { received: number }) => received.push(n) };
    await using named = await open(REPO, options);
    await using direct = await open(model.path);
    const [a, b] = [await named.embed("a text"), await direct.embed("a text")];
    expect(a.embedding).toEqual(b.embedding);
    expect(received.at(-1)).toBe(bytes.length);
    await using again = await open(`hf:${REPO}/${FILE}`, { offline: true, ...options });
    expect((await again.embed("a text")).embedding).toEqual(a.embedding);
    expect(hub.downloads.length).toBe(1);
    const path = join(home, "cache", PLACE);
    expect((await inspect(REPO)).path).toBe(path);
    const tokenizer = await openTokenizer(new URL(`${hub.endpoint}/${REPO}/blob/main/${FILE}`));
    expect(Array.from(tokenizer.encode("a text")).length).toBeGreaterThan(0);
    expect(await listModels()).toMatchObject([{ path, owner: "ggufembed" }]);
    expect((await pull(REPO)).sha256).toBe(sha256(bytes));
    expect(await removeModel(REPO)).toEqual({ path });
    expect(existsSync(path)).toBe(false);
  });

  test("the file of that path, if there is one", async () => {
    const folder = process.cwd();
    process.chdir(home);
    mkdirSync("org");
    copyFileSync(model.path, REPO);
    await using embedder = await open(REPO, { offline: true });
    process.chdir(folder);
    expect((await embedder.embed("a text")).embedding.length).toBe(64);
    rmSync(join(home, "org"), { recursive: true });
  });

  test("nothing, once its signal aborts", async () => {
    const stopped = open(REPO, { signal: AbortSignal.abort("enough") });
    expect(await stopped.catch((reason: unknown) => reason)).toBe("enough");
  });

  test.each([
    [
      "none.gguf",
      "FILE_NOT_FOUND",
      "none.gguf: there is no such file. A model on the hub is an al",
    ],
    [
      "minilm",
      "FILE_NOT_FOUND",
      "minilm: there is no such file. Nor is it an alias; those are emb",
    ],
    ["org/none", "NO_SUCH_MODEL", "(there is no file org/none either)"],
    ["hf:org", "INVALID_ARGUMENT", '"hf:org" is not a model\'s name; one is an alias, ORG/REPO'],
    [new URL("ftp://x/y.gguf"), "INVALID_ARGUMENT", "ftp://x/y.gguf is not a file: download the"],
    [null as never, "INVALID_ARGUMENT", "the model is null, not a path, a name or a URL"],
    ["a\0b", "INVALID_ARGUMENT", "the model's path has a NUL character"],
    [pathToFileURL("/none.gguf"), "FILE_NOT_FOUND", "/none.gguf: there is no such file"],
  ])("no %j", async (source, code, message) => {
    for (const call of [open, openTokenizer, inspect]) {
      const error = await failure(() => call(source));
      expect([error.code, error.message]).toEqual([code, expect.stringContaining(message)]);
    }
  });
});

describe("the command line", () => {
  test("pulls, lists, embeds by name and removes", async () => {
    const path = join(home, "cache", PLACE);
    const pulled = await cli(["pull", REPO]);
    expect(pulled).toEqual({ code: 0, stdout: `${path}\n`, stderr: "" });
    const listed = await cli(["list"]);
    const size = `${(bytes.length / 1000).toFixed(1)} kB`;
    const head = "name                        size      format  where\n";
    expect(listed.stdout).toBe(`${head}hf:${REPO}/${FILE}  ${size}  Q8_0    ggufembed\n`);
    expect(JSON.parse((await cli(["list", "--json"])).stdout)).toEqual(await listModels());
    const offline = { GGUFEMBED_OFFLINE: "1" };
    const embedded = await cli(["embed", "-m", REPO, "--dimensions", "2", "a text"], offline);
    expect([embedded.code, embedded.stderr]).toEqual([0, ""]);
    expect(embedded.stdout).toContain('"embedding":[');
    expect((await cli(["inspect", REPO], offline)).stdout).toContain("gemma-embedding");
    expect(await cli(["rm", REPO])).toEqual({ code: 0, stdout: `${path}\n`, stderr: "" });
    expect(await cli(["list"])).toEqual({
      code: 0,
      stdout: "",
      stderr: "ggufembed: no models are on this machine; see pull\n",
    });
  });

  test.each([
    [["pull"], 2, "pull: which model? give its NAME"],
    [["pull", "a", "b"], 2, "pull: takes one NAME, found 2"],
    [["pull", "minilm"], 2, 'pull: "minilm" is not a model\'s name. Nor is it an alias; those are'],
    [["list", "x"], 2, "list: takes no arguments"],
    [["rm", REPO], 1, `hf:${REPO} is not in `],
    [["pull", "org/none"], 1, "the hub has no repository org/none, or hides it"],
    [["embed", "-m", "org/none", "x"], 1, "the hub has no repository org/none, or hides it"],
  ])("%j is code %d", async (args, code, message) => {
    const result = await cli(args);
    expect([result.code, result.stdout]).toEqual([code, ""]);
    expect(result.stderr).toStartWith(`ggufembed: ${message}`);
  });

  test("twice at once downloads once", async () => {
    const count = hub.downloads.length;
    const env = environment(join(home, "twice"));
    const results = await Promise.all([cli(["pull", REPO], env), cli(["pull", REPO], env)]);
    const path = join(env.GGUFEMBED_CACHE, PLACE);
    for (const result of results)
      expect(result).toEqual({ code: 0, stdout: `${path}\n`, stderr: "" });
    expect(hub.downloads.length).toBe(count + 1);
  });

  test("killed in the middle goes on from there when it is run again", async () => {
    const half = Math.floor(bytes.length / 2);
    const headers = { "content-length": String(bytes.length), etag: '"v1"' };
    const range = `bytes ${half}-${bytes.length - 1}/${bytes.length}`;
    const rest = { "content-length": String(bytes.length - half), "content-range": range };
    using server = serveScript([
      { headers, body: bytes.subarray(0, half), hangs: true },
      { status: 206, headers: { ...rest, etag: '"v1"' }, body: bytes.subarray(half) },
    ]);
    using slow = fakeHub({ repos: { [REPO]: { [FILE]: bytes } }, contentUrl: server.url });
    const env = { ...environment(join(home, "killed")), HF_ENDPOINT: slow.endpoint };
    const path = join(env.GGUFEMBED_CACHE, PLACE);
    const { child, finished } = start(["pull", REPO], env);
    while (!existsSync(`${path}.part`) || Bun.file(`${path}.part`).size < half) await Bun.sleep(5);
    child.kill("SIGKILL");
    await finished;
    const files = () =>
      filesBelow(env.GGUFEMBED_CACHE).filter((file) => !file.startsWith("locks/"));
    expect(files()).toEqual([`${PLACE}.part`, `${PLACE}.part.json`]);
    expect(await cli(["pull", REPO], env)).toEqual({ code: 0, stdout: `${path}\n`, stderr: "" });
    expect(sha256(readFileSync(path))).toBe(sha256(bytes));
    expect(server.seen.map((request) => request.range)).toEqual([undefined, `bytes=${half}-`]);
    expect(files()).toEqual(
      ["default.json", FILE, `${FILE}.json`].map((f) => `hub/${REPO}/main/${f}`),
    );
  });
});
