/** The source of llama.cpp, as llama-cpp-python carries it. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Log, runOrThrow } from "../process.ts";
import { VERSION } from "./llama-cpp.ts";
import { pythonOf } from "./python.ts";

/** Unpacks it below `folder`'s `source`, by the pip of the environment there; gives its path. */
export async function downloadLlama(folder: string, name: string, log: Log): Promise<string> {
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
