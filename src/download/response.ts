import { GgufEmbedError } from "../errors.ts";
import type { Part } from "./part.ts";

/** A failure that another attempt may cure. */
export class Transient extends Error {
  /** How long the server asked us to wait; 0 where it did not. */
  readonly delayMs: number;

  constructor(message: string, options: ErrorOptions & { delayMs?: number } = {}) {
    super(message, options);
    this.delayMs = options.delayMs ?? 0;
  }
}

/** What `fetch` throws, and a body that breaks off. */
export function becomeTransient(cause: unknown): never {
  const message = cause instanceof Error ? cause.message : String(cause);
  // Bun's own hint on how to debug fetch helps nobody who reads our message.
  throw new Transient(message.replace(/\. For more information, pass.*$/, ""), { cause });
}

export function failure(url: string, message: string, cause?: unknown): GgufEmbedError {
  return new GgufEmbedError("DOWNLOAD", `cannot download ${withoutSecrets(url)}: ${message}`, {
    cause,
  });
}

/** An address may carry a password, and a signed one carries its key in the query. */
function withoutSecrets(url: string): string {
  if (!URL.canParse(url)) return url;
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

/** Asks for what is missing, if what is there is still part of the same content. */
export function rangeHeaders(part: Part): Record<string, string> {
  // An encoded body could be neither counted nor continued.
  const plain = { "accept-encoding": "identity" };
  if (part.size === 0) return plain;
  const range = { ...plain, range: `bytes=${part.size}-` };
  return part.validator === undefined ? range : { ...range, "if-range": part.validator };
}

/** Throws unless the response carries content: `Transient` where asking again may help. */
export function expectContent(url: string, response: Response): void {
  const { status } = response;
  if (status === 200 || status === 206) return;
  const told = whatItAnswered(response);
  const cure = status === 401 || status === 403 ? "you may need to sign in" : "check the address";
  throw failure(url, `${told}; ${cure}`);
}

/** Throws `Transient` where the server only wants us to wait; else returns what it answered. */
export function whatItAnswered(response: Response): string {
  const { status } = response;
  const told = `the server answered ${status} ${response.statusText}`.trimEnd();
  if (status < 500 && status !== 408 && status !== 429) return told;
  const seconds = Number(response.headers.get("retry-after"));
  throw new Transient(told, { delayMs: Number.isFinite(seconds) ? seconds * 1000 : 0 });
}

/** First byte of the body: the part's end if the server continues it, 0 if it starts again. */
export function acceptedStart(response: Response, part: Part): number {
  if (response.status !== 206) return 0;
  const { start } = contentRange(response);
  if (start === part.size || start === 0) return start;
  throw new Transient(`the server continued at byte ${start}, not at ${part.size}`);
}

/** Length of the whole content, as far as the server tells. */
export function promisedTotal(response: Response): number | undefined {
  if (response.status === 206) return contentRange(response).total;
  const encoding = response.headers.get("content-encoding") ?? "identity";
  const length = response.headers.get("content-length");
  return length === null || encoding !== "identity" ? undefined : Number(length);
}

function contentRange(response: Response): { start: number; total: number | undefined } {
  const header = response.headers.get("content-range") ?? "";
  const match = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(header);
  if (match === null) throw new Transient(`the server sent a part without saying which: ${header}`);
  return { start: Number(match[1]), total: match[2] === "*" ? undefined : Number(match[2]) };
}
