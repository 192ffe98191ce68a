import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Log, runOrThrow } from "../process.ts";
import { BUILD_TOOLS, VERSION } from "./llama-cpp.ts";
import { installPython, pythonOf } from "./python.ts";

/**
 * Makes a virtual environment, and lays llama.cpp's source beside it as `llama-cpp-python` carries
 * it. Returns the source's folder, to be removed by whoever needs it no longer.
 */
export async function fetchLlamaSource(folder: string, name: string, log: Log): Promise<string> {
  await installPython(folder, name, [{ packages: BUILD_TOOLS }], log);
  const source = join(folder, "source");
  await mkdir(source);
  const pip = [pythonOf(folder), "-m", "pip", "download", "--disable-pip-version-check"];
  const exactly = ["--no-deps", "--no-binary=:all:", "--no-build-isolation", "--no-input"];
  const wanted = `llama-cpp-python==${VERSION}`;
  await runOrThrow(
    [...pip, ...exactly, "--progress-bar=off", `--dest=${folder}`, wanted],
    name,
    log,
  );
  const archive = join(folder, `llama_cpp_python-${VERSION}.tar.gz`);
  await runOrThrow(["tar", "-xzf", archive, "-C", source, "--strip-components=1"], name, log);
  await rm(archive);
  return join(source, "vendor/llama.cpp");
}
