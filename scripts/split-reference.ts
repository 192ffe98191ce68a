/**
 * Holds the splitter of our tests to llama.cpp's own tool, and our reading to gguf-py's tools.
 *
 *     bun scripts/split-reference.ts     writes test/fixtures/split.json
 *
 * The fixture has the digests of the shards that llama-gguf-split makes of the sample in
 * `test/quantize/sample.ts`. Fails where `inspect` of them, of what the tool merges again, or of a
 * file that gguf-convert-endian turned around and back is not that of the sample; or where
 * `quantize` gives other bytes.
 */
import { copyFile, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256OfFile } from "../src/download/sha256.ts";
import { inspect, quantize } from "../src/index.ts";
import { writeSample } from "../test/quantize/sample.ts";
import { ROOT } from "./paths.ts";
import { ggufPy } from "./peers/gguf-py.ts";
import { llamaSplit } from "./peers/llama-split.ts";
import { pythonOf } from "./peers/python.ts";
import { ensureInstalled, folderOf } from "./peers.ts";
import { logToStderr, runOrThrow } from "./process.ts";

await ensureInstalled(ggufPy);
await ensureInstalled(llamaSplit);
const folder = await mkdtemp(join(tmpdir(), "ggufembed-split-"));
const at = (name: string) => join(folder, name);
const tool = join(folderOf(llamaSplit), "bin", llamaSplit.id);
const run = (command: string[]) => runOrThrow(command, command[0]!, logToStderr);
try {
  await writeSample(at("sample.gguf"));
  await quantize(at("sample.gguf"), at("expected.gguf"), { type: "Q8_0" });
  const digests: Record<string, string> = {};
  for (const [name, options] of Object.entries({
    ten: ["--split-max-tensors", "10"],
    empty: ["--split-max-tensors", "20", "--no-tensor-first-split"],
  })) {
    await run([tool, "--split", ...options, at("sample.gguf"), at(name)]);
    const shards = (await readdir(folder)).filter((file) => file.startsWith(`${name}-`)).sort();
    for (const shard of shards) digests[shard] = await sha256OfFile(at(shard));
    await run([tool, "--merge", at(shards[0]!), at(`${name}-merged.gguf`)]);
    for (const file of [...shards, `${name}-merged.gguf`]) await compare(file);
  }
  await turnAround();
  await Bun.write(join(ROOT, "test/fixtures/split.json"), `${JSON.stringify(digests, null, 2)}\n`);
} finally {
  await rm(folder, { recursive: true });
}

async function compare(file: string): Promise<void> {
  const expected = await inspect(at("sample.gguf"));
  const found = await inspect(at(file));
  const same = { path: "", fileCount: 0, fileSize: 0 };
  if (!Bun.deepEquals({ ...found, ...same }, { ...expected, ...same })) {
    throw new Error(`${file}: ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`);
  }
  await quantize(at(file), at("found.gguf"), { type: "Q8_0" });
  if ((await sha256OfFile(at("found.gguf"))) === (await sha256OfFile(at("expected.gguf")))) return;
  throw new Error(`${file}: quantized, it has other bytes than the sample`);
}

/** What the message about a big-endian file says to do, on one that gguf-py made. */
async function turnAround(): Promise<void> {
  const convert = async (order: string) => {
    // The program of that name begins with a path that a moved folder has left.
    const program = [pythonOf(folderOf(ggufPy)), "-m", "gguf.scripts.gguf_convert_endian"];
    const stdin = new Blob(["YES\n"]);
    const command = [...program, at("turned.gguf"), order];
    const child = Bun.spawn(command, { stdin, stdout: "ignore", stderr: "ignore" });
    if ((await child.exited) !== 0) throw new Error(`${program.join(" ")} failed`);
  };
  await copyFile(at("sample.gguf"), at("turned.gguf"));
  await convert("big");
  const message = await inspect(at("turned.gguf")).then(() => "it was read", String);
  if (!message.includes("big-endian")) throw new Error(`a big-endian file: ${message}`);
  await convert("little");
  await compare("turned.gguf");
}
