import { beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DownloadRequest, download } from "../../src/download/download.ts";
import { freshFolder } from "../fresh-folder.ts";
import { type Answer, serveScript } from "./server.ts";

const CONTENT = new Uint8Array(50_000).map((_, i) => (i * 31 + (i >> 8)) & 255);
const SHA256 = new Bun.CryptoHasher("sha256").update(CONTENT).digest("hex");
const HALF = 20_000;
const LENGTH = String(CONTENT.length);

const WHOLE: Answer = { headers: { "content-length": LENGTH, etag: '"v1"' }, body: CONTENT };
const FIRST_HALF: Answer = { ...WHOLE, body: CONTENT.subarray(0, HALF) };
const SECOND_HALF: Answer = {
  status: 206,
  headers: {
    "content-length": String(CONTENT.length - HALF),
    "content-range": `bytes ${HALF}-${CONTENT.length - 1}/${LENGTH}`,
    etag: '"v1"',
  },
  body: CONTENT.subarray(HALF),
};

const folder = freshFolder();
let path: string;
beforeEach(() => {
  path = join(folder.path, "file");
});

function fetchTo(url: string, more: Partial<DownloadRequest> = {}): Promise<void> {
  return download({ url, path, retryDelayMs: 1, ...more });
}

function expectLanded(): void {
  expect(Buffer.compare(readFileSync(path), CONTENT)).toBe(0);
  expect(readdirSync(folder.path).sort()).toEqual(["file", "file.lock"]);
}

describe("a download", () => {
  test("lands whole, checked, with its progress told", async () => {
    using server = serveScript([WHOLE]);
    const progress: number[] = [];
    await fetchTo(server.url, {
      sha256: SHA256,
      bytes: CONTENT.length,
      onProgress: ({ received, total }) => {
        expect(total).toBe(CONTENT.length);
        progress.push(received);
      },
    });
    expectLanded();
    expect(progress.at(-1)).toBe(CONTENT.length);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
  });

  test("resumes where the connection dropped, if the content is still the same", async () => {
    using server = serveScript([FIRST_HALF, SECOND_HALF]);
    await fetchTo(server.url, { sha256: SHA256 });
    expectLanded();
    expect(server.seen).toEqual([
      { range: undefined, ifRange: undefined },
      { range: `bytes=${HALF}-`, ifRange: '"v1"' },
    ]);
  });

  test("resumes in a later call what an earlier one left", async () => {
    const controller = new AbortController();
    using server = serveScript([{ ...FIRST_HALF, hangs: true }, SECOND_HALF]);
    const first = fetchTo(server.url, {
      signal: controller.signal,
      onProgress: ({ received }) => received === HALF && controller.abort("enough"),
    });
    expect(await first.catch((reason: unknown) => reason)).toBe("enough");
    expect(existsSync(path)).toBe(false);
    expect(readFileSync(`${path}.part`).length).toBe(HALF);
    await fetchTo(server.url);
    expectLanded();
    expect(server.seen[1]).toEqual({ range: `bytes=${HALF}-`, ifRange: '"v1"' });
  });

  test("leaves nothing of its address, which may hold secrets, on disk", async () => {
    using server = serveScript([{ ...FIRST_HALF, hangs: true }]);
    const controller = new AbortController();
    const onProgress = () => controller.abort("enough");
    const url = `${server.url}?key=secret`;
    const stopped = fetchTo(url, { signal: controller.signal, onProgress });
    expect(await stopped.catch((reason: unknown) => reason)).toBe("enough");
    const record = readFileSync(`${path}.part.json`, "utf8");
    expect(record).toContain("v1");
    expect(record).not.toContain("secret");
  });

  test("starts again when the server ignores the range", async () => {
    using server = serveScript([FIRST_HALF, WHOLE]);
    await fetchTo(server.url);
    expectLanded();
  });

  test("starts again when the server refuses the range", async () => {
    using server = serveScript([FIRST_HALF, { status: 416 }, WHOLE]);
    await fetchTo(server.url);
    expectLanded();
    expect(server.seen[2]?.range).toBeUndefined();
  });

  test("never joins halves that nothing ties together", async () => {
    const { etag: _, ...headers } = { etag: "", ...FIRST_HALF.headers };
    using server = serveScript([{ ...FIRST_HALF, headers }, WHOLE]);
    await fetchTo(server.url);
    expectLanded();
    expect(server.seen[1]?.range).toBeUndefined();
  });

  test("starts again when the joined halves have the wrong hash", async () => {
    const other = { ...SECOND_HALF, body: CONTENT.subarray(0, CONTENT.length - HALF) };
    using server = serveScript([FIRST_HALF, other, WHOLE]);
    await fetchTo(server.url, { sha256: SHA256 });
    expectLanded();
  });

  test("does not resume a part of another address", async () => {
    using server = serveScript([WHOLE]);
    writeFileSync(`${path}.part`, CONTENT.subarray(0, HALF));
    writeFileSync(`${path}.part.json`, JSON.stringify({ address: "another", validator: '"v1"' }));
    await fetchTo(server.url);
    expectLanded();
    expect(server.seen[0]?.range).toBeUndefined();
  });

  test("resumes after a server that fell silent", async () => {
    using server = serveScript([{ ...FIRST_HALF, hangs: true }, SECOND_HALF]);
    await fetchTo(server.url, { idleMsMax: 50 });
    expectLanded();
  });

  test("waits for a server that is slow but not silent", async () => {
    using server = serveScript([{ ...WHOLE, restMs: 20 }]);
    await fetchTo(server.url, { idleMsMax: 150 });
    expectLanded();
  });

  test("refuses a part that starts elsewhere", async () => {
    const range = `bytes ${HALF - 5}-${CONTENT.length - 6}/${LENGTH}`;
    const shifted = { ...SECOND_HALF.headers, "content-range": range };
    using server = serveScript([FIRST_HALF, { ...SECOND_HALF, headers: shifted }, SECOND_HALF]);
    await fetchTo(server.url);
    expectLanded();
    expect(server.seen.length).toBe(3);
  });

  test("waits out a server that is busy", async () => {
    const busy: Answer = { status: 503, headers: { "content-length": "0" } };
    using server = serveScript([busy, busy, WHOLE]);
    await fetchTo(server.url);
    expectLanded();
    expect(server.seen.length).toBe(3);
  });

  test("replaces what an earlier one brought", async () => {
    writeFileSync(path, "old");
    using server = serveScript([WHOLE]);
    await fetchTo(server.url);
    expectLanded();
  });

  test("is made once when two ask for the same path at once", async () => {
    using server = serveScript([WHOLE]);
    await Promise.all([fetchTo(server.url), fetchTo(server.url)]);
    expectLanded();
    expect(server.seen.length).toBe(1);
  });
});

describe("a download fails, and leaves nothing at its path,", () => {
  async function expectFailure(url: string, what: RegExp, more?: Partial<DownloadRequest>) {
    const error: unknown = await fetchTo(url, more).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "GgufEmbedError", code: "DOWNLOAD" });
    expect(error).toHaveProperty("message", expect.stringMatching(what));
    expect(existsSync(path)).toBe(false);
  }

  test("when its hash is wrong", async () => {
    using server = serveScript([{ ...WHOLE, body: CONTENT.toReversed() }]);
    await expectFailure(server.url, /SHA-256 .* expected/, { sha256: SHA256 });
    expect(server.seen.length).toBe(1);
    expect(existsSync(`${path}.part`)).toBe(false);
  });

  test("when the server has another length", async () => {
    using server = serveScript([WHOLE]);
    await expectFailure(server.url, /has 50000 bytes where 49999/, { bytes: CONTENT.length - 1 });
  });

  test("when an unsized answer goes on and on", async () => {
    using server = serveScript([{ body: CONTENT, hangs: true }]);
    await expectFailure(server.url, /more than the 20000 bytes/, { bytes: HALF });
  });

  test("when the server always drops the connection, after five fruitless attempts", async () => {
    using server = serveScript([FIRST_HALF]);
    await expectFailure(server.url, /connection was closed.* \(5 times in a row\)/);
    // The first attempt brought something new, so it does not count.
    expect(server.seen.length).toBe(6);
  });

  test("when the file is not there, at once", async () => {
    using server = serveScript([{ status: 404, headers: { "content-length": "0" } }]);
    await expectFailure(server.url, /404 Scripted; check the address/);
    expect(server.seen.length).toBe(1);
  });

  test("when nobody answers", async () => {
    const server = serveScript([WHOLE]);
    server[Symbol.dispose]();
    await expectFailure(server.url, /5 times in a row/);
  });

  test("without telling the secrets of its address", async () => {
    using server = serveScript([{ status: 403, headers: { "content-length": "0" } }]);
    const url = `${server.url.replace("127", "me:hunter2@127")}?key=secret`;
    await expectFailure(url, /^cannot download http:\/\/127[^?@]*: .* sign in$/);
  });
});
