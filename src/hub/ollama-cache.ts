import { join } from "node:path";
import { type CachedModel, filesBelow, type ModelFinder, namesIn, sizeOf } from "./cached-model.ts";
import { field, readJson, stringField } from "./json.ts";
import { formatName, type HubName, MAIN, type OllamaName } from "./name.ts";

const MODEL_LAYER = "application/vnd.ollama.image.model";
/** What Ollama calls the hub in its names. */
const HUB_HOSTS = ["hf.co", "huggingface.co"] as const;
const ROOT_OF_MANIFESTS = "manifests";

/**
 * Ollama's store (its package `server/internal/manifest`):
 *
 *     manifests/HOST/NAMESPACE/MODEL/TAG   JSON, whose layers name their digests
 *     blobs/sha256-DIGEST                  a layer; that of the model is a GGUF file
 */
export function ollamaCache(folder: string): ModelFinder {
  return {
    owner: "Ollama",
    removal: "use ollama rm",
    find: (name) => filesOf(folder, name),
    list: () => listAll(folder),
    withContent: async (sha256, bytes) => {
      const blob = blobPath(folder, sha256);
      return (await sizeOf(blob)) === bytes ? blob : undefined;
    },
  };
}

/** The model of one of Ollama's own names. */
export async function findOllama(
  folder: string,
  name: OllamaName,
): Promise<CachedModel | undefined> {
  const [host, namespace, model, tag] = name.path;
  const manifest = await readJson(join(folder, ROOT_OF_MANIFESTS, host, namespace, model, tag));
  const layers = field(manifest, "layers");
  const layer = Array.isArray(layers)
    ? layers.find((each) => field(each, "mediaType") === MODEL_LAYER)
    : undefined;
  const digest = digestOf(layer);
  if (digest === undefined) return undefined;
  const path = blobPath(folder, digest);
  const bytes = await sizeOf(path);
  if (bytes === undefined) return undefined;
  const config = digestOf(field(manifest, "config"));
  const described = config === undefined ? undefined : await readJson(blobPath(folder, config));
  const quantization = stringField(described, "file_type");
  const file = `${model}-${tag}.gguf`;
  return { name: formatName(name), path, paths: [path], bytes, file, quantization };
}

/** Models that Ollama took from the hub: by quantisation, which its tags are. */
async function filesOf(folder: string, { repo, revision }: HubName): Promise<CachedModel[]> {
  if (revision !== MAIN) return [];
  const [organisation = "", model = ""] = repo.split("/");
  const found: CachedModel[] = [];
  for (const host of HUB_HOSTS) {
    const tags = await namesIn(join(folder, ROOT_OF_MANIFESTS, host, organisation, model));
    for (const tag of tags) {
      const path = [host, organisation, model, tag] as const;
      const cached = await findOllama(folder, { kind: "ollama", path });
      if (cached !== undefined) found.push(cached);
    }
  }
  return found;
}

async function listAll(folder: string): Promise<CachedModel[]> {
  const models: CachedModel[] = [];
  for (const manifest of await filesBelow(join(folder, ROOT_OF_MANIFESTS))) {
    const [host = "", namespace = "", model = "", tag, ...more] = manifest.split("/");
    if (tag === undefined || more.length > 0) continue;
    const path = [host, namespace, model, tag] as const;
    const cached = await findOllama(folder, { kind: "ollama", path });
    if (cached !== undefined) models.push(cached);
  }
  return models;
}

const blobPath = (folder: string, sha256: string) => join(folder, "blobs", `sha256-${sha256}`);

function digestOf(layer: unknown): string | undefined {
  return /^sha256:([0-9a-f]{64})$/.exec(stringField(layer, "digest") ?? "")?.[1];
}
