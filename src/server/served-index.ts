import { GgufEmbedError, openSearchIndex, type SearchIndex } from "../index.ts";
import type { Models, ServedModel } from "./models.ts";

/** Documents that a server searches, and the open model that their vectors are of. */
export interface ServedIndex {
  readonly index: SearchIndex;
  readonly model: ServedModel;
}

/**
 * Opens an index for the first of the models that it was made with. Throws what `openSearchIndex`
 * does, and `WRONG_MODEL` where it is none of them.
 */
export async function openServedIndex(path: string, models: Models): Promise<ServedIndex> {
  let refused: unknown;
  for (const model of models.all) {
    const index = await openSearchIndex({ path, create: false, model: model.embedder });
    try {
      // Compares fingerprints, which a first request should not have to wait for.
      await index.search("", { mode: "vector", limit: 1 });
      return { index, model };
    } catch (error) {
      await index.close();
      if (!(error instanceof GgufEmbedError) || error.code !== "WRONG_MODEL") throw error;
      refused ??= error;
    }
  }
  throw refused;
}
