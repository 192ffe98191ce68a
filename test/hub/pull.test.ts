import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { GgufEmbedError } from "../../src/errors.ts";
import { pullAt } from "../../src/hub/index.ts";
import type { PullOptions } from "../../src/hub/pull.ts";
import { type Answer, serveScript } from "../download/server.ts";
import { failure } from "../failure.ts";
import { COMMIT, content, type FakeHub, fakeHub, sha256 } from "./fake-hub.ts";
import { machine } from "./machine.ts";

const here = machine();
const Q8 = content(1);
const F16 = content(2);
const REPOS = { "org/repo": { "README.md": content(9, 10), "m-f16.gguf": F16, "m-q8_0.gguf": Q8 } };
const PLACE = "hub/org/repo/main/m-q8_0.gguf";

function pull(hub: FakeHub, name: string, env = {}, options: PullOptions = {}) {
  return pullAt(here.around({ HF_ENDPOINT: hub.endpoint, ...env }), name, options);
}

const refusal = (hub: FakeHub, name: string, env = {}): Promise<GgufEmbedError> =>
  failure(() => pull(hub, name, env));

function expectContent(path: string, bytes: Uint8Array): void {
  expect(Buffer.compare(readFileSync(path), bytes)).toBe(0);
}

describe("pull", () => {
  test("brings the file that a repository means, checked, and keeps where from", async () => {
    using hub = fakeHub({ repos: REPOS });
    const progress: number[] = [];
    const onProgress = ({ received, total }: { received: number; total: number | undefined }) => {
      expect(total).toBe(Q8.length);
      progress.push(received);
    };
    const model = await pull(hub, "org/repo", {}, { onProgress });
    const path = here.at(".cache/ggufembed", PLACE);
    const name = "hf:org/repo/m-q8_0.gguf";
    expect(model).toEqual({ path, paths: [path], name, bytes: Q8.length, sha256: sha256(Q8) });
    expectContent(path, Q8);
    expect(progress.at(-1)).toBe(Q8.length);
    expect(here.files()).toEqual(["hub/org/repo/main/default.json", PLACE, `${PLACE}.json`]);
    expect(JSON.parse(readFileSync(`${path}.json`, "utf8"))).toEqual({
      name,
      file: "m-q8_0.gguf",
      commit: COMMIT,
      sha256: sha256(Q8),
      bytes: Q8.length,
    });
  });

  test.each([
    ["org/repo:F16", "m-f16.gguf"],
    ["hf:org/repo/m-f16.gguf", "m-f16.gguf"],
    ["org/repo@v1", "m-q8_0.gguf"],
    ["org/repo@refs%2Fpr%2F1:f16", "m-f16.gguf"],
    [`hf:org/repo@${COMMIT}/m-q8_0.gguf`, "m-q8_0.gguf"],
  ])("%s means %s", async (name, file) => {
    using hub = fakeHub({ repos: REPOS });
    const { path } = await pull(hub, name);
    expect(path).toEndWith(`/${file}`);
    expectContent(path, file.includes("f16") ? F16 : Q8);
    // The content's address names its commit, so that all parts are of one file.
    const { path: asked } = hub.requests.find(({ method }) => method === "HEAD")!;
    expect(hub.requests.filter(({ from }) => from === "hub").at(-1)?.path).toContain(
      `/resolve/${COMMIT}/`,
    );
    expect(asked).toStartWith("/org/repo/resolve/");
  });

  test("asks again and downloads nothing while the file is the same", async () => {
    using hub = fakeHub({ repos: REPOS });
    const first = await pull(hub, "org/repo");
    expect(await pull(hub, "org/repo")).toEqual(first);
    expect(hub.downloads.length).toBe(1);
    expect(hub.requests.filter(({ method }) => method === "HEAD").length).toBe(2);
  });

  test("replaces a file that changed", async () => {
    using hub = fakeHub({ repos: REPOS });
    await pull(hub, "org/repo");
    const other = content(3);
    hub.repos = { "org/repo": { "m-q8_0.gguf": other } };
    hub.commit = COMMIT.replaceAll("0", "f");
    const { path } = await pull(hub, "org/repo");
    expectContent(path, other);
    expect(here.files().length).toBe(3);
  });

  test("of a commit that is here asks nobody", async () => {
    using hub = fakeHub({ repos: REPOS });
    const first = await pull(hub, `org/repo@${COMMIT}`);
    const count = hub.requests.length;
    expect(await pull(hub, `org/repo@${COMMIT}`)).toEqual(first);
    expect(hub.requests.length).toBe(count);
  });

  test("of another name of the same content downloads nothing", async () => {
    using hub = fakeHub({ repos: REPOS });
    const first = await pull(hub, "org/repo");
    const second = await pull(hub, "org/repo@v1");
    expect(second.path).not.toBe(first.path);
    expect(hub.downloads.length).toBe(1);
    rmSync(first.path);
    expectContent(second.path, Q8);
  });

  test("follows a repository to its new name", async () => {
    using hub = fakeHub({ repos: REPOS, renamed: { "old/name": "org/repo" }, token: "t" });
    const { path } = await pull(hub, "old/name", { HF_TOKEN: "t" });
    expectContent(path, Q8);
  });

  test("takes a file whose content the hub does not describe, by its length alone", async () => {
    const linked = { "x-linked-etag": '"d41d8cd9"', "x-linked-size": undefined };
    using hub = fakeHub({ repos: REPOS, linked });
    const model = await pull(hub, "org/repo");
    expect(model).not.toHaveProperty("sha256");
    expectContent(model.path, Q8);
    await pull(hub, "org/repo");
    expect(hub.downloads.length).toBe(1);
    hub.commit = COMMIT.replaceAll("0", "f");
    await pull(hub, "org/repo");
    expect(hub.downloads.length).toBe(2);
  });

  test("compares a file of which the hub tells the digest and not the length", async () => {
    using hub = fakeHub({ repos: REPOS, linked: { "x-linked-size": undefined } });
    const { path, sha256: digest } = await pull(hub, "org/repo");
    expect(digest).toBe(sha256(Q8));
    rmSync(`${path}.json`);
    await pull(hub, "org/repo");
    expect(hub.downloads.length).toBe(1);
  });

  test("of a file that arrived just before the process ended compares and keeps it", async () => {
    using hub = fakeHub({ repos: REPOS });
    const { path } = await pull(hub, "org/repo");
    rmSync(`${path}.json`);
    await pull(hub, "org/repo");
    rmSync(`${path}.json`);
    expect(hub.downloads.length).toBe(1);
    writeFileSync(path, content(7));
    await pull(hub, "org/repo");
    expect(hub.downloads.length).toBe(2);
    expectContent(path, Q8);
  });

  test("many times at once downloads once", async () => {
    using hub = fakeHub({ repos: REPOS });
    const names = ["org/repo", "org/repo:Q8_0", "hf:org/repo/m-q8_0.gguf", "org/repo"];
    const models = await Promise.all(names.map((name) => pull(hub, name)));
    expect(new Set(models.map(({ path }) => path)).size).toBe(1);
    expect(hub.downloads.length).toBe(1);
  });

  test("waits out a hub that is busy", async () => {
    const busy = () => new Response(null, { status: 503 });
    using hub = fakeHub({ repos: REPOS, first: [busy(), busy()] });
    expectContent((await pull(hub, "org/repo")).path, Q8);
  });

  test("waits as long as the hub asks it to", async () => {
    const headers = { "retry-after": "0.1" };
    using hub = fakeHub({ repos: REPOS, first: [new Response(null, { status: 429, headers })] });
    const start = performance.now();
    await pull(hub, "org/repo");
    expect(performance.now() - start).toBeGreaterThan(95);
  });

  test("need not wait for another to be cancelled", async () => {
    using server = serveScript([{ ...half(0), hangs: true }]);
    using hub = fakeHub({ repos: REPOS, contentUrl: server.url });
    const controller = new AbortController();
    const started = Promise.withResolvers<void>();
    const options = { signal: controller.signal, onProgress: () => started.resolve() };
    const first = pull(hub, "org/repo", {}, options).catch((reason: unknown) => reason);
    await started.promise;
    const second = pull(hub, "org/repo", {}, { signal: AbortSignal.timeout(20) });
    expect(await second.catch((reason: Error) => reason.name)).toBe("TimeoutError");
    controller.abort("enough");
    expect(await first).toBe("enough");
  });

  test("ends with the signal's reason, and goes on from there", async () => {
    using server = serveScript([{ ...half(0), hangs: true }, half(1)]);
    using hub = fakeHub({ repos: REPOS, contentUrl: server.url });
    const controller = new AbortController();
    const options = { signal: controller.signal, onProgress: () => controller.abort("enough") };
    const stopped = pull(hub, "org/repo", {}, options);
    expect(await stopped.catch((reason: unknown) => reason)).toBe("enough");
    expect(here.files()).toEqual([`${PLACE}.part`, `${PLACE}.part.json`]);
    expectContent((await pull(hub, "org/repo")).path, Q8);
    expect(server.seen[1]?.range).toBe(`bytes=${HALF}-`);
    const early = pull(hub, "org/repo", {}, { signal: AbortSignal.abort("never") });
    expect(await early.catch((reason: unknown) => reason)).toBe("never");
  });
});

const HALF = 20_000;

/** The first or second part of the content, by a server that then drops the connection. */
function half(which: 0 | 1): Answer {
  const rest = String(Q8.length - HALF);
  if (which === 0) {
    const headers = { "content-length": String(Q8.length), etag: '"v1"' };
    return { headers, body: Q8.subarray(0, HALF) };
  }
  const range = `bytes ${HALF}-${Q8.length - 1}/${Q8.length}`;
  const headers = { "content-length": rest, "content-range": range, etag: '"v1"' };
  return { status: 206, headers, body: Q8.subarray(HALF) };
}

describe("of a server that is not to be trusted, pull", () => {
  const whole = (body: Uint8Array): Answer => ({
    headers: { "content-length": String(body.length), etag: '"v1"' },
    body,
  });

  async function refused(answers: readonly Answer[]): Promise<GgufEmbedError> {
    using server = serveScript(answers);
    using hub = fakeHub({ repos: REPOS, contentUrl: server.url });
    const error = await refusal(hub, "org/repo");
    expect(error.code).toBe("DOWNLOAD");
    expect(existsSync(join(here.cache(), PLACE))).toBe(false);
    expect(here.files().filter((file) => file.endsWith(".json"))).toEqual([]);
    return error;
  }

  test("resumes where the connection dropped", async () => {
    using server = serveScript([half(0), half(1)]);
    using hub = fakeHub({ repos: REPOS, contentUrl: server.url });
    expectContent((await pull(hub, "org/repo")).path, Q8);
    expect(server.seen.map(({ range }) => range)).toEqual([undefined, `bytes=${HALF}-`]);
  });

  test("refuses wrong bytes of the right length", async () => {
    const error = await refused([whole(Q8.toReversed())]);
    expect(error.message).toContain(`where ${sha256(Q8)} was expected`);
  });

  test("refuses a length that the hub did not promise", async () => {
    const error = await refused([whole(Q8.subarray(1))]);
    expect(error.message).toContain("has 49999 bytes where 50000 were expected");
    const longer = await refused([whole(content(1, 50_001))]);
    expect(longer.message).toContain("has 50001 bytes where 50000 were expected");
  });

  test("refuses what goes on and on", async () => {
    const endless = { body: content(1, 60_000), hangs: true };
    expect((await refused([endless])).message).toContain("more than the 50000 bytes");
  });

  test("refuses a hub that lies about the length", async () => {
    using hub = fakeHub({ repos: REPOS, linked: { "x-linked-size": "49000" } });
    const error = await refusal(hub, "org/repo");
    expect(error.message).toContain("has 50000 bytes where 49000 were expected");
  });
});

describe("the token", () => {
  test("goes to the hub alone, and opens gated files", async () => {
    using hub = fakeHub({ repos: REPOS, token: "hf_secret" });
    expectContent((await pull(hub, "org/repo", { HF_TOKEN: " hf_secret\n" })).path, Q8);
    const seen = hub.requests.map(({ from, authorization }) => `${from} ${authorization}`);
    expect([...new Set(seen)].sort()).toEqual(["cdn null", "hub Bearer hf_secret"]);
    const kept = here.files().map((file) => readFileSync(join(here.cache(), file), "latin1"));
    expect(kept.join()).not.toContain("hf_secret");
  });

  test("does not even go with questions to where the hub sends us", async () => {
    const linked = { "x-linked-etag": undefined, "x-linked-size": undefined };
    using hub = fakeHub({ repos: REPOS, token: "hf_secret", linked });
    await pull(hub, "org/repo", { HF_TOKEN: "hf_secret" });
    const there = hub.downloads.map(({ method, authorization }) => [method, authorization]);
    expect(there).toEqual([["GET", null]]);
  });

  test.each([
    ["HF_HOME", "huggingface", (home: string) => ({ HF_HOME: home }), "token"],
    ["HF_TOKEN_PATH", "keys", (home: string) => ({ HF_TOKEN_PATH: join(home, "mine") }), "mine"],
    ["the default", ".cache/huggingface", () => ({}), "token"],
  ])("is found by %s", async (_, folder, env, file) => {
    using hub = fakeHub({ repos: REPOS, token: "hf_secret" });
    mkdirSync(here.at(folder), { recursive: true });
    writeFileSync(here.at(folder, file), "hf_secret\n");
    expectContent((await pull(hub, "org/repo", env(here.at(folder)))).path, Q8);
  });

  test("is asked for by a gated repository, with what to do", async () => {
    using hub = fakeHub({ repos: REPOS, token: "hf_secret" });
    const error = await refusal(hub, "org/repo");
    expect(error.code).toBe("ACCESS_DENIED");
    const terms = `org/repo is gated: accept its terms at ${hub.endpoint}/org/repo, then`;
    expect(error.message).toBe(`${terms} set HF_TOKEN to an account that did`);
  });

  test("that is wrong is told, without the token", async () => {
    using hub = fakeHub({ repos: REPOS, token: "hf_secret" });
    const error = await refusal(hub, "org/repo", { HF_TOKEN: "hf_other" });
    expect(error.code).toBe("ACCESS_DENIED");
    expect(error.message).toContain("check the token in HF_TOKEN");
    expect(error.message).not.toContain("hf_other");
  });
});

describe("pull fails", () => {
  test.each([
    ["org/none", "NO_SUCH_MODEL", "the hub has no repository org/none, or hides it"],
    ["org/repo@v9", "NO_SUCH_MODEL", "org/repo has no revision v9"],
    ["hf:org/repo/none.gguf", "NO_SUCH_MODEL", "org/repo has no file none.gguf; see http"],
    [
      "org/repo:Q5_K_M",
      "NO_SUCH_MODEL",
      "org/repo: none is named for Q5_K_M; name one of org/repo/",
    ],
    ["ollama:none", "NO_SUCH_MODEL", "run ollama pull none:latest"],
    ["none", "INVALID_ARGUMENT", "Nor is it an alias; those are embeddinggemma-300m"],
    ["./a.gguf", "INVALID_ARGUMENT", "A model on the hub is an alias, ORG/REPO"],
  ])("for %s: %s", async (name, code, message) => {
    using hub = fakeHub({ repos: REPOS });
    const error = await refusal(hub, name);
    expect([error.code, error.message]).toEqual([code as never, expect.stringContaining(message)]);
    expect(existsSync(here.cache())).toBe(false);
  });

  test("when nobody answers, after three attempts", async () => {
    const hub = fakeHub({ repos: REPOS });
    hub[Symbol.dispose]();
    const error = await refusal(hub, "org/repo");
    expect(error.code).toBe("DOWNLOAD");
    expect(error.message).toMatch(/\(3 times in a row\); check the connection/);
  });

  test("when the answer is no hub's", async () => {
    using hub = fakeHub({ first: [new Response("<html>"), Response.json({})] });
    expect((await refusal(hub, "org/repo")).message).toContain("not JSON; check HF_ENDPOINT");
    expect((await refusal(hub, "org/repo")).message).toContain("has no list of files");
  });

  test("when it is redirected in circles", async () => {
    using hub = fakeHub({ renamed: { "org/repo": "org/repo" } });
    expect((await refusal(hub, "org/repo")).message).toContain("redirected more than 5 times");
  });

  test("for files whose paths lead elsewhere", async () => {
    const files = { "../../../../x-Q8_0.gguf": Q8, "/etc/x-Q8_0.gguf": Q8, "a//x-F16.gguf": Q8 };
    using hub = fakeHub({ repos: { "org/repo": files } });
    expect((await refusal(hub, "org/repo")).message).toBe("org/repo: there is no .gguf file in it");
  });

  test("when HF_ENDPOINT is no address", async () => {
    using hub = fakeHub();
    const error = await refusal(hub, "org/repo", { HF_ENDPOINT: "huggingface" });
    expect([error.code, error.message]).toEqual([
      "INVALID_ARGUMENT",
      "HF_ENDPOINT is not an http or https address: correct or unset it",
    ]);
  });

  test("when the cache cannot be written, and names the variable", async () => {
    using hub = fakeHub({ repos: REPOS });
    writeFileSync(here.at("file"), "");
    const error = await refusal(hub, "org/repo", { GGUFEMBED_CACHE: here.at("file", "cache") });
    expect(error.code).toBe("DOWNLOAD");
    expect(error.message).toContain("name another folder with GGUFEMBED_CACHE");
  });
});

describe("an address", () => {
  test("is downloaded once, by path, and keeps its secrets", async () => {
    using server = serveScript([half(0), half(1), { status: 500 }]);
    using hub = fakeHub();
    const secret = server.url.replace("/file", "/models/a%20b.gguf?key=hunter2");
    const { path, name, bytes } = await pull(hub, secret, { HF_TOKEN: "hf_secret" });
    expectContent(path, Q8);
    expect([name, bytes]).toEqual([secret.replace("?key=hunter2", ""), Q8.length]);
    expect(path).toEndWith("/a b.gguf");
    const again = await pull(hub, secret.replace("hunter2", "other"));
    expect(again).toEqual({ path, paths: [path], name, bytes });
    expect(server.seen.length).toBe(2);
    const kept = here.files().map((file) => readFileSync(join(here.cache(), file), "latin1"));
    expect(kept.join()).not.toContain("hunter2");
  });

  test("where there is something else is an error, and leaves nothing", async () => {
    using server = serveScript([
      { headers: { "content-length": "6" }, body: Buffer.from("<html>") },
    ]);
    using hub = fakeHub();
    const error = await refusal(hub, `${server.url}.gguf`);
    expect([error.code, error.message]).toEqual([
      "DOWNLOAD",
      expect.stringContaining("something else than a GGUF file"),
    ]);
    expect(here.files()).toEqual([]);
  });

  test("of the hub itself is the file's name", async () => {
    using hub = fakeHub({ repos: REPOS });
    const address = `${hub.endpoint}/org/repo/resolve/main/m-f16.gguf`;
    expect((await pull(hub, address)).name).toBe("hf:org/repo/m-f16.gguf");
  });
});

describe("our cache is", () => {
  test.each([
    ["XDG_CACHE_HOME", { XDG_CACHE_HOME: "xdg" }, "linux", "xdg/ggufembed"],
    ["GGUFEMBED_CACHE", { GGUFEMBED_CACHE: "mine", XDG_CACHE_HOME: "xdg" }, "linux", "mine"],
    ["~/.cache", {}, "linux", ".cache/ggufembed"],
    ["~/Library/Caches", {}, "darwin", "Library/Caches/ggufembed"],
  ])("where %s says", async (_, relative, platform, expected) => {
    using hub = fakeHub({ repos: REPOS });
    const folders = Object.entries(relative).map(([name, folder]) => [name, here.at(folder)]);
    const env = { HF_ENDPOINT: hub.endpoint, ...Object.fromEntries(folders) };
    const { path } = await pullAt({ ...here.around(env), platform }, "org/repo");
    expect(path).toBe(here.at(expected, PLACE));
  });
});
