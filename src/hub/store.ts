import { link, mkdir, rename, rm, rmdir, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { withLock } from "../download/lock.ts";
import { partFiles } from "../download/part.ts";
import { sha256OfText } from "../download/sha256.ts";
import { shardPaths } from "../gguf/shard-name.ts";
import { type CachedModel, filesBelow, sizeOf } from "./cached-model.ts";
import { quantizationOf } from "./choose.ts";
import { field, readJson, stringField } from "./json.ts";
import { formatName, type HubName, type UrlName } from "./name.ts";
import { type CachedFile, joinFiles } from "./shards.ts";

/**
 * Our own cache:
 *
 *     hub/ORG/REPO/REVISION/path/file.gguf        the model, or a link to it in another cache
 *                                                 (of a split model, each shard so)
 *     hub/ORG/REPO/REVISION/path/file.gguf.json   where it is from: it counts once this is there
 *     hub/ORG/REPO/REVISION/default.json          the file that the name without a tag means
 *     url/DIGEST/file.gguf                        of an address, and its digest
 *     locks/DIGEST.lock                           held by whoever brings or removes a model
 */
export interface Place {
  readonly root: string;
  readonly path: string;
  /** The name's own spelling. */
  readonly name: string;
}

/** What is known of a file that is here. */
export interface StoredRecord {
  readonly name: string;
  /** Path in the repository, or the file's name. */
  readonly file: string;
  readonly commit?: string | undefined;
  /** Of its content, if the hub stated it; then it was compared. */
  readonly sha256?: string | undefined;
  readonly bytes: number;
}

/** A file that is here whole. */
export interface StoredFile extends CachedFile, Pick<StoredRecord, "sha256"> {}

/** All files of a model, each whole and all of one commit. The digest is that of the first. */
export interface StoredModel extends CachedModel, Pick<StoredRecord, "sha256"> {}

const RECORD = ".gguf.json";
const DEFAULT = "default.json";
const DIGEST_LENGTH = 16;
const digest = (text: string) => sha256OfText(text).slice(0, DIGEST_LENGTH);

/** The folder of a repository at a revision. */
function revisionFolder(root: string, { repo, revision }: HubName): string {
  return join(root, "hub", repo, encodeURIComponent(revision));
}

export function placeOf(root: string, name: HubName & { readonly file: string }): Place {
  const path = join(revisionFolder(root, name), name.file);
  return { root, path, name: formatName(name) };
}

/** The query does not count: it may be a signature that is another one tomorrow. */
export function placeOfUrl(root: string, name: UrlName): Place {
  const spelling = formatName(name);
  const file = decodeURIComponent(basename(name.url.pathname));
  return { root, path: join(root, "url", digest(spelling), file), name: spelling };
}

/** The places of all shards of a model, by that of the first; or that place alone. */
export function placesOf({ root, path, name }: Place): Place[] {
  const names = shardPaths(name);
  return shardPaths(path).map((shard, i) => ({ root, path: shard, name: names[i] ?? name }));
}

/** Runs `work` while nobody else on this machine does anything to the place. */
export async function withPlace<T>(
  { root, path }: Place,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  // Not beside the model: a lock that is removed with it would hold nobody.
  const locks = join(root, "locks");
  await mkdir(locks, { recursive: true });
  return withLock(join(locks, `${digest(relative(root, path))}.lock`), work, signal);
}

/** Whole, and the one that its record tells of. */
export async function recordAt(path: string): Promise<StoredRecord | undefined> {
  const value = await readJson(`${path}.json`);
  const name = stringField(value, "name");
  const file = stringField(value, "file");
  const bytes = field(value, "bytes");
  if (name === undefined || file === undefined || typeof bytes !== "number") return undefined;
  if ((await sizeOf(path)) !== bytes) return undefined;
  const commit = stringField(value, "commit");
  return { name, file, bytes, commit, sha256: stringField(value, "sha256") };
}

export async function writeRecord(path: string, record: StoredRecord): Promise<void> {
  await writeWhole(`${path}.json`, JSON.stringify(record, null, 2));
}

/** Remembers what the name without file and tag means. */
export async function writeDefault(root: string, name: HubName, file: string): Promise<void> {
  await writeWhole(join(revisionFolder(root, name), DEFAULT), JSON.stringify({ file }));
}

export async function readDefault(root: string, name: HubName): Promise<string | undefined> {
  return stringField(await readJson(join(revisionFolder(root, name), DEFAULT)), "file");
}

/** Models of a repository and revision. */
export async function storedOf(root: string, name: HubName): Promise<StoredModel[]> {
  return joinFiles(await recordedBelow(revisionFolder(root, name)));
}

/** The model of an address. */
export async function storedAt({ path }: Place): Promise<StoredModel | undefined> {
  const models = joinFiles(await recordedBelow(dirname(path)));
  return models.find((model) => model.path === path);
}

export async function storedModels(root: string): Promise<StoredModel[]> {
  return joinFiles(await storedFiles(root));
}

/** Every file that is here, shards too. */
export async function storedFiles(root: string): Promise<StoredFile[]> {
  const hub = await recordedBelow(join(root, "hub"));
  return [...hub, ...(await recordedBelow(join(root, "url")))];
}

async function recordedBelow(folder: string): Promise<StoredFile[]> {
  const files: StoredFile[] = [];
  for (const found of await filesBelow(folder, RECORD)) {
    const path = join(folder, found.slice(0, -".json".length));
    const record = await recordAt(path);
    if (record === undefined) continue;
    const { name, file, bytes, commit, sha256 } = record;
    files.push({ name, path, bytes, file, commit, sha256, quantization: quantizationOf(file) });
  }
  return files;
}

/**
 * Puts a file that is here already at a place: by another name of ours, so that either can go, or
 * by a link to another program's, which may take it away.
 */
export async function linkTo(path: string, source: string, own: boolean): Promise<void> {
  const temporary = `${path}.link`;
  await rm(temporary, { force: true });
  await (own ? link : symlink)(source, temporary);
  await rename(temporary, path);
}

/** Removes a model, what is there of it, and folders that it leaves empty. False: it was not. */
export async function removeAt({ root, path }: Place): Promise<boolean> {
  const files = [path, `${path}.json`, ...partFiles(path)];
  const folder = dirname(path);
  let removed = false;
  for (const file of files) {
    removed = (await rm(file).then(isRemoved, isMissing)) || removed;
  }
  await tidy(root, folder);
  return removed;
}

const isRemoved = () => true;

function isMissing(error: unknown): false {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
  throw error;
}

async function tidy(root: string, folder: string): Promise<void> {
  const rest = await filesBelow(folder);
  if (rest.length === 1 && rest[0] === DEFAULT) await rm(join(folder, DEFAULT), { force: true });
  if (folder === root || rest.some((file) => file !== DEFAULT)) return;
  await rmdir(folder).catch(() => {});
  await tidy(root, dirname(folder));
}

async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.tmp`;
  await writeFile(temporary, `${text}\n`);
  await rename(temporary, path);
}
