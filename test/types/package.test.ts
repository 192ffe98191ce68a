import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { hostPlatform } from "../../scripts/packages/host.ts";
import { packAs } from "../../scripts/packages/pack.ts";
import { ADAPTERS, makeDeclarations } from "../../scripts/reference/declarations.ts";
import * as api from "../../src/index.ts";
import * as queue from "../../src/queue/index.ts";
import { ROOT, readDocument } from "../docs/markdown.ts";
import { FRAMEWORKS, lendPackages } from "../lend.ts";
import { packDependencies, packExtensions } from "../package/dependencies.ts";
import { Registry } from "../package/registry.ts";
import { makeTinyModel } from "../reference/tiny.ts";

/*
 * The package as others get it: packed, and installed into a folder of its own without a network.
 * There the consumer's program is compiled under strict flags, declarations included, and run.
 */
const CONSUMER = join(import.meta.dir, "consumer");
const folder = mkdtempSync(join(tmpdir(), "ggufembed-package-"));
const installed = join(folder, "node_modules", "ggufembed");
const model = join(folder, "tiny.gguf");

async function run(command: string[], env: Readonly<Record<string, string>> = {}, cwd = folder) {
  const child = Bun.spawn(command, {
    cwd,
    env: { ...process.env, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, stdout, stderr };
}

/** Installs a tarball, with what it depends on from a registry on this machine. */
async function install(tarball: string): Promise<void> {
  const extensions = await packExtensions(folder, hostPlatform());
  using registry = new Registry([...(await packDependencies(folder)), ...extensions]);
  const { code, stdout, stderr } = await run([process.execPath, "add", tarball], {
    BUN_CONFIG_REGISTRY: registry.address,
    BUN_INSTALL_CACHE_DIR: join(folder, "install-cache"),
  });
  if (code !== 0) throw new Error(`bun add: ${stdout}${stderr}`);
}

beforeAll(async () => {
  await makeDeclarations(() => {});
  const tarball = join(folder, "package.tgz");
  await packAs(tarball, ROOT, () => {});
  await Bun.write(join(folder, "package.json"), '{ "private": true, "type": "module" }');
  await install(tarball);
  lendPackages(folder, ["bun-types", "@types", ...FRAMEWORKS]);
  cpSync(CONSUMER, join(folder, "program"), { recursive: true });
  await writeExamples();
  await makeTinyModel({ architecture: "gemma-embedding", type: "Q8_0" }, model);
}, 60_000);
// Of many small files, on a disk that others use as well.
afterAll(() => rmSync(folder, { recursive: true }), 60_000);

/** What examples use, by where they would import it from. */
async function exportsByModule(): Promise<[module: string, names: string[]][]> {
  const adapters = ADAPTERS.map(async (name): Promise<[string, string[]]> => {
    const module = await import(`../../src/adapters/${name}.ts`);
    return [`ggufembed/${name}`, Object.keys(module)];
  });
  return [
    ["ggufembed", Object.keys(api)],
    ...(await Promise.all(adapters)),
    ["ggufembed/queue", Object.keys(queue)],
    ["@langchain/classic/vectorstores/memory", ["MemoryVectorStore"]],
    ["ai", ["embed", "embedMany"]],
    ["llamaindex", ["Document", "Settings", "VectorStoreIndex"]],
  ];
}

/** The examples of the reference, each as a module that has an open model. */
async function writeExamples(): Promise<void> {
  const codes = readDocument("docs/api.md").blocks.filter(({ text }) => /\bawait\b/.test(text));
  expect(codes.length).toBeGreaterThan(2);
  const modules = await exportsByModule();
  for (const { line, text } of codes) {
    const used = modules.flatMap(([module, all]) => {
      const names = all.filter((name) => new RegExp(`(?<![.\\w])${name}[(.]`).test(text));
      return names.length === 0 ? [] : [{ module, names }];
    });
    const imports = used.map(
      ({ module, names }) => `import { ${names.join(", ")} } from "${module}";`,
    );
    const given = /(const|using) model\b/.test(text) ? [] : ["declare const model: Embedder;"];
    if (/\bclient\./.test(text)) given.push("declare const client: ChromaClient;");
    const types = [
      'import type { Embedder } from "ggufembed";',
      'import type { ChromaClient } from "chromadb";',
    ];
    const isAdapters = used.some(({ module }) => module !== "ggufembed");
    const kept = isAdapters ? types : types.slice(0, 1);
    const path = join("program", isAdapters ? "adapter-examples" : "examples", `line-${line}.ts`);
    await Bun.write(join(folder, path), [...kept, ...imports, ...given, text].join("\n"));
  }
}

const COMPILERS = ["bundler", "nodenext"].flatMap((resolution) => [
  { resolution, types: ["bun-types"], lib: ["ESNext"], name: `${resolution}, with Bun's types` },
  { resolution, types: [], lib: ["ESNext", "DOM"], name: `${resolution}, with the DOM's types` },
]);

/** What tsc says of the consumer's program under flags as strict as they come. */
async function compile({ resolution, types, lib }: (typeof COMPILERS)[number], files: string[]) {
  const path = join(folder, `tsconfig-${resolution}-${types.length}-${files.length}.json`);
  const config = {
    compilerOptions: {
      target: "ESNext",
      module: resolution === "nodenext" ? "NodeNext" : "Preserve",
      moduleResolution: resolution,
      lib,
      types,
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      noPropertyAccessFromIndexSignature: true,
      verbatimModuleSyntax: true,
      allowImportingTsExtensions: true,
      noEmit: true,
      skipLibCheck: false,
    },
    files,
  };
  await Bun.write(path, JSON.stringify(config));
  const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
  return await run([process.execPath, tsc, "-p", path]);
}

/** Without Bun's types a program has to say what `process` is. */
const AMBIENT = "declare const process: { readonly argv: readonly string[] };\n";

async function ambient(types: readonly string[]): Promise<string[]> {
  if (types.length > 0) return [];
  await Bun.write(join(folder, "ambient.d.ts"), AMBIENT);
  return ["ambient.d.ts"];
}

async function program(types: readonly string[]): Promise<string[]> {
  const examples = [...new Bun.Glob("program/examples/*.ts").scanSync(folder)];
  return ["program/main.ts", ...examples, ...(await ambient(types))];
}

/** The frameworks' own declarations do not compile under flags as strict: ours must. */
function complaintsOf(stdout: string): string[] {
  // The folder itself may be a link.
  const lent = relative(realpathSync(folder), realpathSync(join(ROOT, "node_modules")));
  const complaints = stdout.split("\n").filter((line) => /^\S/.test(line));
  return complaints.filter((line) => !line.startsWith(lent));
}

describe("the packed package", () => {
  test.each(COMPILERS)(
    "compiles: $name",
    async (compiler) => {
      const { stdout, stderr } = await compile(compiler, await program(compiler.types));
      expect([stdout, stderr]).toEqual(["", ""]);
    },
    30_000,
  );

  test.each(COMPILERS)(
    "compiles with the adapters: $name",
    async (compiler) => {
      const examples = [...new Bun.Glob("program/adapter-examples/*.ts").scanSync(folder)];
      expect(examples.length).toBeGreaterThan(4);
      const files = ["program/adapters.ts", ...examples, ...(await ambient(compiler.types))];
      const { stdout } = await compile(compiler, files);
      expect(complaintsOf(stdout)).toEqual([]);
    },
    60_000,
  );

  test("does not compile where a type is another than the program expects", async () => {
    const path = join(folder, "program", "mistaken.ts");
    const source = `import { version } from "ggufembed";
import { expectType } from "./assert.ts";
expectType<number>()(version);
`;
    await Bun.write(path, source);
    const { code, stdout } = await compile(COMPILERS[0]!, ["program/mistaken.ts"]);
    expect(code).not.toBe(0);
    expect(stdout.split("\n")[0]).toContain("mistaken.ts(3,1): error TS2554");
  }, 30_000);

  test("is called by the program in all its functions", async () => {
    const source = await Bun.file(join(CONSUMER, "main.ts")).text();
    const body = source.slice(source.indexOf('from "ggufembed"'));
    const unused = Object.keys(api).filter((name) => !new RegExp(`\\b${name}\\b`).test(body));
    expect(unused).toEqual([]);
  });

  test("has declarations without any, and nothing of their making", async () => {
    const made = [...new Bun.Glob("dist/**").scanSync(installed)].sort();
    const codeOf = (name: string) =>
      readFileSync(join(installed, name), "utf8").replace(/\/\*\*.*?\*\//gs, "");
    const declarations = made.filter((name) => name.endsWith(".d.ts"));
    expect(declarations.filter((name) => /\bany\b/.test(codeOf(name)))).toEqual([]);
    const main = codeOf("dist/index.d.ts");
    expect(main).toContain("export declare function open(");
    expect(main).not.toContain("import");
    const adapters = [...ADAPTERS, "model", "retrieval"].sort();
    const queueModules = "enqueue failed index results/collect status types worker".split(" ");
    expect(made).toEqual([
      ...adapters.map((name) => `dist/adapters/${name}.d.ts`),
      "dist/index.d.ts",
      ...queueModules.map((name) => `dist/queue/${name}.d.ts`),
      "dist/unsupported.cjs",
    ]);
  });

  test("runs", async () => {
    const library = (await api.systemInfo()).native!.library;
    const env = { GGUFEMBED_LIBRARY: library, GGUFEMBED_CACHE: join(folder, "cache") };
    const command = [process.execPath, join("program", "main.ts"), model];
    expect(await run(command, env)).toEqual({
      code: 0,
      stdout: "64 64 8\nFILE_NOT_FOUND true\n",
      stderr: "",
    });
    const adapters = [process.execPath, join("program", "adapters.ts"), model];
    expect(await run(adapters, env)).toEqual({
      code: 0,
      stdout: "64,16,64,2,64,1,64\n",
      stderr: "",
    });
    const cli = join(folder, "node_modules", ".bin", "ggufembed");
    const { code, stdout } = await run([process.execPath, cli, "embed", "-m", model, "one"], env);
    expect([code, JSON.parse(stdout).embedding.length]).toEqual([0, 64]);
  });
});

const node = Bun.which("node");
const nodeNote = node === null ? " (skipped: there is no node)" : "";

describe.skipIf(node === null)(`under Node${nodeNote}`, () => {
  const SAID = /ggufembed runs on Bun alone, and this is Node v\d+\..*bun:ffi.*Run .* with Bun/s;

  test.each([
    ["import", 'import { open, GgufEmbedError, version } from "ggufembed"; open;', "module"],
    ["import of all", 'import * as api from "ggufembed"; api;', "module"],
    ["import()", 'await import("ggufembed");', "module"],
    ["require", 'require("ggufembed").open("x");', "commonjs"],
    ...[...ADAPTERS, "queue"].map((name) => [
      `import of ${name}`,
      `await import("ggufembed/${name}");`,
      "module",
    ]),
  ])("%s says why not and what to do", async (_, source, type) => {
    const command = [node ?? "", `--input-type=${type}`, "--eval", source];
    const { code, stdout, stderr } = await run(command);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(SAID);
    expect(stderr).toContain("GgufEmbedError");
    expect(stderr).toContain("code: 'UNSUPPORTED'");
  });

  test("every name can be imported: else Node would complain of that", async () => {
    const modules = (await exportsByModule()).filter(([module]) => /^ggufembed/.test(module));
    expect(modules.length).toBe(2 + ADAPTERS.length);
    for (const [module, names] of modules) {
      const source = `import { ${names.join(", ")} } from "${module}";`;
      const { stderr } = await run([node ?? "", "--input-type=module", "--eval", source]);
      expect(stderr).toMatch(SAID);
    }
  });

  test("so does the command line, without a stack", async () => {
    const cli = join(folder, "node_modules", ".bin", "ggufembed");
    const { code, stdout, stderr } = await run([node ?? "", cli, "embed", "one"]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(SAID);
    expect(stderr.trimEnd().split("\n").length).toBe(1);
  });
});
