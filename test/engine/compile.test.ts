import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { compile } from "../../scripts/packages/compile.ts";
import { hostPlatform } from "../../scripts/packages/host.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { type EmbedResult, open, systemInfo } from "../../src/index.ts";
import { bertFolder, writeFolder } from "../convert/bert-folder.ts";
import { makeTinyModel } from "../reference/tiny.ts";
import { embedByServer } from "../server/process.ts";
import { bitsOf } from "./run-native.ts";

const CHECKOUT = resolve(import.meta.dir, "../..");
const folder = mkdtempSync(join(tmpdir(), "ggufembed-compile-"));
const executable = join(folder, "elsewhere", "ggufembed");
const model = join(folder, "tiny.gguf");
const libraryCopy = join(folder, "copy.so");
const notes = join(folder, "notes.txt");
const TEXT = "hello";
const NOWHERE = "redis://127.0.0.1:9";
let expected: EmbedResult;
const isLinux = process.platform === "linux";
const mayMount = canMount();

/** `elsewhere`, without anything of our own environment: no `PATH` leads to Bun. */
const SURROUNDINGS = {
  cwd: join(folder, "elsewhere"),
  env: { HOME: folder, TMPDIR: join(folder, "tmp"), GGUFEMBED_OFFLINE: "1" },
};

async function run(command: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = Bun.spawn([...command], {
    cwd: SURROUNDINGS.cwd,
    env: { ...SURROUNDINGS.env, ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, stdout, stderr };
}

const embed = [executable, "embed", "-m", model, TEXT];

function expectVector({ code, stdout, stderr }: Awaited<ReturnType<typeof run>>): void {
  expect([code, stderr]).toEqual([0, ""]);
  const { embedding } = JSON.parse(stdout);
  expect(bitsOf([Float32Array.from(embedding)])).toEqual(bitsOf([expected.embedding]));
}

beforeAll(async () => {
  for (const name of ["built", "elsewhere", "tmp"]) mkdirSync(join(folder, name));
  const { library } = (await systemInfo()).native!;
  const outfile = join(folder, "built", "ggufembed");
  await compile(hostPlatform(), library, outfile, () => {});
  renameSync(outfile, executable);
  await makeTinyModel({ architecture: "gemma-embedding", type: "Q8_0" }, model);
  await using embedder = await open(model);
  expected = await embedder.embed(TEXT);
  copyFileSync(library, libraryCopy);
}, 30_000);
afterAll(() => rmSync(folder, { recursive: true }));

describe("a single executable in another folder", () => {
  test("embeds with the library that it carries", async () => {
    expectVector(await run(embed));
  });

  test("tells in doctor that it needs nothing of the checkout", async () => {
    const { code, stdout, stderr } = await run([executable, "doctor"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^library +\S+ggufembed\S+ \(ABI \d+\)$/m);
    expect(stdout).not.toContain(CHECKOUT);
  });

  test("takes the library that GGUFEMBED_LIBRARY names instead", async () => {
    const env = { GGUFEMBED_LIBRARY: "../copy.so" };
    expectVector(await run(embed, env));
    expect((await run([executable, "doctor"], env)).stdout).toContain(` ${libraryCopy} (ABI `);
  });

  test("serves, and SIGTERM ends it", async () => {
    const vector = await embedByServer([executable], model, TEXT, SURROUNDINGS);
    expect(bitsOf([vector])).toEqual(bitsOf([expected.embedding]));
  });

  test.each(COMMANDS.map(({ name }) => name))("has the command %s", async (name) => {
    const { code, stdout, stderr } = await run([executable, name, "--help"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain(`ggufembed ${name}`);
  });

  /** A use of each command, and what its end says. */
  const USES: Readonly<Record<string, readonly [args: string[], code: number, said: RegExp]>> = {
    embed: [["-m", model, TEXT], 0, /^\{"index":0,"tokens":7,"embedding":\[/],
    index: [["-m", model, notes], 0, /^1 added, .*; 1 chunks embedded$/m],
    search: [["heavy box"], 0, /^0\.0328 {2}\S*notes\.txt:1\n +1 {2}A heavy box\n$/],
    rerank: [["-m", model, TEXT, TEXT], 1, /is an embedding model, which scores no pairs/],
    serve: [["-m", model, "--port", "x"], 2, /option '--port' takes a number/],
    // Nobody listens there: as far as the packages in it lead.
    enqueue: [
      ["--redis", NOWHERE, model],
      1,
      /cannot use Redis at redis:\S+: connect ECONNREFUSED/,
    ],
    worker: [
      ["-m", model, "-o", "jsonl:out", "--redis", NOWHERE],
      1,
      /cannot use Redis at redis:\S+: connect ECONNREFUSED/,
    ],
    queue: [["collect", "nowhere"], 1, /nowhere: ENOENT.*; name a folder that workers have/],
    tokenize: [["-m", model, TEXT], 0, /^\[2,(\d+,){5}1\]$/m],
    inspect: [[model], 0, /^runs here +yes$/m],
    verify: [[model], 0, /^ +6 +\d\.\d+ +[0-9a-f]{16}$/m],
    convert: [
      [join(folder, "checkpoint"), join(folder, "converted.gguf")],
      0,
      /\/converted\.gguf$/m,
    ],
    quantize: [
      [model, join(folder, "quantized.gguf"), "--type", "Q4_0", "--requantize"],
      0,
      /Q8_0 to Q4_0$/m,
    ],
    pull: [["all-minilm-l6-v2"], 1, /GGUFEMBED_OFFLINE is set/],
    list: [[], 0, /no models are on this machine/],
    rm: [["all-minilm-l6-v2"], 1, /is not in \S+ggufembed;/],
    doctor: [[], 0, /^variant +\w+$/m],
  };

  test("every command does its work", async () => {
    expect(Object.keys(USES)).toEqual(COMMANDS.map(({ name }) => name));
    await writeFolder(bertFolder(), join(folder, "checkpoint"));
    await Bun.write(notes, "A heavy box\n");
    for (const [name, [args, code, said]] of Object.entries(USES)) {
      const ended = await run([executable, name, ...args]);
      expect([name, ended.code]).toEqual([name, code]);
      expect(ended.stdout + ended.stderr).toMatch(said);
    }
  }, 20_000);

  test("reads no .env and no bunfig.toml where it is run", async () => {
    const elsewhere = join(folder, "elsewhere");
    await Bun.write(join(elsewhere, ".env"), "GGUFEMBED_VARIANT=nonsense\n");
    await Bun.write(join(elsewhere, "bunfig.toml"), 'preload = ["./preload.ts"]\n');
    await Bun.write(join(elsewhere, "preload.ts"), "process.exit(9);\n");
    try {
      expectVector(await run(embed));
    } finally {
      for (const name of [".env", "bunfig.toml", "preload.ts"]) rmSync(join(elsewhere, name));
    }
  });

  test.skipIf(!isLinux)(
    `has sqlite-vec, where there is no temporary folder too${isLinux ? "" : " (skipped)"}`,
    async () => {
      await Bun.write(notes, "A heavy box\n");
      const index = ["--index", join(folder, "apart.db")];
      const env = { TMPDIR: "/nowhere" };
      const made = await run([executable, "index", "-m", model, ...index, notes], env);
      expect([made.code, made.stderr]).toEqual([0, ""]);
      const found = await run([executable, "search", ...index, "--mode", "vector", "box"], env);
      expect([found.code, found.stderr]).toEqual([0, ""]);
      expect(found.stdout).toContain("notes.txt:1\n");
    },
  );

  test.skipIf(!isLinux)(
    `needs no temporary folder${isLinux ? "" : " (skipped: this is not Linux)"}`,
    async () => {
      expectVector(await run(embed, { TMPDIR: "/nowhere" }));
    },
  );

  test.skipIf(!mayMount)(
    `nor one that allows execution${mayMount ? "" : " (skipped: this user may not mount one)"}`,
    async () => {
      expectVector(await runWithoutExecution(embed));
      // Else the mount forbade nothing, and the test says nothing.
      const copy = join(folder, "tmp", "copy.so");
      const command = ["/bin/sh", "-c", 'cp "$0" "$1" && shift && exec "$@"', libraryCopy, copy];
      const env = { GGUFEMBED_LIBRARY: copy };
      const { code, stderr } = await runWithoutExecution([...command, ...embed], env);
      expect(code).toBe(1);
      expect(stderr).toContain(`cannot load the native library ${copy}`);
    },
  );

  test("where memory will not do either it says the ways out", async () => {
    // No file may be as large as the library.
    const script = 'trap "" XFSZ; ulimit -f 100; exec "$@"';
    const limited = ["/bin/sh", "-c", script, "sh", ...embed];
    const { code, stdout, stderr } = await run(limited, { TMPDIR: "/nowhere" });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^ggufembed: cannot load the native library .*\n$/);
    expect(stderr).toContain("set TMPDIR to a folder where files may be written and executed, or");
    expect(stderr).toEndWith("name another in GGUFEMBED_LIBRARY\n");
    expectVector(await run(limited, { TMPDIR: "/nowhere", GGUFEMBED_LIBRARY: libraryCopy }));
  });
});

/** Where nothing in the temporary folder can be executed. */
function runWithoutExecution(
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  const script = 'mount -t tmpfs -o noexec tmpfs "$TMPDIR" && exec "$@"';
  return run(["/usr/bin/unshare", "-rm", "/bin/sh", "-c", script, "sh", ...command], env);
}

function canMount(): boolean {
  const script = 'mount -t tmpfs -o noexec tmpfs "$0"';
  const command = ["/usr/bin/unshare", "-rm", "/bin/sh", "-c", script, folder];
  try {
    return Bun.spawnSync(command).exitCode === 0;
  } catch {
    return false;
  }
}

test("a checkout whose library is not built says so", async () => {
  const checkout = join(folder, "checkout");
  cpSync(join(CHECKOUT, "src"), join(checkout, "src"), { recursive: true });
  for (const name of ["package.json", "build.zig"]) {
    copyFileSync(join(CHECKOUT, name), join(checkout, name));
  }
  const main = join(checkout, "src/cli/main.ts");
  for (const args of [["embed", "-m", model, TEXT], ["doctor"]]) {
    const { code, stderr } = await run([process.execPath, main, ...args]);
    expect(code).toBe(1);
    expect(stderr).toBe(
      "ggufembed: the native library is not built; run `bun run build` in the checkout, " +
        "or name the library in GGUFEMBED_LIBRARY\n",
    );
  }
  const tokens = await run([process.execPath, main, "tokenize", "-m", model, TEXT]);
  expect([tokens.code, tokens.stderr]).toEqual([0, ""]);
});
