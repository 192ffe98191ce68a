import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { withLock } from "./lock.ts";
import { discardPart, landPart, NO_PART, partPath, readPart, writeOrigin } from "./part.ts";
import {
  acceptedStart,
  becomeTransient,
  expectContent,
  failure,
  promisedTotal,
  rangeHeaders,
  Transient,
} from "./response.ts";
import { pause, type Retrying } from "./retry.ts";
import { sha256OfFile } from "./sha256.ts";

/** Attempts in a row that brought nothing new, before we give up. */
const ATTEMPTS_MAX = 5;
const IDLE_MS_MAX = 30_000;

/** How far a download is. */
export interface DownloadProgress {
  /** Bytes on disk, those of earlier attempts included. */
  readonly received: number;
  /** Bytes of the whole, where the server or the caller said. */
  readonly total: number | undefined;
}

export interface DownloadRequest extends Retrying {
  readonly url: string;
  /** Where the file lands, whole and checked. Until then it grows beside it, as `path.part`. */
  readonly path: string;
  /** SHA-256 of the content, in lower-case hexadecimal. */
  readonly sha256?: string | undefined;
  /** Length of the content. */
  readonly bytes?: number | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** A connection silent for so long is given up and resumed. Default 30,000. */
  readonly idleMsMax?: number | undefined;
}

/**
 * Brings `url` to `path`, checked, by rename: a file at `path` is always whole.
 *
 * A broken connection resumes where it stopped, in a later process too, as long as the server
 * knows ranges and still has the same content; else it starts again. Gives up after five attempts
 * in a row that brought nothing new. Calls for the same path at once, in other processes too, are
 * made once. Throws `DOWNLOAD`; a cancelled call rejects with its signal's reason and leaves
 * what it has for the next one.
 */
export async function download(request: DownloadRequest): Promise<void> {
  const { path, signal } = request;
  await mkdir(dirname(path), { recursive: true });
  const replaces = await Bun.file(path).exists();
  const work = async () => {
    // Else somebody brought it while we waited for the lock.
    if (replaces || !(await Bun.file(path).exists())) await downloadAlone(request);
  };
  await withLock(`${path}.lock`, work, signal);
}

/**
 * `download` for a caller who makes sure that nobody else brings anything to `path`, and that its
 * folder is there.
 */
export async function downloadAlone(request: DownloadRequest): Promise<void> {
  const { url, path, signal } = request;
  let size_max = (await readPart(path, url)).size;
  for (let fruitless = 0; ; ) {
    signal?.throwIfAborted();
    try {
      const resumed = await fetchRest(request);
      await check(request, resumed);
      return await landPart(path);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof Transient)) throw error;
      const { size } = await readPart(path, url);
      fruitless = size > size_max ? 0 : fruitless + 1;
      size_max = Math.max(size_max, size);
      if (fruitless >= ATTEMPTS_MAX) {
        throw failure(
          url,
          `${error.message} (${fruitless} times in a row); try again later`,
          error,
        );
      }
      await pause(fruitless, error, request);
    }
  }
}

/**
 * One request. Afterwards the part file has every byte that was promised; some of them came
 * earlier if the result is true.
 */
async function fetchRest(request: DownloadRequest): Promise<boolean> {
  const { url, path, bytes, sha256 } = request;
  const found = await readPart(path, url);
  // Only a validator or a hash can tell whether two halves belong together.
  const part = (found.validator ?? sha256) ? found : NO_PART;
  if (part.size > 0 && part.size === bytes) return true;
  using idle = new IdleTimer(request.idleMsMax ?? IDLE_MS_MAX);
  const signals = request.signal ? [idle.signal, request.signal] : [idle.signal];
  const response = await fetch(url, {
    headers: { ...request.headers, ...rangeHeaders(part) },
    signal: AbortSignal.any(signals),
  }).catch(becomeTransient);
  if (response.status === 416) {
    await discardPart(path);
    throw new Transient("the server has no such part");
  }
  expectContent(url, response);
  const promised = promisedTotal(response);
  if (bytes !== undefined && promised !== undefined && promised !== bytes) {
    throw failure(url, `the server has ${promised} bytes where ${bytes} were expected`);
  }
  const start = acceptedStart(response, part);
  await writeOrigin(path, url, response);
  // "w" empties the file: the server starts again.
  await using file = await open(partPath(path), start === 0 ? "w" : "r+");
  await receive(request, response, { file, start, total: bytes ?? promised, idle });
  await file.sync();
  return start > 0;
}

interface Receiving {
  readonly file: FileHandle;
  readonly start: number;
  readonly total: number | undefined;
  readonly idle: IdleTimer;
}

async function receive(
  { url, path, onProgress }: DownloadRequest,
  response: Response,
  { file, start, total, idle }: Receiving,
): Promise<void> {
  let received = start;
  const reader = response.body?.getReader();
  while (reader) {
    const { done, value } = await reader.read().catch(becomeTransient);
    if (done) break;
    idle.restart();
    if (received + value.length > (total ?? Number.POSITIVE_INFINITY)) {
      await reader.cancel();
      await discardPart(path);
      throw failure(url, `the server sent more than the ${total} bytes that were expected`);
    }
    await writeAll(file, value, received);
    received += value.length;
    onProgress?.({ received, total });
  }
  if (total !== undefined && received < total) {
    throw new Transient(`the connection ended after ${received} of ${total} bytes`);
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const left = bytes.length - done;
    done += (await file.write(bytes, done, left, position + done)).bytesWritten;
  }
}

async function check(request: DownloadRequest, resumed: boolean): Promise<void> {
  const { url, path, sha256 } = request;
  if (sha256 === undefined) return;
  const found = await sha256OfFile(partPath(path));
  if (found === sha256) return;
  await discardPart(path);
  if (resumed) throw new Transient("the parts do not make the whole that was expected");
  throw failure(
    url,
    `its content has SHA-256 ${found} where ${sha256} was expected; try again later`,
  );
}

/** Aborts its signal when nobody restarts it for so long. */
class IdleTimer implements Disposable {
  readonly #controller = new AbortController();
  readonly #idleMsMax: number;
  #timer: Timer | undefined;

  constructor(idleMsMax: number) {
    this.#idleMsMax = idleMsMax;
    this.restart();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  restart(): void {
    clearTimeout(this.#timer);
    const reason = new Error(`the server sent nothing for ${this.#idleMsMax / 1000} s`);
    this.#timer = setTimeout(() => this.#controller.abort(reason), this.#idleMsMax);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
