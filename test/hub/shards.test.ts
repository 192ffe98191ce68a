import { describe, expect, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { listModelsAt, pullAt, removeModelAt } from "../../src/hub/index.ts";
import type { PullOptions } from "../../src/hub/pull.ts";
import { modelPath } from "../../src/hub/source.ts";
import { serveScript } from "../download/server.ts";
import { failure } from "../failure.ts";
import { COMMIT, content, type FakeHub, fakeHub, sha256 } from "./fake-hub.ts";
import { machine } from "./machine.ts";

const REPO = "org/split";
const NAMES = [1, 2, 3].map((number) => `big-Q8_0-0000${number}-of-00003.gguf`);
const FIRST = NAMES[0]!;
const CONTENTS = [content(1, 40_000), content(2, 50_000), content(3, 60_000)];
const TOTAL = 150_000;
const OFFLINE: PullOptions = { offline: true };
const OTHER_COMMIT = COMMIT.replaceAll("0", "f");

const here = machine();
const repos = (contents: readonly Uint8Array[] = CONTENTS) => ({
  [REPO]: Object.fromEntries(NAMES.map((name, i) => [name, contents[i]!])),
});
const pull = (hub: FakeHub, name: string, options: PullOptions = {}) =>
  pullAt(here.around({ HF_ENDPOINT: hub.endpoint }), name, options);
const placeOf = (name: string) => here.at(".cache/ggufembed/hub", REPO, "main", name);

function expectContents(paths: readonly string[], contents = CONTENTS): void {
  expect(paths.map((path) => sha256(readFileSync(path)))).toEqual(contents.map(sha256));
}

describe("pull of a split model", () => {
  test.each([REPO, `${REPO}:Q8_0`, `hf:${REPO}/${NAMES[1]}`])(
    "%s brings all shards",
    async (name) => {
      using hub = fakeHub({ repos: repos() });
      const progress: number[] = [];
      const onProgress: PullOptions["onProgress"] = ({ received, total }) => {
        expect(total).toBe(TOTAL);
        progress.push(received);
      };
      const model = await pull(hub, name, { onProgress });
      const paths = NAMES.map(placeOf);
      expect(model).toEqual({ path: paths[0]!, paths, name: `hf:${REPO}/${FIRST}`, bytes: TOTAL });
      expectContents(paths);
      expect(progress.at(-1)).toBe(TOTAL);
      expect(progress).toEqual(progress.toSorted((a, b) => a - b));
      // Each is here at the commit of the first, and asked for by it.
      const asked = hub.requests.filter(({ method }) => method === "HEAD").map(({ path }) => path);
      expect(asked.slice(1)).toEqual(
        NAMES.slice(1).map((file) => `/${REPO}/resolve/${COMMIT}/${file}`),
      );
      expect(await pull(hub, name)).toEqual(model);
      expect(hub.downloads.length).toBe(NAMES.length);
      expect(await modelPath(`${REPO}:Q8_0`, OFFLINE, here.around())).toBe(paths[0]!);
    },
  );

  test("goes on with the shard where it was broken off", async () => {
    using hub = fakeHub({ repos: repos() });
    const abort = new AbortController();
    const onProgress: PullOptions["onProgress"] = ({ received }) => {
      if (received > 40_000) abort.abort();
    };
    const { signal } = abort;
    await expect(pull(hub, REPO, { onProgress, signal })).rejects.toThrow("aborted");
    expect(await listModelsAt(here.around())).toEqual([]);
    expect((await failure(() => modelPath(REPO, OFFLINE, here.around()))).code).toBe("OFFLINE");
    const before = hub.downloads.length;
    const { paths } = await pull(hub, REPO);
    expectContents(paths);
    const again = hub.downloads.slice(before).map(({ path }) => path.slice(1));
    expect(again).not.toContain(sha256(CONTENTS[0]!));
    expect(again).toContain(sha256(CONTENTS[2]!));
  });

  test("refuses a shard with other content than the hub states", async () => {
    using hub = fakeHub({
      repos: repos(),
      linked: { "x-linked-etag": `"${sha256(content(4))}"` },
    });
    const { code, message } = await failure(() => pull(hub, REPO));
    expect([code, message.includes("SHA-256")]).toEqual(["DOWNLOAD", true]);
  });

  test("takes shards of two commits for none", async () => {
    using hub = fakeHub({ repos: repos() });
    await pull(hub, REPO);
    const changed = CONTENTS.map(({ length }, i) => content(10 + i, length));
    hub.repos = repos(changed);
    hub.commit = OTHER_COMMIT;
    const abort = new AbortController();
    const onProgress: PullOptions["onProgress"] = ({ received }) => {
      if (received > CONTENTS[0]!.length) abort.abort();
    };
    const { signal } = abort;
    await expect(pull(hub, REPO, { onProgress, signal })).rejects.toThrow("aborted");
    // Each file is whole, and the first is already the new one.
    expectContents(NAMES.map(placeOf), [changed[0]!, ...CONTENTS.slice(1)]);
    expect((await failure(() => modelPath(REPO, OFFLINE, here.around()))).code).toBe("OFFLINE");
    expectContents((await pull(hub, REPO)).paths, changed);
  });

  test("takes a shard without its record for none", async () => {
    using hub = fakeHub({ repos: repos() });
    const { paths } = await pull(hub, REPO);
    rmSync(`${paths[1]}.json`);
    expect((await failure(() => modelPath(REPO, OFFLINE, here.around()))).code).toBe("OFFLINE");
  });

  test("names the shard that the repository lacks", async () => {
    using hub = fakeHub({
      repos: { [REPO]: { [FIRST]: CONTENTS[0]!, [NAMES[2]!]: CONTENTS[2]! } },
    });
    const { code, message } = await failure(() => pull(hub, REPO));
    expect([code, message.includes(`lacks ${NAMES[1]}`)]).toEqual(["NO_SUCH_MODEL", true]);
    const other = await failure(() => pull(hub, `hf:${REPO}/${FIRST}`));
    expect(other.message).toContain(`${REPO} has no file ${NAMES[1]}`);
  });

  test("is listed as one model, and removed with all its files", async () => {
    using hub = fakeHub({ repos: repos() });
    const { path, paths } = await pull(hub, REPO);
    const name = `hf:${REPO}/${FIRST}`;
    const listed = { name, path, paths, bytes: TOTAL, quantization: "Q8_0", owner: "ggufembed" };
    expect(await listModelsAt(here.around())).toEqual([listed]);
    expect(await removeModelAt(here.around(), `${REPO}:Q8_0`)).toEqual({ path });
    expect(here.files()).toEqual([]);
  });

  test("of an address brings those beside it", async () => {
    const send = (body: Uint8Array) => ({ body: Buffer.from(body) });
    using server = serveScript(CONTENTS.map(send));
    using hub = fakeHub();
    const address = (file: string) => server.url.replace("/file", `/m/${file}`);
    const model = await pull(hub, `${address(NAMES[2]!)}?key=hunter2`);
    expect(model).toMatchObject({ name: address(FIRST), bytes: TOTAL });
    expectContents(model.paths);
    expect(await pull(hub, address(FIRST))).toEqual(model);
    expect(server.seen.length).toBe(NAMES.length);
  });
});

describe("a split model of another program", () => {
  test("of Hugging Face is used where it lies, once it is whole", async () => {
    const put = (i: number) => here.inHuggingFace(REPO, `q8/${NAMES[i]}`, CONTENTS[i]!);
    const paths = [put(0), put(1)];
    expect(await listModelsAt(here.around())).toEqual([]);
    paths.push(put(2));
    const [model, ...more] = await listModelsAt(here.around());
    expect(model).toMatchObject({ path: paths[0]!, paths, bytes: TOTAL, owner: "Hugging Face" });
    expect(more).toEqual([]);
    expect(await modelPath(`${REPO}:Q8_0`, OFFLINE, here.around())).toBe(paths[0]!);
    const second = `hf:${REPO}/q8/${NAMES[1]}`;
    expect(await modelPath(second, OFFLINE, here.around())).toBe(paths[0]!);
  });

  test("of llama.cpp, too", async () => {
    const paths = NAMES.map((name, i) => here.inLlamaCpp(`org_split_${name}`, CONTENTS[i]!));
    expect(await modelPath(REPO, OFFLINE, here.around())).toBe(paths[0]!);
    expect(await modelPath(`hf:${REPO}/${NAMES[2]}`, OFFLINE, here.around())).toBe(paths[0]!);
    rmSync(join(here.llamaCpp(), `org_split_${NAMES[1]}`));
    expect((await failure(() => modelPath(REPO, OFFLINE, here.around()))).code).toBe("OFFLINE");
  });
});
