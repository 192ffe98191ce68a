/** llama.cpp, built from source for this machine: with AMX off, and with AMX on. */
import { existsSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { ROOT } from "./paths.ts";
import type { Peer } from "./peers.ts";
import { installPython, pythonOf } from "./peers-python.ts";

const VERSION = "0.3.36";
const TOOLS = ["scikit-build-core==0.11.6", "packaging==25.0", "pathspec==0.12.1"];
const LIBRARIES = ["typing-extensions==4.15.0"];
/** Not GCC: version 12 miscompiles the AMX tile configuration, and the result dies of SIGILL. */
const COMPILERS = { CC: "clang", CXX: "clang++" };
const CMAKE_FLAGS = ["-DGGML_NATIVE=ON", "-DGGML_OPENMP=ON", "-DLLAVA_BUILD=OFF"];
/**
 * `GGML_NATIVE` compiles for all that the CPU has, and then `GGML_AMX_TILE=OFF` says nothing: only
 * the compiler can be told.
 */
const NO_AMX = "-mno-amx-tile -mno-amx-int8 -mno-amx-bf16";

export const llamaCpp = peer("llama-cpp", "llama.cpp", NO_AMX, () => undefined);

export const llamaCppAmx = peer("llama-cpp-amx", "llama.cpp with AMX", "", () => {
  const path = "/proc/cpuinfo";
  const hasAmx = existsSync(path) && readFileSync(path, "utf8").includes(" amx_int8");
  return hasAmx ? undefined : "this CPU has no AMX";
});

function peer(id: string, name: string, cFlags: string, obstacle: Peer["obstacle"]): Peer {
  const flags = [...CMAKE_FLAGS];
  if (cFlags !== "" && process.arch === "x64") {
    flags.push(`-DCMAKE_C_FLAGS='${cFlags}'`, `-DCMAKE_CXX_FLAGS='${cFlags}'`);
  }
  const CMAKE_ARGS = flags.join(" ");
  return {
    id,
    name,
    recipe: `llama-cpp-python ${VERSION} from source with clang, ${CMAKE_ARGS}`,
    obstacle: () => obstacle() ?? missingTools(),
    command: (folder) => [pythonOf(folder), join(ROOT, "bench/compare/peers/llamacpp.py")],
    async install(folder, log) {
      log(`${name}: compiling it takes some minutes`);
      const env = {
        ...COMPILERS,
        CMAKE_ARGS,
        CMAKE_BUILD_PARALLEL_LEVEL: String(cpus().length),
      };
      // pip's cache would give the wheel of another build of the same version.
      const options = ["--no-cache-dir", "--no-build-isolation", "--no-binary=llama-cpp-python"];
      const packages = [`llama-cpp-python==${VERSION}`];
      const build = { packages, options, env };
      await installPython(folder, name, [{ packages: [...TOOLS, ...LIBRARIES] }, build], log);
    },
  };
}

function missingTools(): string | undefined {
  const missing = ["python3", "cmake", "clang", "clang++"].filter((tool) => !Bun.which(tool));
  if (missing.length === 0) return undefined;
  return `to build it, install ${missing.join(", ")} (and OpenMP for clang: libomp-dev on Debian)`;
}
