/** llama.cpp's own programs, of the version and built as the library that `llama-cpp.ts` brings. */
import { rm } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { runOrThrow } from "../process.ts";
import { cmakeFlags, GCC, NO_AMX, VERSION, versionOf } from "./llama-cpp.ts";
import { fetchLlamaSource } from "./llama-source.ts";
import { type Installation, missingTools } from "./peer.ts";

/** What is built, below the folder's `bin`. */
const PROGRAMS = ["llama-server", "llama-quantize", "llama-tokenize"] as const;
/** Everything in one file; no downloads, no pages for a browser. */
const FLAGS = [
  ...cmakeFlags(NO_AMX),
  "-DCMAKE_BUILD_TYPE=Release",
  "-DBUILD_SHARED_LIBS=OFF",
  "-DLLAMA_OPENSSL=OFF",
  "-DLLAMA_BUILD_UI=OFF",
  "-DLLAMA_USE_PREBUILT_UI=OFF",
];

export const llamaTools: Installation = {
  id: "llama-cpp-tools",
  recipe: `llama.cpp of llama-cpp-python ${VERSION}, ${versionOf(GCC.cc)}, ${FLAGS.join(" ")}`,
  obstacle: () => missingTools(["python3", "cmake", GCC.cc, GCC.cxx]),
  async install(folder, log) {
    const name = "llama.cpp's tools";
    const vendored = await fetchLlamaSource(folder, name, log);
    const build = join(folder, "build");
    log(`${name}: compiling them takes some minutes`);
    const compilers = [`-DCMAKE_C_COMPILER=${GCC.cc}`, `-DCMAKE_CXX_COMPILER=${GCC.cxx}`];
    await runOrThrow(["cmake", "-S", vendored, "-B", build, ...compilers, ...FLAGS], name, log);
    const jobs = String(cpus().length);
    const targets = ["--target", ...PROGRAMS];
    await runOrThrow(["cmake", "--build", build, "--parallel", jobs, ...targets], name, log);
    for (const program of PROGRAMS) {
      await runOrThrow(
        ["mv", join(build, "bin", program), join(folder, "bin", program)],
        name,
        log,
      );
    }
    for (const path of ["source", "build"]) await rm(join(folder, path), { recursive: true });
  },
};
