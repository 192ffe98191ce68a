import { type ErrorCode, GgufEmbedError } from "../index.ts";

/** Why a request is refused, in what all of the server's interfaces have in common. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  /** HTTP status. */
  readonly status: number;
  /** Stable, in lower case, for programs and metrics. */
  readonly code: string;
  /** The field of the request at fault. */
  readonly param: string | null;
  /** When to try again. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    status: number,
    code: string,
    message: string,
    details: ErrorOptions & { param?: string; retryAfterSeconds?: number } = {},
  ) {
    super(message, details);
    this.status = status;
    this.code = code;
    this.param = details.param ?? null;
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

const SHOWN_MAX = 100;

/** What a client called something, fit for a message. */
export function shorten(name: string): string {
  return name.length <= SHOWN_MAX ? name : `${name.slice(0, SHOWN_MAX)}…`;
}

export function badRequest(message: string, param?: string): RequestError {
  return new RequestError(400, "invalid_request", message, param === undefined ? {} : { param });
}

export function tooLarge(message: string): RequestError {
  return new RequestError(413, "too_large", message);
}

export function overloaded(retryAfterSeconds: number): RequestError {
  const message = `too much waits already; try again in ${retryAfterSeconds} s`;
  return new RequestError(429, "overloaded", message, { retryAfterSeconds });
}

/** How the library's errors look from outside. Those that are not here are the server's own. */
const STATUS: Partial<Record<ErrorCode, readonly [status: number, code: string]>> = {
  INVALID_ARGUMENT: [400, "invalid_request"],
  // Of an open model: it is of the other kind.
  UNSUPPORTED: [400, "wrong_kind_of_model"],
  INPUT_TOO_LONG: [413, "input_too_long"],
  QUEUE_FULL: [429, "overloaded"],
  CLOSED: [503, "shutting_down"],
  INDEX_BUSY: [503, "index_busy"],
  OUT_OF_RESOURCES: [503, "out_of_resources"],
};

/** Any failure as one that can be told to a client; what it says of the inside stays inside. */
export function toRequestError(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  if (error instanceof GgufEmbedError) {
    const [status, code] = STATUS[error.code] ?? [500, "internal"];
    // Messages of others name files of this machine.
    const message = status === 500 ? "the model failed; the server's log says more" : error.message;
    const retry = status === 429 ? { retryAfterSeconds: 1 } : {};
    return new RequestError(status, code, message, { cause: error, ...retry });
  }
  return new RequestError(500, "internal", "internal error; the server's log says more", {
    cause: error,
  });
}
