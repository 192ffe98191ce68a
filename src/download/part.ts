import { readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { sha256OfText } from "./sha256.ts";

/**
 * A download that is not whole yet: `path.part`, and beside it `path.part.json`, which says what
 * it is a part of.
 */
export interface Part {
  /** Bytes on disk; 0 where there is nothing to build on. */
  readonly size: number;
  /** What `If-Range` takes: a strong ETag or a date. Absent where the server gave neither. */
  readonly validator: string | undefined;
}

export const NO_PART: Part = { size: 0, validator: undefined };

interface Origin {
  /** SHA-256 of the address, which itself may hold secrets. */
  readonly address: string;
  readonly validator: string | undefined;
}

export const partPath = (path: string): string => `${path}.part`;
const originPath = (path: string): string => `${path}.part.json`;
/** What may lie beside `path` while it is not whole. */
export const partFiles = (path: string): string[] => [partPath(path), originPath(path)];

export async function readPart(path: string, url: string): Promise<Part> {
  const size = await stat(partPath(path)).then(
    (stats) => stats.size,
    () => 0,
  );
  const origin = await readOrigin(path);
  if (origin?.address !== sha256OfText(url)) return NO_PART;
  return { size, validator: origin.validator };
}

/** Says what the bytes written from now on belong to. Call it before the first of them. */
export async function writeOrigin(path: string, url: string, response: Response): Promise<void> {
  const origin: Origin = { address: sha256OfText(url), validator: validatorOf(response) };
  await writeFile(originPath(path), JSON.stringify(origin));
}

export async function discardPart(path: string): Promise<void> {
  for (const file of partFiles(path)) await rm(file, { force: true });
}

export async function landPart(path: string): Promise<void> {
  await rename(partPath(path), path);
  await rm(originPath(path), { force: true });
}

/** RFC 9110, 13.1.5: a weak ETag must not be used to continue a part. */
function validatorOf(response: Response): string | undefined {
  const etag = response.headers.get("etag");
  if (etag?.startsWith('"')) return etag;
  return response.headers.get("last-modified") ?? undefined;
}

async function readOrigin(path: string): Promise<Origin | undefined> {
  try {
    const origin: unknown = JSON.parse(await readFile(originPath(path), "utf8"));
    if (typeof origin !== "object" || origin === null) return undefined;
    if (!("address" in origin) || typeof origin.address !== "string") return undefined;
    const { address } = origin;
    const validator = "validator" in origin ? origin.validator : undefined;
    return { address, validator: typeof validator === "string" ? validator : undefined };
  } catch {
    // Missing, or cut off while it was written: the part is of unknown origin.
    return undefined;
  }
}
