/** All codes of `GgufEmbedError`. */
export const ERROR_CODES = [
  "INVALID_ARGUMENT",
  "INPUT_TOO_LONG",
  "FILE_NOT_FOUND",
  "BAD_FILE",
  "BAD_MODEL",
  "UNSUPPORTED",
  "NATIVE",
  "NOT_FINITE",
  "QUEUE_FULL",
  "CLOSED",
  "OUT_OF_RESOURCES",
  "DOWNLOAD",
  "OFFLINE",
  "NO_SUCH_MODEL",
  "ACCESS_DENIED",
  "BAD_INDEX",
  "WRONG_MODEL",
  "INDEX_BUSY",
  "QUEUE_UNREACHABLE",
  "RESULTS",
  "MISSING_PACKAGE",
] as const;

/**
 * Stable error codes: programs branch on these, people read the message.
 *
 * - `INVALID_ARGUMENT`: the caller passed something that no model could take: a wrong type, an
 *   option out of range.
 * - `INPUT_TOO_LONG`: a text has more tokens than the model's context and `truncate` is `"error"`,
 *   or a call's texts have more than `EmbedOptions.tokenLimit`.
 * - `FILE_NOT_FOUND`: the model file, or the index, does not exist or cannot be opened.
 * - `BAD_FILE`: the file is not a well-formed GGUF file (or safetensors, when converting), or it
 *   changed while it was open.
 * - `BAD_MODEL`: the file is well-formed, but the model it describes contradicts itself or lacks
 *   something.
 * - `UNSUPPORTED`: the file is fine, but this version cannot run it; or the model does not do what
 *   is asked: a reranker gives no vectors, and an embedding model no scores. Or this is not Bun.
 * - `NATIVE`: the native library is missing, does not fit, or this CPU is below the floor; or
 *   sqlite-vec is missing, which an index needs.
 * - `NOT_FINITE`: a weight or a computation gave a value that is not finite.
 * - `QUEUE_FULL`: more texts wait than `OpenOptions.queueLimit` allows. Try again when some are
 *   done.
 * - `CLOSED`: the model was closed.
 * - `OUT_OF_RESOURCES`: the operating system refused memory or another resource.
 * - `DOWNLOAD`: a download failed, or its content was not what was promised.
 * - `OFFLINE`: the model is not on this machine, and the network was not to be used.
 * - `NO_SUCH_MODEL`: the name is well-formed, but no model has it: no repository, revision, file or
 *   download.
 * - `ACCESS_DENIED`: the hub wants an accepted licence or another token.
 * - `BAD_INDEX`: the file is no index of this program's, of another version of it, or damaged.
 * - `WRONG_MODEL`: there are vectors of another model, or of the same by other options, among which
 *   these would be.
 * - `INDEX_BUSY`: another process has been writing to the index for too long.
 * - `QUEUE_UNREACHABLE`: Redis, which holds a queue, does not answer or wants another password.
 * - `RESULTS`: the place for a queue's results cannot be opened or written, or is another's.
 * - `MISSING_PACKAGE`: an optional package is not installed, which this needs.
 */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** What an error tells beside code and message. */
export interface ErrorDetails extends ErrorOptions {
  /** As in `GgufEmbedError.index`. */
  readonly index?: number;
}

/**
 * The one error class of this package.
 *
 * `message` says what is wrong, where, and what to do; `cause` keeps the underlying error. A
 * cancelled call is not an error of ours: it rejects with its signal's reason.
 *
 * A structured clone (`postMessage` to or from a Worker) is a plain `Error`: it keeps the message,
 * which says everything, but neither the class nor `code`, `index` and `cause`. Send what you need
 * of those beside it; `JSON.stringify` has `code` and `index`.
 */
export class GgufEmbedError extends Error {
  /** Of the class: tells it from another where two copies of the package are loaded. */
  override readonly name = "GgufEmbedError";
  /** What kind of error it is. */
  readonly code: ErrorCode;
  /**
   * Position, from 0, of the text at fault in the caller's input; absent where no single text is.
   * The message then begins with `text <index> `.
   */
  declare readonly index?: number;

  /** For those who build on this package and throw its errors. */
  constructor(code: ErrorCode, message: string, details?: ErrorDetails) {
    super(message, details);
    this.code = code;
    // Not always: an error without one should not print it.
    if (details?.index !== undefined) this.index = details.index;
  }
}

/** An error about what the caller passed. */
export function invalidArgument(message: string, details?: ErrorDetails): GgufEmbedError {
  return new GgufEmbedError("INVALID_ARGUMENT", message, details);
}
