import { describe, expect, test } from "bun:test";
import { readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { listModelsAt, pullAt, removeModelAt } from "../../src/hub/index.ts";
import { modelPath } from "../../src/hub/source.ts";
import { failure } from "../failure.ts";
import { COMMIT, content, type FakeHub, fakeHub, sha256 } from "./fake-hub.ts";
import { machine } from "./machine.ts";

const here = machine();
const Q8 = content(1);
const F16 = content(2);
const REPO = "org/Some_repo";
const REPOS = { [REPO]: { "gguf/m-f16.gguf": F16, "gguf/m-q8_0.gguf": Q8 } };
const OFFLINE = { offline: true };
const OTHER_COMMIT = COMMIT.replaceAll("0", "f");

const env = (hub: FakeHub, more = {}) => here.around({ HF_ENDPOINT: hub.endpoint, ...more });

/** Each program's cache with a file in it, and what finds it. */
const PROGRAMS = {
  "Hugging Face": () => here.inHuggingFace(REPO, "gguf/m-q8_0.gguf", Q8),
  "llama.cpp": () => here.inLlamaCpp("org_Some_repo_gguf_m-q8_0.gguf", Q8),
  Ollama: () => here.inOllama(`hf.co/${REPO}/Q8_0`, Q8),
} as const;

describe.each(Object.entries(PROGRAMS))("what %s has", (owner, put) => {
  test("is opened where it lies, and nobody is asked", async () => {
    const path = put();
    const names = [REPO, `${REPO}:Q8_0`];
    // Ollama does not keep the names of files.
    if (owner !== "Ollama") names.push(`hf:${REPO}/gguf/m-q8_0.gguf`);
    for (const name of names) {
      expect(await modelPath(name, {}, here.around({ HF_ENDPOINT: "http://127.0.0.1:1" }))).toBe(
        path,
      );
      expect(await modelPath(name, OFFLINE, here.around())).toBe(path);
    }
  });

  test("is not downloaded: pull links to it, and open works offline from then on", async () => {
    using hub = fakeHub({ repos: REPOS });
    const source = realpathSync(put());
    const { path } = await pullAt(env(hub), `hf:${REPO}/gguf/m-q8_0.gguf`);
    expect(hub.downloads).toEqual([]);
    expect(path).toStartWith(here.cache());
    expect(realpathSync(path)).toBe(source);
    expect(await modelPath(`hf:${REPO}/gguf/m-q8_0.gguf`, OFFLINE, here.around())).toBe(path);
    await pullAt(env(hub), REPO);
    expect(hub.downloads).toEqual([]);
  });

  test("is downloaded after all when it is gone", async () => {
    using hub = fakeHub({ repos: REPOS });
    const source = realpathSync(put());
    const { path } = await pullAt(env(hub), REPO);
    rmSync(source);
    const name = `hf:${REPO}/gguf/m-q8_0.gguf`;
    const error = await failure(() => modelPath(name, OFFLINE, here.around()));
    expect(error.code).toBe("OFFLINE");
    expect((await pullAt(env(hub), REPO)).path).toBe(path);
    expect(hub.downloads.length).toBe(1);
    expect(Buffer.compare(readFileSync(path), Q8)).toBe(0);
  });

  test("is no other revision", async () => {
    put();
    const find = () => modelPath(`${REPO}@v1:Q8_0`, OFFLINE, here.around());
    expect((await failure(find)).code).toBe("OFFLINE");
  });

  test("and is not the hub's is left alone", async () => {
    using hub = fakeHub({ repos: { [REPO]: { "gguf/m-q8_0.gguf": content(5) } } });
    const source = put();
    const { path } = await pullAt(env(hub), REPO);
    expect(hub.downloads.length).toBe(1);
    expect(Buffer.compare(readFileSync(path), content(5))).toBe(0);
    expect(Buffer.compare(readFileSync(source), Q8)).toBe(0);
  });

  test("is listed by a name that opens it", async () => {
    const path = put();
    const models = await listModelsAt(here.around());
    const [model] = models;
    expect(models.length).toBe(1);
    expect(model).toMatchObject({ path, bytes: Q8.length, owner });
    expect(model?.quantization?.toUpperCase()).toBe("Q8_0");
    expect(await modelPath(model!.name, OFFLINE, here.around())).toBe(path);
  });

  test("is not removed", async () => {
    const path = put();
    const error = await failure(() => removeModelAt(here.around(), REPO));
    expect(error.code).toBe("NO_SUCH_MODEL");
    expect(error.message).toContain(`; ${path} belongs to ${owner}: `);
    expect(readFileSync(path).length).toBe(Q8.length);
  });
});

describe("Hugging Face's cache", () => {
  test("is found by its own variables", async () => {
    const path = here.inHuggingFace(REPO, "m-q8_0.gguf", Q8, {
      folder: here.at("elsewhere", "hub"),
    });
    const folder = dirname(here.at("elsewhere", "hub"));
    for (const variables of [{ HF_HOME: folder }, { HF_HUB_CACHE: join(folder, "hub") }]) {
      expect(await modelPath(REPO, OFFLINE, here.around(variables))).toBe(path);
    }
    expect((await failure(() => modelPath(REPO, OFFLINE, here.around()))).code).toBe("OFFLINE");
  });

  test("has revisions by name and by commit", async () => {
    const old = here.inHuggingFace(REPO, "m-q8_0.gguf", F16, { commit: OTHER_COMMIT, ref: "v1" });
    const now = here.inHuggingFace(REPO, "m-q8_0.gguf", Q8);
    const find = (name: string) => modelPath(name, OFFLINE, here.around());
    expect(await find(REPO)).toBe(now);
    expect(await find(`${REPO}@v1`)).toBe(old);
    expect(await find(`${REPO}@${OTHER_COMMIT}`)).toBe(old);
    expect((await failure(() => find(`${REPO}@v2`))).code).toBe("OFFLINE");
    const names = (await listModelsAt(here.around())).map(({ name }) => name);
    expect(names).toEqual([`hf:${REPO}/m-q8_0.gguf`, `hf:${REPO}@${OTHER_COMMIT}/m-q8_0.gguf`]);
  });

  test("has a file of two commits once", async () => {
    here.inHuggingFace(REPO, "m-q8_0.gguf", Q8, { commit: OTHER_COMMIT });
    const now = here.inHuggingFace(REPO, "m-q8_0.gguf", Q8);
    expect((await listModelsAt(here.around())).map(({ path }) => path)).toEqual([now]);
  });

  test("in LLAMA_CACHE is llama.cpp's of today", async () => {
    const folder = here.at("llama");
    const path = here.inHuggingFace(REPO, "m-q8_0.gguf", Q8, { folder });
    const around = here.around({ LLAMA_CACHE: folder });
    expect(await modelPath(REPO, OFFLINE, around)).toBe(path);
    expect(await listModelsAt(around)).toMatchObject([{ path, owner: "llama.cpp" }]);
  });

  test("with a link to nowhere has no such file", async () => {
    const path = here.inHuggingFace(REPO, "m-q8_0.gguf", Q8);
    rmSync(realpathSync(path));
    expect(await listModelsAt(here.around())).toEqual([]);
    expect((await failure(() => modelPath(REPO, OFFLINE, here.around()))).code).toBe("OFFLINE");
  });
});

test("Ollama's own models have its names", async () => {
  const path = here.inOllama("registry.ollama.ai/library/all-minilm/22m", Q8, "F16");
  expect(await modelPath("ollama:all-minilm:22m", OFFLINE, here.around())).toBe(path);
  const name = "ollama:all-minilm:22m";
  const model = {
    name,
    path,
    paths: [path],
    bytes: Q8.length,
    quantization: "F16",
    owner: "Ollama",
  };
  expect(await listModelsAt(here.around())).toEqual([model]);
  expect((await pullAt(here.around(), name)).path).toBe(path);
  const error = await failure(() => removeModelAt(here.around(), name));
  expect(error.message).toContain("belongs to Ollama: use ollama rm");
});

test("damaged manifests and foreign files are passed over", async () => {
  const path = here.inOllama(`hf.co/${REPO}/Q8_0`, Q8);
  const manifests = here.at(".ollama/models/manifests/hf.co", REPO);
  for (const [i, text] of ["", "[]", "{", '{"layers":[null,{"mediaType":1}]}'].entries()) {
    writeFileSync(join(manifests, `bad${i}`), text);
  }
  expect((await listModelsAt(here.around())).map((model) => model.path)).toEqual([path]);
  expect(await modelPath(REPO, OFFLINE, here.around())).toBe(path);
});

describe("of several files that are here,", () => {
  test("a name without a tag means the first choice; offline the best of them", async () => {
    using hub = fakeHub({ repos: REPOS });
    const path = here.inHuggingFace(REPO, "gguf/m-f16.gguf", F16);
    expect(await modelPath(REPO, OFFLINE, here.around())).toBe(path);
    // The hub has a Q8_0, which it means before.
    expect(await modelPath(REPO, {}, env(hub))).toBe(
      join(here.cache(), "hub", REPO, "main/gguf/m-q8_0.gguf"),
    );
    expect(await modelPath(`${REPO}:F16`, {}, env(hub))).toBe(path);
  });

  test("it means what it meant to pull", async () => {
    using hub = fakeHub({ repos: { [REPO]: { "only.gguf": F16 } } });
    const { path } = await pullAt(env(hub), REPO);
    const count = hub.requests.length;
    expect(await modelPath(REPO, {}, env(hub))).toBe(path);
    expect(await modelPath(REPO, OFFLINE, here.around())).toBe(path);
    expect(hub.requests.length).toBe(count);
  });

  test("what we have comes first", async () => {
    using hub = fakeHub({ repos: REPOS });
    const { path } = await pullAt(env(hub), `${REPO}:Q8_0`);
    here.inHuggingFace(REPO, "gguf/m-q8_0.gguf", F16);
    expect(await modelPath(REPO, OFFLINE, here.around())).toBe(path);
  });
});

describe("offline", () => {
  test.each([
    ["the option", {}, OFFLINE, "offline is set"],
    ["GGUFEMBED_OFFLINE", { GGUFEMBED_OFFLINE: "1" }, {}, "GGUFEMBED_OFFLINE is set"],
    ["HF_HUB_OFFLINE", { HF_HUB_OFFLINE: "true" }, {}, "HF_HUB_OFFLINE is set"],
  ])("by %s nothing is asked, and what to do is told", async (_, variables, options, why) => {
    using hub = fakeHub({ repos: REPOS });
    const around = env(hub, variables);
    for (const name of [REPO, `${hub.endpoint.replace("127.0.0.1", "localhost")}/m.gguf`]) {
      const ways = [() => pullAt(around, name, options), () => modelPath(name, options, around)];
      for (const find of ways) {
        const error = await failure(find);
        expect(error.code).toBe("OFFLINE");
        expect(error.message).toContain(`is not on this machine, and ${why}: pull it while online`);
      }
    }
    expect(hub.requests).toEqual([]);
  });

  test("pull gives what is here", async () => {
    using hub = fakeHub({ repos: REPOS });
    const model = await pullAt(env(hub), REPO);
    expect(await pullAt(here.around(), REPO, OFFLINE)).toEqual(model);
  });

  test("can be switched off for a call, and is off by 0", async () => {
    using hub = fakeHub({ repos: REPOS });
    await pullAt(env(hub, { HF_HUB_OFFLINE: "0" }), `${REPO}:F16`);
    await pullAt(env(hub, { GGUFEMBED_OFFLINE: "1" }), REPO, { offline: false });
    expect(hub.downloads.length).toBe(2);
  });
});

describe("our own models", () => {
  test("are listed first, and removed by name with all that is theirs", async () => {
    using hub = fakeHub({ repos: REPOS });
    here.inOllama("registry.ollama.ai/library/all-minilm/latest", content(8));
    const q8 = await pullAt(env(hub), REPO);
    const f16 = await pullAt(env(hub), `${REPO}:F16`);
    const listed = await listModelsAt(here.around());
    expect(listed.map(({ name, owner }) => `${owner} ${name}`)).toEqual([
      `ggufembed ${f16.name}`,
      `ggufembed ${q8.name}`,
      "Ollama ollama:all-minilm:latest",
    ]);
    expect(listed[1]).toMatchObject({ path: q8.path, bytes: Q8.length, quantization: "Q8_0" });
    expect(await removeModelAt(here.around(), REPO)).toEqual({ path: q8.path });
    const rest = ["gguf/m-f16.gguf", "gguf/m-f16.gguf.json"].map(
      (file) => `hub/${REPO}/main/${file}`,
    );
    expect(here.files().filter((file) => !file.endsWith("/default.json"))).toEqual(rest);
    expect(await removeModelAt(here.around(), f16.name)).toEqual({ path: f16.path });
    expect(here.files()).toEqual([]);
    const error = await failure(() => removeModelAt(here.around(), f16.name));
    expect([error.code, error.message]).toEqual([
      "NO_SUCH_MODEL",
      `${f16.name} is not in ${here.cache()}; listing the models shows what is`,
    ]);
  });

  test("that are links go without what they lead to", async () => {
    using hub = fakeHub({ repos: REPOS });
    const source = here.inOllama("registry.ollama.ai/library/m/latest", Q8);
    const { path } = await pullAt(env(hub), REPO);
    expect(realpathSync(path)).toBe(source);
    await removeModelAt(here.around(), REPO);
    expect(here.files()).toEqual([]);
    expect(readFileSync(source).length).toBe(Q8.length);
  });

  test("that are not whole are not listed, and can be removed", async () => {
    using hub = fakeHub({ repos: REPOS });
    const controller = new AbortController();
    const options = { signal: controller.signal, onProgress: () => controller.abort() };
    await pullAt(env(hub), REPO, options).catch(() => {});
    expect(here.files().length).toBe(2);
    expect(await listModelsAt(here.around())).toEqual([]);
    await removeModelAt(here.around(), `hf:${REPO}/gguf/m-q8_0.gguf`);
    expect(here.files()).toEqual([]);
  });

  test("that are not as their record says do not count", async () => {
    using hub = fakeHub({ repos: REPOS });
    const { path } = await pullAt(env(hub), REPO);
    writeFileSync(path, "cut short");
    expect(await listModelsAt(here.around())).toEqual([]);
    expect((await pullAt(env(hub), REPO)).sha256).toBe(sha256(Q8));
    writeFileSync(`${path}.json`, "{");
    expect(await listModelsAt(here.around())).toEqual([]);
    await pullAt(env(hub), REPO);
    expect((await listModelsAt(here.around())).length).toBe(1);
    expect(hub.downloads.length).toBe(2);
  });
});
