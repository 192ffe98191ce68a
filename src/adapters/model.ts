import { type Embedder, GgufEmbedError, type OpenOptions, open, type Truncate } from "../index.ts";
import { abortable } from "../pipeline/abortable.ts";

/** An open model, or what `open` takes: the path of a GGUF file, a `file:` URL, or a name. */
export type ModelSource = Embedder | string | URL;

/** The model behind an adapter. */
export interface AdapterModel {
  /**
   * An open model, which stays its owner's: the adapter never closes it. Or what `open` takes: then
   * the adapter opens it at the first use, and closes it when it is closed itself.
   */
  readonly model: ModelSource;
  /** How to open it, where `model` is not open yet. */
  readonly open?: OpenOptions | undefined;
}

/** What all vectors of an adapter have in common. */
export interface AdapterVectors {
  /** Keep the first so many components and normalise again (Matryoshka). */
  readonly dimensions?: number | undefined;
  /** What to do with a text longer than the context. Default `"error"`. */
  readonly truncate?: Truncate | undefined;
  /** L2-normalise. Default: as the model wants it. */
  readonly normalize?: boolean | undefined;
}

/** A model that is opened when it is first needed, once for all who need it. */
export class LazyModel {
  /** What it is opened from; absent where it came open. */
  readonly source: string | undefined;
  readonly #given: Embedder | undefined;
  readonly #options: OpenOptions | undefined;
  #opening: Promise<Embedder> | undefined;
  #closed = false;

  /** Throws `INVALID_ARGUMENT`. */
  constructor({ model, open: options }: AdapterModel) {
    if (typeof model === "string" || model instanceof URL) this.source = String(model);
    else this.#given = checkOpen(model, options);
    this.#options = options;
  }

  /** What to call it: where it comes from, or else its own name. */
  get label(): string {
    return this.source ?? this.#given?.config.name ?? "";
  }

  /** Rejects with what `open` rejects with, `CLOSED`, or the signal's reason. */
  async get(signal?: AbortSignal): Promise<Embedder> {
    signal?.throwIfAborted();
    if (this.#closed) {
      throw new GgufEmbedError(
        "CLOSED",
        "this adapter was closed: make a new one, or close it later",
      );
    }
    // Others may wait for the opening too: it goes on.
    const model = this.#given ?? (await abortable(this.#open(), signal));
    if (model.config.pooling !== "none") return model;
    throw new GgufEmbedError(
      "INVALID_ARGUMENT",
      `${model.config.name} was opened with pooling "none", which gives a vector for each token; ` +
        "frameworks want one for each text: open it with another pooling",
    );
  }

  #open(): Promise<Embedder> {
    this.#opening ??= open(this.source ?? "", this.#options).catch((error: unknown) => {
      // The next call may find the file, or the network.
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  /** Waits for running calls, then closes the model if it was opened here. */
  async close(): Promise<void> {
    this.#closed = true;
    const model = await this.#opening?.catch(() => undefined);
    await model?.close();
  }
}

function checkOpen(model: Embedder, options: OpenOptions | undefined): Embedder {
  if (typeof model?.embed !== "function") {
    throw new GgufEmbedError(
      "INVALID_ARGUMENT",
      "model is neither an open model nor what open() takes: give a path, a name, or what open() gave",
    );
  }
  if (options === undefined) return model;
  throw new GgufEmbedError(
    "INVALID_ARGUMENT",
    "open says how to open a model, and this one is open already: leave it out",
  );
}
