import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Surroundings } from "../../src/hub/surroundings.ts";
import { freshFolder } from "../fresh-folder.ts";
import { COMMIT, sha256 } from "./fake-hub.ts";

/** A machine of its own for each test: an empty home, and where caches lie in it. */
export function machine() {
  const folder = freshFolder();
  const at = (...parts: string[]) => join(folder.path, ...parts);
  const cache = () => at(".cache", "ggufembed");
  const huggingFace = () => at(".cache", "huggingface", "hub");
  const llamaCpp = () => at(".cache", "llama.cpp");
  const ollama = () => at(".ollama", "models");
  return {
    at,
    cache,
    huggingFace,
    llamaCpp,
    ollama,
    /** What `pullAt` and its kin take. */
    around: (env: Surroundings["env"] = {}): Surroundings => {
      const own = { OLLAMA_MODELS: ollama(), ...env };
      return { env: own, home: folder.path, platform: "linux", retryDelayMs: 1 };
    },
    /** Files below our cache, locks left out. */
    files: () => filesBelow(cache()).filter((file) => !file.startsWith("locks/")),
    /** A file as `huggingface_hub` and newer llama.cpp keep it. */
    inHuggingFace: (repo: string, file: string, bytes: Uint8Array, more: InHub = {}) => {
      const root = join(more.folder ?? huggingFace(), `models--${repo.replace("/", "--")}`);
      const commit = more.commit ?? COMMIT;
      const blob = put(join(root, "blobs", sha256(bytes)), bytes);
      put(join(root, "refs", more.ref ?? "main"), commit);
      const path = join(root, "snapshots", commit, file);
      mkdirSync(dirname(path), { recursive: true });
      symlinkSync("../".repeat(file.split("/").length + 1) + blob.slice(root.length + 1), path);
      return path;
    },
    /** A file as older llama.cpp keeps it. */
    inLlamaCpp: (name: string, bytes: Uint8Array) => {
      put(join(llamaCpp(), `${name}.etag`), '"etag"');
      return put(join(llamaCpp(), name), bytes);
    },
    /** A model as Ollama keeps it. */
    inOllama: (name: string, bytes: Uint8Array, fileType = "Q8_0") => {
      const blob = (data: Uint8Array | string) => {
        const digest = sha256(Buffer.from(data));
        return { digest, path: put(join(ollama(), "blobs", `sha256-${digest}`), data) };
      };
      const config = blob(JSON.stringify({ model_format: "gguf", file_type: fileType }));
      const license = blob("MIT");
      const model = blob(bytes);
      const layer = (kind: string, { digest }: { digest: string }) => {
        const mediaType = `application/vnd.ollama.image.${kind}`;
        return { mediaType, digest: `sha256:${digest}`, size: 1 };
      };
      const manifest = {
        schemaVersion: 2,
        config: { digest: `sha256:${config.digest}` },
        layers: [layer("license", license), layer("model", model)],
      };
      put(join(ollama(), "manifests", name), JSON.stringify(manifest));
      return model.path;
    },
  };
}

interface InHub {
  readonly folder?: string;
  readonly commit?: string;
  readonly ref?: string;
}

function put(path: string, data: Uint8Array | string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, data);
  return path;
}

export function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}
