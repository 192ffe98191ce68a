/**
 * Times `convert` beside llama.cpp's converter, in turn.
 *
 *     bun scripts/convert-reference.ts DIR [TYPE…]
 *
 * DIR is the folder of a model that both take. llama.cpp's converter writes floats and Q8_0; for
 * other types its tool quantises what it wrote in F32. Each run is a process of its own, and its
 * largest memory is told.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { ROOT } from "./paths.ts";
import { llamaConvert, llamaConvertCommand } from "./peers/llama-convert.ts";
import { llamaTools } from "./peers/llama-tools.ts";
import { sentenceTransformers } from "./peers/minilm.ts";
import { ensureInstalled, folderOf } from "./peers.ts";

const TURNS = 3;
const THEIR_OWN: ReadonlySet<string> = new Set(["F32", "F16", "BF16", "Q8_0"]);

interface Run {
  readonly seconds: number;
  readonly megabytes: number;
}

const [directory, ...types] = process.argv.slice(2);
if (directory === undefined) {
  console.error("usage: bun scripts/convert-reference.ts DIR [TYPE…]");
  process.exit(2);
}
for (const each of [sentenceTransformers.installation, llamaConvert, llamaTools]) {
  await ensureInstalled(each);
}
const folder = await mkdtemp(join(tmpdir(), "ggufembed-convert-"));
try {
  for (const type of types.length === 0 ? ["Q8_0"] : types) await compare(resolve(directory), type);
} finally {
  await rm(folder, { recursive: true });
}

async function compare(model: string, type: string): Promise<void> {
  const ours: Run[] = [];
  const theirs: Run[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    ours.push(await convertOurs(model, type));
    theirs.push(await convertTheirs(model, type));
  }
  const ratios = ours.map(({ seconds }, i) => theirs[i]!.seconds / seconds);
  const faster = `${spread(ratios)} times as fast`;
  console.log(`${basename(model)} ${type}: ${describe(ours)}; llama.cpp ${describe(theirs)}`);
  console.log(`  ${faster}`);
}

function convertOurs(model: string, type: string): Promise<Run> {
  const out = join(folder, "ours.gguf");
  const command = join(ROOT, "src/cli/bin.js");
  return timed([process.execPath, command, "convert", model, out, "--type", type]);
}

async function convertTheirs(model: string, type: string): Promise<Run> {
  const { command, env } = llamaConvertCommand(folderOf);
  const isOwn = THEIR_OWN.has(type);
  const out = join(folder, "theirs.gguf");
  const outtype = isOwn ? type.toLowerCase() : "f32";
  const options = ["--outfile", out, "--outtype", outtype, "--sentence-transformers-dense-modules"];
  const first = await timed([...command, model, ...options], env);
  if (isOwn) return first;
  const tool = join(folderOf(llamaTools), "bin/llama-quantize");
  const second = await timed([tool, out, join(folder, "theirs-quantized.gguf"), type]);
  return {
    seconds: first.seconds + second.seconds,
    megabytes: Math.max(first.megabytes, second.megabytes),
  };
}

async function timed(command: string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
  const began = performance.now();
  const stdio = { stdin: "ignore", stdout: "ignore", stderr: "pipe" } as const;
  const child = Bun.spawn(command, { ...stdio, env: { ...process.env, ...env } });
  const said = await child.stderr.text();
  const code = await child.exited;
  const seconds = (performance.now() - began) / 1000;
  if (code !== 0) throw new Error(`${command.join(" ")} failed:\n${said}`);
  return { seconds, megabytes: child.resourceUsage()!.maxRSS / 1e6 };
}

function describe(runs: readonly Run[]): string {
  const seconds = spread(runs.map((run) => run.seconds));
  return `${seconds} s, at most ${Math.max(...runs.map((run) => run.megabytes)).toFixed(0)} MB`;
}

/** The least and the most. */
function spread(numbers: readonly number[]): string {
  return `${Math.min(...numbers).toPrecision(2)} to ${Math.max(...numbers).toPrecision(2)}`;
}
