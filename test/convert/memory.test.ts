import { expect, test } from "bun:test";
import { truncate } from "node:fs/promises";
import { join } from "node:path";
import { MAIN } from "../cli/run-cli.ts";
import { temporaryFolder } from "../gguf/temporary.ts";
import { bertFolder, SIZES, writeFolder } from "./bert-folder.ts";
import { safetensorsOf } from "./safetensors-file.ts";

const MEGABYTE = 2 ** 20;

/** A BERT whose layer has so many columns inside. All weights are 0: they take no space on disk. */
async function writeZeros(path: string, ffn: number): Promise<{ path: string; bytes: number }> {
  const { files, tensors } = bertFolder();
  files["config.json"] = { ...(files["config.json"] as object), intermediate_size: ffn };
  const header: Record<string, object> = {};
  let bytes = 0;
  for (const [name, { dtype, shape: small }] of Object.entries(tensors)) {
    const shape = small.map((side) => (side === SIZES.ffn ? ffn : side));
    const begin = bytes;
    bytes += shape.reduce((product, side) => product * side, 4);
    header[name] = { dtype, shape, data_offsets: [begin, bytes] };
  }
  await writeFolder({ files, tensors: {} }, path);
  const weights = join(path, "model.safetensors");
  const head = safetensorsOf(JSON.stringify(header));
  await Bun.write(weights, head);
  await truncate(weights, head.length + bytes);
  return { path, bytes };
}

/** The largest memory of a process that converts it, in bytes. */
async function memoryOf(folder: string, type: string): Promise<number> {
  const command = [process.execPath, MAIN, "convert", folder, `${folder}.gguf`, "--type", type];
  const child = Bun.spawn(command, { stdio: ["ignore", "ignore", "inherit"] });
  expect(await child.exited).toBe(0);
  return child.resourceUsage()!.maxRSS;
}

test("memory does not grow with the weights", async () => {
  await using temporary = await temporaryFolder();
  const small = await writeZeros(join(temporary.path, "small"), SIZES.ffn);
  const large = await writeZeros(join(temporary.path, "large"), 2 ** 20);
  expect(large.bytes).toBeGreaterThan(256 * MEGABYTE);
  // The system's memory for a process moves by some megabytes on its own.
  const most = (await memoryOf(small.path, "Q4_0")) + 32 * MEGABYTE;
  expect(await memoryOf(large.path, "Q4_0")).toBeLessThan(most);
  expect(await memoryOf(large.path, "F32")).toBeLessThan(most);
}, 60_000);
