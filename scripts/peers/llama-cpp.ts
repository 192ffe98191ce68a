/** llama.cpp, built from source for this machine: with AMX off, and with AMX on. */
import { existsSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { ROOT } from "../paths.ts";
import { missingTools, type Peer } from "./peer.ts";
import { installPython, pythonOf } from "./python.ts";

/** Of llama-cpp-python, whose source carries llama.cpp's. */
export const VERSION = "0.3.36";
export const BUILD_TOOLS = ["scikit-build-core==0.11.6", "packaging==25.0", "pathspec==0.12.1"];
const LIBRARIES = ["typing-extensions==4.15.0"];
/** llama.cpp's own threads: with GCC they are some percent faster than OpenMP's. */
const CMAKE_FLAGS = ["-DGGML_NATIVE=ON", "-DGGML_OPENMP=OFF", "-DLLAVA_BUILD=OFF"];

interface Compiler {
  readonly cc: string;
  readonly cxx: string;
}

/** Some percent faster than clang 14 and 22. */
export const GCC: Compiler = { cc: "gcc", cxx: "g++" };
/** GCC 12 miscompiles the AMX tile configuration, and the result dies of SIGILL. */
const CLANG: Compiler = { cc: "clang", cxx: "clang++" };
/**
 * `GGML_NATIVE` compiles for all that the CPU has, and then `GGML_AMX_TILE=OFF` says nothing: only
 * the compiler can be told.
 */
export const NO_AMX = "-mno-amx-tile -mno-amx-int8 -mno-amx-bf16";

export const llamaCpp = peer("llama-cpp", "llama.cpp", GCC, NO_AMX, () => undefined);

export const llamaCppAmx = peer("llama-cpp-amx", "llama.cpp with AMX", CLANG, "", () => {
  const path = "/proc/cpuinfo";
  const hasAmx = existsSync(path) && readFileSync(path, "utf8").includes(" amx_int8");
  return hasAmx ? undefined : "this CPU has no AMX";
});

/** With these flags for both compilers, where they mean something. */
export function cmakeFlags(cFlags: string): string[] {
  if (cFlags === "" || process.arch !== "x64") return [...CMAKE_FLAGS];
  return [...CMAKE_FLAGS, `-DCMAKE_C_FLAGS=${cFlags}`, `-DCMAKE_CXX_FLAGS=${cFlags}`];
}

function peer(
  id: string,
  name: string,
  { cc, cxx }: Compiler,
  cFlags: string,
  obstacle: () => string | undefined,
): Peer {
  const CMAKE_ARGS = cmakeFlags(cFlags).map(quoteValue).join(" ");
  return {
    name,
    command: (folder) => [pythonOf(folder), join(ROOT, "bench/compare/peers/llamacpp.py")],
    installation: {
      id,
      recipe: `llama-cpp-python ${VERSION} from source, ${versionOf(cc)}, ${CMAKE_ARGS}`,
      obstacle: () => obstacle() ?? missingTools(["python3", "cmake", cc, cxx]),
      async install(folder, log) {
        log(`${name}: compiling it takes some minutes`);
        const CMAKE_BUILD_PARALLEL_LEVEL = String(cpus().length);
        const env = { CC: cc, CXX: cxx, CMAKE_ARGS, CMAKE_BUILD_PARALLEL_LEVEL };
        // pip's cache would give the wheel of another build of the same version.
        const options = ["--no-cache-dir", "--no-build-isolation", "--no-binary=llama-cpp-python"];
        const build = { packages: [`llama-cpp-python==${VERSION}`], options, env };
        await installPython(
          folder,
          name,
          [{ packages: [...BUILD_TOOLS, ...LIBRARIES] }, build],
          log,
        );
      },
    },
  };
}

export function versionOf(compiler: string): string {
  if (Bun.which(compiler) === null) return compiler;
  const { stdout } = Bun.spawnSync([compiler, "-dumpfullversion", "-dumpversion"]);
  return `${compiler} ${stdout.toString().trim()}`;
}

/** For scikit-build, which splits at blanks outside quotes. */
function quoteValue(flag: string): string {
  return flag.includes(" ") ? flag.replace(/=(.*)$/, "='$1'") : flag;
}
