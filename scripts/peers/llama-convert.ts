/** llama.cpp's converter of checkpoints, a program in Python. */
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { VERSION } from "./llama-cpp.ts";
import { fetchLlamaSource } from "./llama-source.ts";
import { sentenceTransformers } from "./minilm.ts";
import { type Installation, missingTools } from "./peer.ts";
import { addPackages, pythonOf } from "./python.ts";

/** What it needs besides PyTorch and transformers, for Gemma. */
const PACKAGES = ["sentencepiece==0.2.3"];
/** The program, and what it imports from beside it. */
const PARTS = ["convert_hf_to_gguf.py", "conversion", "gguf-py"] as const;

export const llamaConvert: Installation = {
  id: "llama-convert",
  recipe: `llama.cpp's converter of llama-cpp-python ${VERSION}, ${PACKAGES.join(", ")}`,
  obstacle: () => missingTools(["python3"]),
  async install(folder, log) {
    const name = "llama.cpp's converter";
    const source = await fetchLlamaSource(folder, name, log);
    for (const part of PARTS) await rename(join(source, part), join(folder, part));
    await rm(join(folder, "source"), { recursive: true });
    const options = [`--target=${join(folder, "packages")}`];
    await addPackages(folder, name, { packages: PACKAGES, options }, log);
  },
};

/** PyTorch is there already, with sentence-transformers: its Python runs the converter. */
export function llamaConvertCommand(folderOf: (installation: Installation) => string): {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
} {
  const folder = folderOf(llamaConvert);
  const python = pythonOf(folderOf(sentenceTransformers.installation));
  return {
    command: [python, join(folder, PARTS[0])],
    env: { PYTHONPATH: join(folder, "packages"), PYTHONDONTWRITEBYTECODE: "1" },
  };
}
