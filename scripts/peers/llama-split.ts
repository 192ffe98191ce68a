/** llama.cpp's tool that splits files, compiled against the libraries of `llama-cpp.ts`. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ensureInstalled, folderOf } from "../peers.ts";
import { runOrThrow } from "../process.ts";
import { GCC, llamaCpp, VERSION, versionOf } from "./llama-cpp.ts";
import { fetchLlamaSource } from "./llama-source.ts";
import { type Installation, missingTools } from "./peer.ts";

const LIBRARIES = ["llama-common", "llama", "ggml", "ggml-base", "ggml-cpu"];

export const llamaSplit: Installation = {
  id: "llama-gguf-split",
  recipe: `llama.cpp of llama-cpp-python ${VERSION}, ${versionOf(GCC.cxx)}`,
  obstacle: () => llamaCpp.installation.obstacle() ?? missingTools([GCC.cxx]),
  async install(folder, log) {
    const name = "llama-gguf-split";
    await ensureInstalled(llamaCpp.installation, log);
    const glob = new Bun.Glob("lib/python*/site-packages");
    const scan = { cwd: folderOf(llamaCpp.installation), onlyFiles: false, absolute: true };
    const [packages = ""] = glob.scanSync(scan);
    const source = await fetchLlamaSource(folder, name, log);
    const lib = join(packages, "lib");
    const include = [join(packages, "include"), join(source, "common")].map((path) => `-I${path}`);
    // The libraries that it needs themselves have no path of their own.
    const found = [`-L${lib}`, `-Wl,--disable-new-dtags,-rpath,${lib}`];
    const libraries = LIBRARIES.map((library) => `-l${library}`);
    const bin = join(folder, "bin");
    await mkdir(bin, { recursive: true });
    const program = join(source, "tools/gguf-split/gguf-split.cpp");
    const options = ["-O1", "-std=c++17", ...include, "-o", join(bin, name)];
    await runOrThrow([GCC.cxx, ...options, program, ...found, ...libraries], name, log);
    await rm(join(folder, "source"), { recursive: true });
  },
};
