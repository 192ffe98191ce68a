import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { string } from "../../src/gguf/values.ts";
import { pullAt } from "../../src/hub/index.ts";
import {
  ERROR_CODES,
  type ErrorCode,
  GgufEmbedError,
  open,
  openSearchIndex,
} from "../../src/index.ts";
import { queueStatus } from "../../src/queue/index.ts";
import { openResults } from "../../src/queue/results/open.ts";
import { failure } from "../failure.ts";
import { content, fakeHub } from "../hub/fake-hub.ts";
import { machine } from "../hub/machine.ts";
import { makeTinyModel, type TinyOptions } from "../reference/tiny.ts";

interface Told {
  readonly code: ErrorCode;
  readonly message: string;
  readonly cause?: unknown;
}

interface Case {
  /** What goes wrong, for real. Gives the error, or what a child process says of it. */
  readonly provoke: () => Promise<Told>;
  /** In the message: what is wrong, and where. */
  readonly what: RegExp;
  /** In the message: what to do. */
  readonly advice: RegExp;
  /** Whether an error of somebody else's is behind it. */
  readonly hasCause?: boolean;
}

const here = machine();
const folder = mkdtempSync(join(tmpdir(), "ggufembed-errors-"));
const at = (name: string) => join(folder, name);
const model = at("model.gguf");
const REPO = { "org/repo": { "model-q8_0.gguf": content(1) } };
/** Nobody listens there. */
const NOWHERE = "http://127.0.0.1:9";

async function make(path: string, options: Partial<TinyOptions> = {}): Promise<string> {
  await makeTinyModel({ architecture: "gemma-embedding", type: "Q8_0", ...options }, path);
  return path;
}

const refusal = async (path: string | Promise<string>): Promise<Told> => {
  const name = await path;
  return failure(() => open(name));
};

function write(name: string, bytes: Uint8Array | string): string {
  writeFileSync(at(name), bytes);
  return at(name);
}

/** A copy of the model whose first scale of a matrix is infinite. */
async function damaged(): Promise<string> {
  const tensor = (
    await makeTinyModel({ architecture: "gemma-embedding", type: "Q8_0" }, model)
  ).tensors.get("blk.3.ffn_down.weight");
  const bytes = readFileSync(model);
  bytes.writeUInt16LE(0x7c00, tensor!.offset);
  return write("damaged.gguf", bytes);
}

/** What a script in a process of its own says in its lines. */
async function child(command: readonly string[], env = {}): Promise<Told[]> {
  const { stdout } = Bun.spawn([...command], { env: { ...process.env, ...env }, stdout: "pipe" });
  return (await stdout.text())
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** With a library that is none. Another process: this one has loaded its own. */
async function withoutLibrary(): Promise<Told> {
  const source = `
    import { open } from ${JSON.stringify(join(import.meta.dir, "../../src/index.ts"))};
    await open(${JSON.stringify(model)}).catch(({ code, message, cause }) =>
      console.log(JSON.stringify({ code, message, cause: cause instanceof Error })));
  `;
  const env = { GGUFEMBED_LIBRARY: write("library.so", "no library") };
  const [told] = await child([process.execPath, "--eval", source], env);
  return told!;
}

/** In a copy of the sources that has no packages beside it. */
async function withoutPackages(): Promise<Told> {
  cpSync(join(import.meta.dir, "../../src"), at("copy/src"), { recursive: true });
  copyFileSync(join(import.meta.dir, "../../package.json"), at("copy/package.json"));
  const source = `
    import { queueStatus } from ${JSON.stringify(at("copy/src/queue/index.ts"))};
    await queueStatus({}).catch(({ code, message, cause }) =>
      console.log(JSON.stringify({ code, message, cause: cause instanceof Error })));
  `;
  // Bun would fetch what is missing.
  const [told] = await child([process.execPath, "--no-install", "--eval", source]);
  return told!;
}

/** The limit is the system's own. */
function withoutFiles(): Promise<Told[]> {
  const script = join(import.meta.dir, "out-of-files.ts");
  const limited = 'ulimit -n 128 && exec "$0" "$@"';
  return child(["/bin/sh", "-c", limited, process.execPath, script, model]);
}

const pull = (name: string, endpoint: string, options = {}) =>
  failure(() => pullAt(here.around({ HF_ENDPOINT: endpoint }), name, options));

const CASES: Readonly<Record<ErrorCode, Case>> = {
  INVALID_ARGUMENT: {
    provoke: () => failure(() => open(model, { threads: 0 })),
    what: /^threads is 0;/,
    advice: /it must be a whole number from 1 to 256$/,
  },
  INPUT_TOO_LONG: {
    provoke: async () => {
      await using embedder = await open(model);
      return failure(() => embedder.embed("word ".repeat(500)));
    },
    what: /^text 0 has \d+ tokens, the model takes 128;/,
    advice: /split it, or truncate/,
  },
  FILE_NOT_FOUND: {
    provoke: () => refusal(`${folder}/nowhere/model.gguf`),
    what: /nowhere\/model\.gguf: there is no such file/,
    advice: /A model on the hub is an alias, ORG\/REPO, /,
  },
  BAD_FILE: {
    provoke: () => refusal(write("text.gguf", "this is no model, only text")),
    what: /text\.gguf: byte 0 \(header\): expected the magic GGUF, found bytes 74686973/,
    advice: /This is not a GGUF file\./,
  },
  BAD_MODEL: {
    provoke: () =>
      refusal(make(at("bare.gguf"), { metadata: { "gemma-embedding.block_count": undefined } })),
    what: /bare\.gguf: metadata key "gemma-embedding\.block_count" is missing/,
    advice: /Convert the model again, or get another file\./,
  },
  UNSUPPORTED: {
    provoke: () =>
      refusal(make(at("other.gguf"), { metadata: { "general.architecture": string("llama") } })),
    what: /other\.gguf: the architecture is "llama"; this version runs /,
    advice: /Use an embedding model of such an architecture\./,
  },
  NATIVE: {
    provoke: withoutLibrary,
    what: /cannot load the native library .*library\.so: /,
    advice: /correct or unset GGUFEMBED_LIBRARY/,
    hasCause: true,
  },
  NOT_FINITE: {
    provoke: async () => refusal(await damaged()),
    what: /damaged\.gguf, tensor blk\.3\.ffn_down\.weight: /,
    advice: /the file is damaged: download or convert it again/,
  },
  QUEUE_FULL: {
    provoke: async () => {
      await using embedder = await open(model, { queueLimit: 2 });
      const first = embedder.embed(["one", "two"]);
      const error = await failure(() => embedder.embed("three"));
      // Those that were there before lose nothing.
      expect((await first).length).toBe(2);
      return error;
    },
    what: /^2 texts wait already, and the limit is 2;/,
    advice: /try again when some are done, use stream\(\), .*or raise queueLimit/,
  },
  CLOSED: {
    provoke: async () => {
      const embedder = await open(model);
      await embedder.close();
      return failure(() => embedder.embed("one"));
    },
    what: /^this model was closed;/,
    advice: /open it again/,
  },
  OUT_OF_RESOURCES: {
    provoke: async () => (await withoutFiles())[0]!,
    what: /model\.gguf: this process has too many open files/,
    advice: /Close some, or raise the limit \(ulimit -n\)/,
    hasCause: true,
  },
  DOWNLOAD: {
    provoke: () => {
      const hub = fakeHub({ repos: REPO, contentUrl: `${NOWHERE}/content` });
      return pull("org/repo", hub.endpoint).finally(() => hub[Symbol.dispose]());
    },
    what: /^cannot download http:\S+model-q8_0\.gguf: /,
    advice: /try again later|check the connection/,
    hasCause: true,
  },
  OFFLINE: {
    provoke: () => pull("org/repo", NOWHERE, { offline: true }),
    what: /^hf:org\/repo is not on this machine, and offline is set:/,
    advice: /pull it while online, or give the path of a file/,
  },
  NO_SUCH_MODEL: {
    provoke: async () => {
      using hub = fakeHub({ repos: REPO });
      return await pull("org/other", hub.endpoint);
    },
    what: /^the hub has no repository org\/other/,
    advice: /check the name; for a private one set HF_TOKEN/,
  },
  ACCESS_DENIED: {
    provoke: async () => {
      using hub = fakeHub({ repos: REPO, token: "secret" });
      return await pull("org/repo", hub.endpoint);
    },
    what: /^org\/repo is gated: /,
    advice: /accept its terms at http:\S+, then set HF_TOKEN/,
  },
  BAD_INDEX: {
    provoke: () =>
      failure(() => openSearchIndex({ path: write("text.db", "no index ".repeat(99)) })),
    what: /text\.db: file is not a database/,
    advice: /name another file, or remove this one and index again/,
    hasCause: true,
  },
  WRONG_MODEL: {
    provoke: async () => {
      const path = at("wrong.db");
      {
        await using index = await openSearchIndex({ path, model });
        await index.add({ id: "one", text: "one" });
      }
      const other = await make(at("another.gguf"), { seed: 7 });
      await using index = await openSearchIndex({ path, model: other });
      return await failure(() => index.search("one"));
    },
    what: /wrong\.db: its vectors are of .* cannot be compared with them/,
    advice: /open that model as it was, or index again into another file/,
  },
  INDEX_BUSY: {
    provoke: async () => {
      const path = at("busy.db");
      await using index = await openSearchIndex({ path, model, busyTimeoutMs: 10 });
      const other = new Database(path);
      other.run("BEGIN IMMEDIATE");
      const error = await failure(() => index.add({ id: "one", text: "one" }));
      other.close();
      return error;
    },
    what: /busy\.db: another process writes to it/,
    advice: /try again when it is done, or raise busyTimeoutMs/,
    hasCause: true,
  },
  QUEUE_UNREACHABLE: {
    provoke: () => failure(() => queueStatus({ redis: "redis://127.0.0.1:9" })),
    what: /^cannot use Redis at redis:\/\/127\.0\.0\.1:9: connect ECONNREFUSED/,
    advice: /start it \(Debian: `apt install redis-server`\), or correct the address$/,
    hasCause: true,
  },
  RESULTS: {
    provoke: () => {
      const kind = { fingerprint: "a-4-1", model: "a", dimensions: 4 };
      return failure(() =>
        openResults(`sqlite:${write("text.db", "no database".repeat(99))}`, kind),
      );
    },
    what: /text\.db: file is not a database/,
    advice: /name a file that may be written, and that is an SQLite database or new$/,
    hasCause: true,
  },
  MISSING_PACKAGE: {
    provoke: withoutPackages,
    what: /^a queue needs packages that are not installed here/,
    advice: /run `bun add bullmq ioredis`$/,
    hasCause: true,
  },
};

beforeAll(async () => {
  await make(model);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("every code is provoked, and says what is wrong, where and what to do:", () => {
  test.each([...ERROR_CODES])("%s", async (code) => {
    const { provoke, what, advice, hasCause = false } = CASES[code];
    const error = await provoke();
    expect(error.code).toBe(code);
    expect(error.message).toMatch(what);
    expect(error.message).toMatch(advice);
    expect(error.message).not.toContain("\n");
    // Of a child process only the fact is known.
    expect(error.cause === true || error.cause instanceof Error).toBe(hasCause);
  });
});

test("where only what wakes the event loop finds no descriptor, the advice fits too", async () => {
  const [, second] = await withoutFiles();
  expect(second?.code).toBe("OUT_OF_RESOURCES");
  expect(second?.message).toMatch(/^opening a channel failed .* raise the process's limits/);
});

describe("an error", () => {
  const cause = new Error("behind it");
  const error = new GgufEmbedError("BAD_FILE", "text 3 is at fault", { cause, index: 3 });

  test("is an Error with its name, code, index and cause", () => {
    expect(error).toBeInstanceOf(Error);
    expect(`${error}`).toBe("GgufEmbedError: text 3 is at fault");
    expect([error.code, error.index, error.cause]).toEqual(["BAD_FILE", 3, cause]);
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ code: "BAD_FILE", index: 3 });
  });

  // As its documentation says.
  test("that was cloned for a Worker keeps its message, not its class and code", async () => {
    const { port1, port2 } = new MessageChannel();
    const arrived = Promise.withResolvers<unknown>();
    port2.onmessage = ({ data }) => arrived.resolve(data);
    port1.postMessage(error);
    for (const clone of [structuredClone(error), await arrived.promise]) {
      expect(clone).toBeInstanceOf(Error);
      expect(clone).not.toBeInstanceOf(GgufEmbedError);
      expect(clone).toHaveProperty("message", error.message);
      expect(clone).not.toHaveProperty("code");
      expect(clone).not.toHaveProperty("index");
    }
    port1.close();
  });
});
