import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Surroundings, surroundings } from "./surroundings.ts";

/** A folder where models may lie. */
export interface ModelCache {
  /** The program whose folder it is. */
  readonly name: string;
  /** Of the folder. */
  readonly path: string;
  /** Whether it is there. */
  readonly exists: boolean;
}

/** Caches are the user's, by XDG or as macOS has them. */
function cacheHome({ env, home, platform }: Surroundings): string {
  if (platform === "darwin") return join(home, "Library", "Caches");
  return xdgCacheHome({ env, home });
}

function xdgCacheHome({ env, home }: Pick<Surroundings, "env" | "home">): string {
  return env.XDG_CACHE_HOME || join(home, ".cache");
}

/** Where downloads go. */
export function ownFolder(around: Surroundings): string {
  return resolve(around.env.GGUFEMBED_CACHE || join(cacheHome(around), "ggufembed"));
}

/** `HF_HOME`, which is below `~/.cache` on macOS too (`huggingface_hub/constants.py`). */
export function huggingFaceHome(around: Surroundings): string {
  return around.env.HF_HOME || join(xdgCacheHome(around), "huggingface");
}

export function huggingFaceFolder(around: Surroundings): string {
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE } = around.env;
  return HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE || join(huggingFaceHome(around), "hub");
}

/**
 * `LLAMA_CACHE`; where it is unset, that of versions before `common/hf-cache.cpp`. Later ones then
 * use the folder of Hugging Face.
 */
export function llamaCppFolder(around: Surroundings): string {
  return around.env.LLAMA_CACHE || join(cacheHome(around), "llama.cpp");
}

/** That of the service which Ollama's installer sets up on Linux (Ollama's FAQ). */
const OLLAMA_SERVICE = "/usr/share/ollama/.ollama/models";

export function ollamaFolder({ env, home }: Surroundings): string {
  if (env.OLLAMA_MODELS) return env.OLLAMA_MODELS;
  const own = join(home, ".ollama", "models");
  return !existsSync(own) && existsSync(OLLAMA_SERVICE) ? OLLAMA_SERVICE : own;
}

/**
 * Where this package, this checkout and other programs keep models. An installed package and a
 * single executable have no checkout.
 */
export function modelCaches(around: Surroundings = surroundings()): ModelCache[] {
  const checkout = resolve(import.meta.dir, "..", "..", ".cache");
  const caches = [
    ["ggufembed", ownFolder(around)],
    ["checkout", checkout],
    ["Hugging Face", huggingFaceFolder(around)],
    ["llama.cpp", llamaCppFolder(around)],
    ["Ollama", ollamaFolder(around)],
  ] as const;
  return caches
    .map(([name, path]) => ({ name, path, exists: existsSync(path) }))
    .filter(({ path, exists }) => path !== checkout || (exists && !Bun.isStandaloneExecutable));
}
