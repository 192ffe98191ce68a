import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { GgufEmbedError, invalidArgument } from "../errors.ts";
import { quote } from "../gguf/message.ts";
import type { CachedModel } from "./cached-model.ts";
import { ollamaFolder, ownFolder } from "./folders.ts";
import { formatName, type ModelName, parseName } from "./name.ts";
import { findOllama, ollamaCache } from "./ollama-cache.ts";
import { findElsewhere, otherCaches } from "./other-caches.ts";
import { findOwn, obtain, type PulledModel, type PullOptions } from "./pull.ts";
import { namesHint, sourceText } from "./source.ts";
import * as store from "./store.ts";
import { endpointOf, type Surroundings, surroundings } from "./surroundings.ts";

/** A model on this machine, in our cache or another program's. */
export interface ListedModel {
  /** As `open` and `pull` take it. */
  readonly name: string;
  /** Of its file, or of the first shard of a split model. */
  readonly path: string;
  /** Of all its files: one, or the shards in order. */
  readonly paths: readonly string[];
  /** Length of all of them together. */
  readonly bytes: number;
  /** `Q8_0` and its kin, as far as names and descriptions tell. */
  readonly quantization: string | undefined;
  /** The program whose cache it is in: `ggufembed`, `Hugging Face`, `llama.cpp` or `Ollama`. */
  readonly owner: string;
}

/**
 * Brings a model to this machine and gives its path. Where it is here already, asks the hub whether
 * it still is what the name means, and replaces it if not. A file that is in the cache of Hugging
 * Face, llama.cpp or Ollama is used where it lies. A broken download resumes; content is compared
 * with the SHA-256 that the hub states. Calls for the same file at once, in other processes too,
 * share one download. Of a split model all shards are brought.
 *
 * @param name - an alias; `org/repo`, `org/repo:Q8_0`, `hf:org/repo/path/file.gguf`, each with an
 *   optional `@revision` after the repository; an address of a `.gguf` file; `ollama:name:tag`
 * @throws GgufEmbedError `NO_SUCH_MODEL`, `ACCESS_DENIED`, `OFFLINE`, `DOWNLOAD`,
 *   `INVALID_ARGUMENT`; the signal's reason when aborted
 */
export function pull(name: string | URL, options: PullOptions = {}): Promise<PulledModel> {
  return pullAt(surroundings(), name, options);
}

export async function pullAt(
  around: Surroundings,
  name: string | URL,
  options: PullOptions = {},
): Promise<PulledModel> {
  return obtain(around, requireName(around, name), options, { fresh: true });
}

/** Models on this machine: ours first, then those of other programs, which need not run here. */
export function listModels(): Promise<ListedModel[]> {
  return listModelsAt(surroundings());
}

export async function listModelsAt(around: Surroundings): Promise<ListedModel[]> {
  const own = await store.storedModels(ownFolder(around));
  const lists = [listed("ggufembed", own)];
  for (const cache of otherCaches(around)) {
    lists.push(listed(cache.owner, await cache.list()));
  }
  return lists.flat();
}

function listed(owner: string, models: readonly CachedModel[]): ListedModel[] {
  return models.map(({ name, path, paths, bytes, quantization }) => {
    return { name, path, paths, bytes, quantization, owner };
  });
}

/**
 * Removes a model from our cache, and what is left of a download that was broken off. Other
 * programs' files stay.
 *
 * @throws GgufEmbedError `NO_SUCH_MODEL` where our cache has none of this name, `INVALID_ARGUMENT`
 */
export function removeModel(name: string | URL): Promise<{ readonly path: string }> {
  return removeModelAt(surroundings(), name);
}

export async function removeModelAt(
  around: Surroundings,
  text: string | URL,
): Promise<{ readonly path: string }> {
  const name = requireName(around, text);
  const place = await ownPlace(around, name);
  if (place !== undefined && existsSync(dirname(place.path))) {
    let removed = false;
    for (const each of store.placesOf(place)) {
      removed = (await store.withPlace(each, () => store.removeAt(each))) || removed;
    }
    if (removed) return { path: place.path };
  }
  throw await notOurs(around, name);
}

async function ownPlace(around: Surroundings, name: ModelName): Promise<store.Place | undefined> {
  const root = ownFolder(around);
  if (name.kind === "ollama") return undefined;
  if (name.kind === "url") return store.placeOfUrl(root, name);
  const { repo, revision } = name;
  const file = name.file ?? (await findOwn(root, name, { lenient: true }))?.file;
  return file === undefined
    ? undefined
    : store.placeOf(root, { kind: "hub", repo, revision, file });
}

async function notOurs(around: Surroundings, name: ModelName): Promise<GgufEmbedError> {
  const message = `${formatName(name)} is not in ${ownFolder(around)}`;
  const other = await ownerOf(around, name);
  const advice =
    other === undefined
      ? "listing the models shows what is"
      : `${other.path} belongs to ${other.owner}: ${other.removal}`;
  return new GgufEmbedError("NO_SUCH_MODEL", `${message}; ${advice}`);
}

async function ownerOf(around: Surroundings, name: ModelName) {
  if (name.kind === "url") return undefined;
  if (name.kind === "hub") return findElsewhere(around, name, { lenient: true });
  const cache = ollamaCache(ollamaFolder(around));
  const found = await findOllama(ollamaFolder(around), name);
  return found && { ...cache, ...found };
}

function requireName(around: Surroundings, given: string | URL): ModelName {
  const text = sourceText(given);
  const name = parseName(text, endpointOf(around));
  if (name !== undefined) return name;
  throw invalidArgument(`${quote(text)} is not a model's name. ${namesHint(text)}`);
}
