/**
 * Holds `quantize` to llama.cpp's tool, tensor by tensor, as gguf-py reads both.
 *
 *     bun scripts/quantize-reference.ts                     writes test/fixtures/quantize.jsonl
 *     bun scripts/quantize-reference.ts FILE.gguf [TYPE…]   compares errors and times
 *
 * FILE holds floats. Fails where one tensor has a larger error than llama.cpp's.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { QUANTIZE_TYPES, type QuantizeType, quantize } from "../src/index.ts";
import { writeSample } from "../test/quantize/sample.ts";
import { ROOT } from "./paths.ts";
import { ggufPy } from "./peers/gguf-py.ts";
import { llamaTools } from "./peers/llama-tools.ts";
import { pythonOf } from "./peers/python.ts";
import { ensureInstalled, folderOf } from "./peers.ts";
import { logToStderr, runOrThrow } from "./process.ts";

/** By tensor: its type, and its error where it is another than before. */
type Errors = Readonly<Record<string, readonly [type: string, error: number | null]>>;

interface Pair {
  readonly ours: Errors;
  readonly theirs: Errors;
  readonly digest: string;
  /** Times that llama.cpp's tool took, of ours. */
  readonly faster: number;
}

await ensureInstalled(ggufPy);
await ensureInstalled(llamaTools);
const folder = await mkdtemp(join(tmpdir(), "ggufembed-quantize-"));
try {
  const [file, ...types] = process.argv.slice(2);
  if (file === undefined) await writeFixture();
  else await compare(file, types.length === 0 ? QUANTIZE_TYPES : (types as QuantizeType[]));
} finally {
  await rm(folder, { recursive: true });
}

async function writeFixture(): Promise<void> {
  const sample = join(folder, "sample.gguf");
  await writeSample(sample);
  let lines = "";
  for (const type of QUANTIZE_TYPES) {
    const { ours, theirs, digest } = await pairOf(sample, type);
    requireNoWorse(type, ours, theirs);
    const tensors = Object.entries(theirs).map(([name, [kind, error]]) => {
      return error === null ? [name, kind] : [name, kind, rounded(ours[name]![1]!), rounded(error)];
    });
    lines += `${JSON.stringify({ type, digest, tensors })}\n`;
  }
  await Bun.write(join(ROOT, "test/fixtures/quantize.jsonl"), lines);
}

async function compare(file: string, types: readonly QuantizeType[]): Promise<void> {
  console.log(`${basename(file)}: squared errors as shares of llama.cpp's, and times as fast`);
  for (const type of types) {
    const { ours, theirs, faster } = await pairOf(file, type);
    const shares = requireNoWorse(type, ours, theirs);
    const [least, most] = [Math.min(...shares), Math.max(...shares)];
    const range = `${least.toFixed(3)} to ${most.toFixed(3)}`;
    const errors = shares.length === 0 ? "nothing changes" : range;
    console.log(`${type.padEnd(7)} ${errors}, ${faster.toFixed(1)} times as fast`);
  }
}

async function pairOf(file: string, type: QuantizeType): Promise<Pair> {
  const ours = join(folder, "ours.gguf");
  const theirs = join(folder, "theirs.gguf");
  const began = performance.now();
  await quantize(file, ours, { type });
  const between = performance.now();
  const tool = join(folderOf(llamaTools), "bin/llama-quantize");
  await runOrThrow([tool, file, theirs, type], "llama-quantize", logToStderr);
  const ended = performance.now();
  const script = join(ROOT, "scripts/quantize-errors.py");
  const command = [pythonOf(folderOf(ggufPy)), script, file, ours, theirs];
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "inherit" });
  const [first, second] = (await child.stdout.text()).trim().split("\n");
  if ((await child.exited) !== 0) throw new Error(`${script} failed`);
  return {
    ours: JSON.parse(first!),
    theirs: JSON.parse(second!),
    digest: new Bun.CryptoHasher("sha256").update(await Bun.file(ours).bytes()).digest("hex"),
    faster: (ended - between) / (between - began),
  };
}

/** Our errors as shares of theirs. Where both are 0 they are equal. */
function requireNoWorse(type: string, ours: Errors, theirs: Errors): number[] {
  return Object.entries(theirs).flatMap(([name, [kind, error]]) => {
    const [ownKind, own] = ours[name]!;
    if (kind !== ownKind) throw new Error(`${type}, ${name}: ${ownKind}, llama.cpp's is ${kind}`);
    if (error === null || own === null) return [];
    if (own > error) throw new Error(`${type}, ${name}: error ${own}, llama.cpp's is ${error}`);
    return [error === 0 ? 1 : own / error];
  });
}

function rounded(error: number): number {
  return Number(error.toPrecision(5));
}
