import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { ensureMiniLM } from "../../scripts/models.ts";
import { makeDeclarations } from "../../scripts/reference/declarations.ts";
import { string } from "../../src/gguf/values.ts";
import { ALIASES } from "../../src/hub/aliases.ts";
import { cliEnvironment, MAIN } from "../cli/run-cli.ts";
import { bertFolder, writeFolder } from "../convert/bert-folder.ts";
import { hasWeights, WEIGHTS } from "../convert/weights.ts";
import { type FakeHub, fakeHub } from "../hub/fake-hub.ts";
import { FRAMEWORKS, lendPackages } from "../lend.ts";
import { makeTinyModel } from "../reference/tiny.ts";
import { type Block, ROOT, readDocument } from "./markdown.ts";

/*
 * The examples of README.md, as they stand: in a folder that has the package installed, the command
 * line on its PATH, and a model where the demo leaves it. Where the demo has not run, a tiny model
 * takes its place; then the examples run, and what they print is not compared. The hub is one of
 * ours, which has the same model for every alias, and the home folder is an empty one.
 */
const { blocks } = readDocument("README.md");
const model = /\.cache\/models\/[\w.-]+\.gguf/.exec(blocks.map(({ text }) => text).join())?.[0];
if (model === undefined) throw new Error("README.md names no model");
const real = join(ROOT, model);
const hasReal = existsSync(real);

interface Example extends Block {
  readonly name: string;
  /** What it prints, with the real model. */
  readonly output: string;
}

/** Blocks that are followed by their output. The others set something up or fetch something. */
const examples: Example[] = blocks.flatMap((block, i) => {
  const next = blocks[i + 1];
  if (next?.language !== "text") return [];
  const name = `the ${block.language} of line ${block.line}`;
  return [{ ...block, name, output: next.text }];
});
const typescript = examples.filter(({ language }) => language === "ts");
const shell = examples.filter(({ language }) => language === "sh");

const folder = mkdtempSync(join(tmpdir(), "ggufembed-readme-"));
let hub: FakeHub;
const fileOf = ({ line }: Block) => join(folder, `line-${line}.ts`);

beforeAll(async () => {
  await makeDeclarations(() => {});
  const path = join(folder, model);
  mkdirSync(dirname(path), { recursive: true });
  if (hasReal) symlinkSync(real, path);
  else await makeStandIn(path);
  const checkpoint = join(folder, "all-MiniLM-L6-v2");
  if (hasWeights) symlinkSync(WEIGHTS, checkpoint);
  else await writeFolder(bertFolder(), checkpoint);
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(ROOT, join(folder, "node_modules", "ggufembed"));
  lendPackages(folder, FRAMEWORKS);
  const command = join(folder, "node_modules", ".bin", "ggufembed");
  mkdirSync(dirname(command));
  writeFileSync(command, `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`);
  chmodSync(command, 0o755);
  for (const example of typescript) writeFileSync(fileOf(example), example.text);
  const bytes = readFileSync(path);
  const repos = Object.values(ALIASES).map(({ repo, file }) => [repo, { [file]: bytes }]);
  hub = fakeHub({ repos: Object.fromEntries(repos) });
});
afterAll(() => {
  hub[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

/** As wide as the real model, and with a context as long. */
async function makeStandIn(path: string): Promise<void> {
  const shape = { hidden: 384, heads: 12, headsKv: 12, headSize: 32, context: 512 };
  const metadata = { "general.name": string("all-MiniLM-L6-v2") };
  await makeTinyModel({ architecture: "bert", type: "Q8_0", shape, metadata }, path);
}

async function run(command: string[]) {
  const { GGUFEMBED_LIBRARY } = process.env;
  const child = Bun.spawn(command, {
    cwd: folder,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    env: {
      ...cliEnvironment({ NO_COLOR: "1", PWD: folder }),
      ...home(),
      GGUFEMBED_LIBRARY,
      PATH: `${join(folder, "node_modules", ".bin")}:${process.env.PATH}`,
    },
  });
  const [stdout, stderr, code] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  return { code, stdout: stdout.replaceAll(join(folder, "home"), "/home/you"), stderr };
}

/** Without this machine's models, and with a hub that has one. */
function home(): Record<string, string> {
  const at = (...parts: string[]) => join(folder, "home", ...parts);
  return {
    HF_ENDPOINT: hub.endpoint,
    HF_HOME: at("huggingface"),
    HF_HUB_CACHE: at("huggingface", "hub"),
    LLAMA_CACHE: at("llama.cpp"),
    OLLAMA_MODELS: at("ollama"),
    GGUFEMBED_CACHE: at(".cache", "ggufembed"),
    GGUFEMBED_OFFLINE: "0",
    HF_HUB_OFFLINE: "0",
  };
}

/** The shares of a download that an example prints. */
const PROGRESS = /^(0\.\d+|1)\n/gm;

function expectOutput({ code, stdout, stderr }: Awaited<ReturnType<typeof run>>, output: string) {
  expect([code, stderr.replace(PROGRESS, "")]).toEqual([0, ""]);
  if (hasReal) expect(stdout).toBe(output);
  else expect(stdout).not.toBe("");
}

test("the examples are found, and the model is the one that the demo makes", async () => {
  expect([typescript.length, shell.length]).toEqual([10, 2]);
  const cache = join(folder, ".cache");
  const log = (line: string) => {
    throw new Error(`${basename(model)} is not what the demo makes: ${line}`);
  };
  expect(await ensureMiniLM("Q8_0", cache, log)).toBe(join(folder, model));
});

test("the TypeScript has no type errors", async () => {
  const config = {
    extends: join(ROOT, "tsconfig.json"),
    compilerOptions: { typeRoots: [join(ROOT, "node_modules")] },
    include: ["*.ts"],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
  const { stdout } = await run([process.execPath, tsc, "-p", folder]);
  expect(stdout).toBe("");
});

describe(hasReal ? "prints what it shows:" : "runs (the real model is not there):", () => {
  test.each(typescript)("$name", async (example) => {
    expectOutput(await run([process.execPath, fileOf(example)]), example.output);
  });

  test.each(shell)("$name", async ({ text, output }) => {
    // `alias` is for people: a shell that runs a script may not know it, or not yet on that line.
    const script = text.replace(/^alias .*$/gm, "");
    expectOutput(await run(["sh", "-e", "-c", script]), output);
  });
});
