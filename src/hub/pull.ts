import { mkdir, rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { type DownloadProgress, downloadAlone } from "../download/download.ts";
import { failure } from "../download/response.ts";
import { sha256OfFile } from "../download/sha256.ts";
import { GgufEmbedError } from "../errors.ts";
import { MAGIC } from "../gguf/parse.ts";
import { shardPaths } from "../gguf/shard-name.ts";
import { type CachedModel, sizeOf } from "./cached-model.ts";
import { ollamaFolder, ownFolder } from "./folders.ts";
import { hubHeaders, locate, type RemoteFile } from "./hub.ts";
import { formatName, type HubName, isCommit, type ModelName, type OllamaName } from "./name.ts";
import { findOllama } from "./ollama-cache.ts";
import { type Choice, findAmong, findContent, findElsewhere } from "./other-caches.ts";
import * as store from "./store.ts";
import { endpointOf, offlineVariable, type Surroundings } from "./surroundings.ts";
import { hubToken } from "./token.ts";

/** How a model is brought to this machine. */
export interface PullOptions {
  /**
   * Never use the network: what is not on this machine is an error, `OFFLINE`. Default: as
   * `GGUFEMBED_OFFLINE` or `HF_HUB_OFFLINE` say.
   */
  readonly offline?: boolean | undefined;
  /** Called as a download goes on; not at all where nothing has to be downloaded. */
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Rejects with its reason. What was downloaded so far stays for the next call. */
  readonly signal?: AbortSignal | undefined;
}

/** A model that a name led to. */
export interface PulledModel {
  /** Of the file, or of a split model's first shard; it may belong to another program's cache. */
  readonly path: string;
  /** Of all its files: one, or the shards in order. */
  readonly paths: readonly string[];
  /** The name's own spelling, with the file that was chosen. */
  readonly name: string;
  /** Length of all files together. */
  readonly bytes: number;
  /**
   * Of the content, lower-case hexadecimal, where the hub states it: then it was compared. Absent
   * for a split model, whose shards were each compared with their own.
   */
  readonly sha256?: string | undefined;
}

/**
 * Whether a model that is here will do (`open`), or the hub is to be asked whether it still is the
 * one that the name means (`pull`).
 */
export interface Freshness {
  readonly fresh: boolean;
}

/** The model of a name, downloaded if it is not on this machine. */
export async function obtain(
  around: Surroundings,
  name: ModelName,
  options: PullOptions,
  { fresh }: Freshness,
): Promise<PulledModel> {
  options.signal?.throwIfAborted();
  if (name.kind === "ollama") return fromOllama(around, name);
  const variable = offlineVariable(around);
  const offline = options.offline ?? variable !== undefined;
  const mayChange = name.kind === "hub" && !isCommit(name.revision);
  if (offline || !(fresh && mayChange)) {
    const found = await findHere(around, name, { lenient: offline });
    if (found !== undefined) return found;
  }
  if (offline) throw offlineError(name, options.offline === true ? undefined : variable);
  try {
    return await fetchModel(around, name, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    throw isSystemError(error) ? unwritable(around, error) : error;
  }
}

/** The model of a name, as far as it is on this machine. */
async function findHere(
  around: Surroundings,
  name: Exclude<ModelName, OllamaName>,
  choice: Choice,
): Promise<PulledModel | undefined> {
  const root = ownFolder(around);
  if (name.kind === "url") {
    const found = await store.storedAt(store.placeOfUrl(root, name));
    return found && pulled(found, found.sha256);
  }
  const own = await findOwn(root, name, choice);
  const found = own ?? (await findElsewhere(around, name, choice));
  return found && pulled(found, own?.sha256);
}

/** Our own file that a name means. */
export async function findOwn(
  root: string,
  name: HubName,
  choice: Choice,
): Promise<store.StoredModel | undefined> {
  const models = await store.storedOf(root, name);
  if (name.file === undefined && name.tag === undefined) {
    const file = await store.readDefault(root, name);
    const found = models.find((model) => model.file === file);
    if (found !== undefined) return found;
  }
  return findAmong(models, name, choice);
}

async function fromOllama(around: Surroundings, name: OllamaName): Promise<PulledModel> {
  const folder = ollamaFolder(around);
  const found = await findOllama(folder, name);
  if (found !== undefined) return pulled(found, undefined);
  const own = formatName(name).slice("ollama:".length);
  const message = `there is no ${formatName(name)} in ${folder}: run ollama pull ${own}`;
  throw new GgufEmbedError("NO_SUCH_MODEL", message);
}

async function fetchModel(
  around: Surroundings,
  name: Exclude<ModelName, OllamaName>,
  options: PullOptions,
): Promise<PulledModel> {
  const { signal } = options;
  const root = ownFolder(around);
  if (name.kind === "url") {
    const { href } = name.url;
    const place = store.placeOfUrl(root, name);
    const remotes = shardPaths(name.url.pathname).map((pathname, i) => {
      const url = Object.assign(new URL(href), { pathname }).href;
      const file = basename(store.placesOf(place)[i]!.path);
      return { url, file, commit: undefined, sha256: undefined, bytes: undefined };
    });
    return bringAll(around, place, remotes, options, undefined);
  }
  const { retryDelayMs } = around;
  const endpoint = endpointOf(around);
  const hub = { endpoint, token: await hubToken(around), retryDelayMs, signal };
  const remotes = await locate(hub, name);
  const { file } = remotes[0]!;
  const { repo, revision } = name;
  const place = store.placeOf(root, { kind: "hub", repo, revision, file });
  const model = await bringAll(around, place, remotes, options, hubHeaders(hub));
  const isDefault = name.file === undefined && name.tag === undefined;
  if (isDefault) await store.writeDefault(root, name, file);
  return model;
}

/** All files of a model, one after another, with one progress. `place` is that of the first. */
async function bringAll(
  around: Surroundings,
  place: store.Place,
  remotes: readonly RemoteFile[],
  options: PullOptions,
  headers: Readonly<Record<string, string>> | undefined,
): Promise<PulledModel> {
  const places = store.placesOf(place);
  const { onProgress } = options;
  const known = remotes.reduce<number | undefined>(
    (sum, { bytes }) => (sum === undefined || bytes === undefined ? undefined : sum + bytes),
    0,
  );
  let bytes = 0;
  let sha256: string | undefined;
  for (const [i, remote] of remotes.entries()) {
    const progressOfAll = ({ received, total }: DownloadProgress) => {
      const totalOfAll = remotes.length === 1 ? total : known;
      onProgress?.({ received: bytes + received, total: totalOfAll });
    };
    const ownOptions = { ...options, onProgress: onProgress && progressOfAll };
    const file = await bring(around, places[i]!, remote, ownOptions, headers);
    bytes += file.bytes;
    sha256 = file.sha256;
  }
  const paths = places.map(({ path }) => path);
  return pulled({ path: place.path, paths, name: place.name, bytes }, sha256);
}

/** A remote file at its place: what is there already, a link to the same content, or a download. */
async function bring(
  around: Surroundings,
  place: store.Place,
  remote: RemoteFile,
  options: PullOptions,
  headers: Readonly<Record<string, string>> | undefined,
): Promise<store.StoredRecord> {
  const { path, name } = place;
  const { signal, onProgress } = options;
  return store.withPlace(
    place,
    async () => {
      if (!(await isAlreadyAt(path, remote))) {
        await mkdir(dirname(path), { recursive: true });
        const linked = await linkSame(around, place, remote);
        const { retryDelayMs } = around;
        const { url, sha256, bytes } = remote;
        const request = { url, path, sha256, bytes, headers, onProgress, signal, retryDelayMs };
        if (!linked) await downloadAlone(request);
        if (sha256 === undefined) await expectGguf(path, url);
      }
      const bytes = await sizeOf(path);
      if (bytes === undefined) throw new GgufEmbedError("DOWNLOAD", `${path}: it was taken away`);
      const { file, commit, sha256 } = remote;
      const record = { name, file, commit, sha256, bytes };
      await store.writeRecord(path, record);
      return record;
    },
    signal,
  );
}

/** Where nothing else can be compared: a page in a model's place would stay there for good. */
async function expectGguf(path: string, url: string): Promise<void> {
  if ((await Bun.file(path).slice(0, MAGIC.length).text()) === MAGIC) return;
  await rm(path);
  throw failure(url, "the server sent something else than a GGUF file; check the address");
}

/** Whether a place has the remote content. What cannot be compared is what its name says. */
async function isAlreadyAt(path: string, remote: RemoteFile): Promise<boolean> {
  const record = await store.recordAt(path);
  if (remote.sha256 === undefined) {
    return record !== undefined && (remote.commit ?? record.commit) === record.commit;
  }
  if (record?.sha256 !== undefined) return record.sha256 === remote.sha256;
  // A process ended between the file's arrival and its record.
  const bytes = await sizeOf(path);
  if (bytes === undefined || bytes !== (remote.bytes ?? bytes)) return false;
  return (await sha256OfFile(path)) === remote.sha256;
}

async function linkSame(
  around: Surroundings,
  { root, path }: store.Place,
  { sha256, bytes }: RemoteFile,
): Promise<boolean> {
  if (sha256 === undefined || bytes === undefined) return false;
  const own = (await store.storedFiles(root)).find((file) => file.sha256 === sha256);
  const source = own?.path ?? (await findContent(around, sha256, bytes));
  if (source === undefined || source === path) return false;
  await store.linkTo(path, source, own !== undefined);
  return true;
}

/** The digest is that of one file, and counts where there is but one. */
function pulled(
  { path, paths, name, bytes }: Pick<CachedModel, "path" | "paths" | "name" | "bytes">,
  sha256: string | undefined,
): PulledModel {
  const isOne = paths.length === 1 && sha256 !== undefined;
  return { path, paths, name, bytes, ...(isOne ? { sha256 } : {}) };
}

function offlineError(name: ModelName, variable: string | undefined): GgufEmbedError {
  const why = variable === undefined ? "offline is set" : `${variable} is set`;
  const cure = "pull it while online, or give the path of a file";
  const message = `${formatName(name)} is not on this machine, and ${why}: ${cure}`;
  return new GgufEmbedError("OFFLINE", message);
}

/** Those of the operating system, and of the lock's database. */
function isSystemError(error: unknown): error is Error & { readonly code: string } {
  if (!(error instanceof Error) || error instanceof GgufEmbedError) return false;
  return "code" in error && typeof error.code === "string" && /^[A-Z_]+$/.test(error.code);
}

function unwritable(around: Surroundings, cause: Error & { readonly code: string }) {
  const folder = ownFolder(around);
  const message = `cannot keep models in ${folder} (${cause.code})`;
  const cure = "make room or name another folder with GGUFEMBED_CACHE";
  return new GgufEmbedError("DOWNLOAD", `${message}: ${cure}`, { cause });
}
