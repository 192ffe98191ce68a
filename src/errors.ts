/** Stable error codes: programs branch on these, people read the message. */
export type ErrorCode =
  /** The caller passed something that no model could take: a wrong type, an option out of range. */
  | "INVALID_ARGUMENT"
  /** A text has more tokens than the model's context and `truncate` is `"error"`. */
  | "INPUT_TOO_LONG"
  /** The model file does not exist or cannot be read. */
  | "FILE_NOT_FOUND"
  /** The file is not a well-formed GGUF file (or safetensors, when converting). */
  | "BAD_FILE"
  /** The file is well-formed, but the model it describes contradicts itself or lacks something. */
  | "BAD_MODEL"
  /** The file is fine, but this version cannot run it. */
  | "UNSUPPORTED"
  /** The native library is missing, does not fit, or this CPU is below the floor. */
  | "NATIVE"
  /** A computation gave a value that is not finite. */
  | "NOT_FINITE"
  /** More texts wait than `OpenOptions.queueLimit` allows. Try again when some are done. */
  | "QUEUE_FULL"
  /** The embedder was closed. */
  | "CLOSED"
  /** The operating system refused memory or another resource. */
  | "OUT_OF_RESOURCES"
  /** A download failed, or its content was not what was promised. */
  | "DOWNLOAD"
  /** The model is not on this machine, and the network was not to be used. */
  | "OFFLINE"
  /** The name is well-formed, but no model has it: no repository, revision, file or download. */
  | "NO_SUCH_MODEL"
  /** The hub wants an accepted licence or another token. */
  | "ACCESS_DENIED";

export interface ErrorDetails extends ErrorOptions {
  readonly index?: number;
}

/**
 * The one error class of this package.
 *
 * `message` says what is wrong, where, and what to do; `cause` keeps the underlying error. A
 * cancelled call is not an error of ours: it rejects with its signal's reason.
 */
export class GgufEmbedError extends Error {
  override readonly name = "GgufEmbedError";
  readonly code: ErrorCode;
  /**
   * Position, from 0, of the text at fault in the caller's input; absent where no single text is.
   * The message then begins with `text <index> `.
   */
  declare readonly index?: number;

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
