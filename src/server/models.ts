import { basename } from "node:path";
import type { Embedder } from "../index.ts";
import { RequestError, shorten } from "./request-error.ts";

/** Ollama's way to say that no tag was given. */
const NO_TAG = /:latest$/;

/** A model that the server has open. */
export interface ServedModel {
  /** What `/v1/models` calls it. */
  readonly id: string;
  readonly embedder: Embedder;
  /** When it was opened, in seconds since 1970. */
  readonly created: number;
}

/** What a model gives: vectors of texts, or scores of pairs. */
export type ModelKind = "embedding" | "reranker";

/** The models of a server; the first of a kind answers requests that name none. */
export class Models {
  readonly all: readonly ServedModel[];

  constructor(opened: readonly { readonly source: string; readonly embedder: Embedder }[]) {
    const created = Math.floor(Date.now() / 1000);
    this.all = opened.map(({ source, embedder }) => ({ id: idOf(source), embedder, created }));
    const ids = this.all.map(({ id }) => id);
    const twice = ids.find((id, i) => ids.indexOf(id) !== i);
    if (twice !== undefined) throw new Error(`two models are called ${twice}`);
  }

  /**
   * By its id, or by the name that its file states; without a name the first of the kind, or of
   * all. Throws `RequestError` 404.
   */
  find(name: string | undefined, kind?: ModelKind): ServedModel {
    // Where there is none of the kind, the model itself says so best.
    if (name === undefined) {
      return this.all.find((model) => kind === undefined || kindOf(model) === kind) ?? this.all[0]!;
    }
    const found = this.#lookUp(name) ?? this.#lookUp(name.replace(NO_TAG, ""));
    if (found !== undefined) return found;
    const ids = this.all.map(({ id }) => id).join(", ");
    const message = `there is no model ${JSON.stringify(shorten(name))} here; there is ${ids}`;
    throw new RequestError(404, "model_not_found", message, { param: "model" });
  }

  #lookUp(name: string): ServedModel | undefined {
    // What a file says it is, another may be called.
    const byId = this.all.find(({ id }) => id === name);
    return byId ?? this.all.find(({ embedder }) => embedder.config.name === name);
  }
}

function kindOf({ embedder }: ServedModel): ModelKind {
  return embedder.config.pooling === "rank" ? "reranker" : "embedding";
}

/** A file's name without its ending; a model's name as it was given. */
export function idOf(source: string): string {
  return /\.gguf$/i.test(source) ? basename(source).replace(/\.gguf$/i, "") : source;
}
