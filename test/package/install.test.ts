import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { hostPlatform } from "../../scripts/packages/host.ts";
import { folderOf, pack, TARBALL_BYTES_MAX } from "../../scripts/packages/pack.ts";
import { extensionPackage, libraryName, PLATFORMS } from "../../scripts/packages/platforms.ts";
import {
  MAIN_PACKAGE,
  mainManifest,
  nativeManifest,
  packageName,
  stageMain,
  stageNative,
} from "../../scripts/packages/stage.ts";
import { ROOT } from "../../scripts/paths.ts";
import { formatMegabytes } from "../../scripts/process.ts";
import { makeDeclarations } from "../../scripts/reference/declarations.ts";
import { type EmbedResult, open, systemInfo, version } from "../../src/index.ts";
import { bitsOf } from "../engine/run-native.ts";
import { makeTinyModel } from "../reference/tiny.ts";
import { embedByServer } from "../server/process.ts";
import { packDependencies, packExtensions } from "./dependencies.ts";
import { type Published, Registry } from "./registry.ts";

/*
 * The packages as users get them: packed, put into a registry on this machine, and installed from
 * there into empty folders.
 */
const folder = mkdtempSync(join(tmpdir(), "ggufembed-install-"));
const model = join(folder, "tiny.gguf");
const host = hostPlatform();
const native = packageName(host);
const extension = extensionPackage(host);
const TEXT = "hello";
let expected: EmbedResult;
let registry: Registry;
let dependencies: readonly Published[];

beforeAll(async () => {
  await makeDeclarations(() => {});
  const { library } = (await systemInfo()).native!;
  const packages = join(folder, "packages");
  await stageMain(folderOf(packages, MAIN_PACKAGE));
  await stageNative(folderOf(packages, native), host, library);
  const tarball = await pack(folderOf(packages, MAIN_PACKAGE), () => {});
  const nativeTarball = await pack(folderOf(packages, native), () => {});
  dependencies = await packDependencies(packages);
  registry = new Registry([
    { manifest: mainManifest(), tarball },
    ...dependencies,
    ...(await packExtensions(packages, host)),
    ...PLATFORMS.map((platform) => ({
      manifest: nativeManifest(platform),
      ...(platform === host ? { tarball: nativeTarball } : {}),
    })),
  ]);
  await makeTinyModel({ architecture: "gemma-embedding", type: "Q8_0" }, model);
  await using embedder = await open(model);
  expected = await embedder.embed(TEXT);
}, 240_000);
afterAll(() => {
  registry[Symbol.dispose]();
  rmSync(folder, { recursive: true });
}, 60_000);

/** An empty folder's project, and nothing of our own environment. */
function surroundings(project: string) {
  const cwd = join(folder, project);
  const temporary = join(folder, `${project}-tmp`);
  for (const path of [cwd, temporary]) mkdirSync(path, { recursive: true });
  const env = {
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    HOME: join(folder, "home"),
    TMPDIR: temporary,
    BUN_INSTALL_CACHE_DIR: join(folder, "cache"),
    BUN_CONFIG_REGISTRY: registry.address,
    NO_COLOR: "1",
  };
  return { cwd, env };
}

/** Runs a command in a project. */
async function run(project: string, ...command: readonly string[]) {
  const child = Bun.spawn([...command], {
    ...surroundings(project),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, stdout, stderr };
}

const bun = (project: string, ...parameters: readonly string[]) =>
  run(project, process.execPath, ...parameters);

async function add(project: string, ...parameters: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await bun(project, "add", ...parameters);
  if (code !== 0) throw new Error(`bun add: ${stdout}${stderr}`);
}

const PROGRAM = `import { open } from "ggufembed";
await using model = await open(process.argv[2] ?? "");
console.log(JSON.stringify({ embedding: [...model.embedSync(process.argv[3] ?? "").embedding] }));
`;

/** Writes the program that a user would. */
async function writeProgram(project: string): Promise<void> {
  await Bun.write(join(folder, project, "program.ts"), PROGRAM);
}

function expectVector({ code, stdout, stderr }: Awaited<ReturnType<typeof run>>): void {
  expect([code, stderr]).toEqual([0, ""]);
  const { embedding } = JSON.parse(stdout);
  expect(bitsOf([Float32Array.from(embedding)])).toEqual(bitsOf([expected.embedding]));
}

describe("bun add ggufembed", () => {
  const project = "project";

  test("brings the native package for this machine, and what the server needs", async () => {
    await add(project, "ggufembed");
    const needed = dependencies.map(({ manifest }) => String(manifest.name));
    expect(needed).toContainValues(["prom-client", "tdigest", "zod"]);
    expect([...registry.fetched].sort()).toEqual(
      [native, extension, "ggufembed", ...needed].sort(),
    );
    const scope = join(folder, project, "node_modules", "@ggufembed");
    expect(readdirSync(scope)).toEqual([host.name]);
  });

  test("a program embeds", async () => {
    await writeProgram(project);
    expectVector(await bun(project, "program.ts", model, TEXT));
  });

  test("the command line embeds, with the library of the package", async () => {
    expectVector(await bun(project, "run", "ggufembed", "embed", "-m", model, TEXT));
    const { code, stdout } = await bun(project, "run", "ggufembed", "doctor");
    expect(code).toBe(0);
    expect(stdout).toContain(join("node_modules", native, libraryName(host)));
  });

  test("documents are searched, with the sqlite-vec of the package", async () => {
    const notes = join(folder, project, "notes.txt");
    await Bun.write(notes, "A heavy box\n");
    const made = await bun(project, "run", "ggufembed", "index", "-m", model, notes);
    expect([made.code, made.stderr]).toEqual([0, ""]);
    const found = await bun(project, "run", "ggufembed", "search", "--mode", "vector", "box");
    expect([found.code, found.stderr]).toEqual([0, ""]);
    expect(found.stdout).toContain("notes.txt:1\n");
  });

  test("the server answers", async () => {
    const program = [process.execPath, "run", "ggufembed"];
    const vector = await embedByServer(program, model, TEXT, surroundings(project));
    expect(bitsOf([vector])).toEqual(bitsOf([expected.embedding]));
  });

  test("nothing but the server loads what it needs", async () => {
    for (const { manifest } of dependencies) {
      rmSync(join(folder, project, "node_modules", String(manifest.name)), { recursive: true });
    }
    expectVector(await bun(project, "program.ts", model, TEXT));
    expectVector(await bun(project, "run", "ggufembed", "embed", "-m", model, TEXT));
    // Else the two are still there.
    const { code, stderr } = await bun(project, "run", "ggufembed", "serve", "-m", model);
    expect(code).toBe(1);
    expect(stderr).toMatch(/Cannot find (module|package) '(prom-client|zod)/);
  });

  test("bun build --compile takes the library along", async () => {
    const flags = ["--compile", "program.ts", "--outfile", "program"];
    const { code, stderr } = await bun(project, "build", ...flags);
    if (code !== 0) throw new Error(stderr);
    rmSync(join(folder, project, "node_modules"), { recursive: true });
    expectVector(await run(project, "./program", model, TEXT));
  }, 30_000);
});

test("bunx ggufembed embeds in an empty folder", async () => {
  const { code, stdout, stderr } = await bun("bunx", "x", "ggufembed", "embed", "-m", model, TEXT);
  // What bunx says of its install.
  const own = stderr.replace(/^(Resolving|Resolved|Saved|Saving|\[.*).*\n/gm, "");
  expectVector({ code, stdout, stderr: own });
  expect(existsSync(join(folder, "bunx", "node_modules"))).toBe(false);
}, 30_000);

test("so does its server, which SIGTERM ends", async () => {
  const program = [process.execPath, "x", "ggufembed"];
  const vector = await embedByServer(program, model, TEXT, surroundings("bunx"));
  expect(bitsOf([vector])).toEqual(bitsOf([expected.embedding]));
}, 30_000);

describe("an install without optional dependencies", () => {
  const project = "bare";

  test("is told which package to add", async () => {
    await add(project, "ggufembed", "--omit=optional");
    await writeProgram(project);
    const { code, stdout, stderr } = await bun(project, "program.ts", model, TEXT);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(`the package ${native} is not installed`);
    const doctor = await bun(project, "run", "ggufembed", "doctor");
    expect(doctor.code).toBe(1);
    expect(doctor.stderr).toContain(`run \`bun add ${native}@${version}\`, or name the library in`);
  });

  test("which helps", async () => {
    await add(project, `${native}@${version}`);
    expectVector(await bun(project, "program.ts", model, TEXT));
  });

  test("is told which package an index needs", async () => {
    // The last `add` brought what the first left out.
    rmSync(join(folder, project, "node_modules", extension), { recursive: true });
    const { code, stderr } = await bun(project, "run", "ggufembed", "index", "-m", model, ".");
    expect(code).toBe(1);
    expect(stderr).toContain(`the package ${extension} is not installed, which an index needs;`);
    expect(stderr).toContain(`run \`bun add ${extension}\``);
    expect(existsSync(join(folder, project, ".ggufembed.db"))).toBe(false);
  });
});

describe(`a tarball has at most ${formatMegabytes(TARBALL_BYTES_MAX)}`, () => {
  for (const platform of PLATFORMS) {
    const library = join(ROOT, "zig-out", "native", platform.name, "lib", libraryName(platform));
    const isBuilt = existsSync(library);
    const note = isBuilt ? "" : " (skipped: `bun run build:native --all` has not built it)";
    test.skipIf(!isBuilt)(`${packageName(platform)}${note}`, async () => {
      const staged = folderOf(join(folder, "sizes"), packageName(platform));
      await stageNative(staged, platform, library);
      const { size } = statSync(await pack(staged, () => {}));
      // Half a megabyte of code for each architecture at the very least.
      expect(size).toBeGreaterThan(1e5);
      expect(size).toBeLessThanOrEqual(TARBALL_BYTES_MAX);
    });
  }
});
