import { Database } from "bun:sqlite";
import type { Embedder } from "../../src/index.ts";
import { openDatabase } from "../../src/search/database.ts";
import { newSettings, storeSettings } from "../../src/search/settings.ts";
import { hashOf, hashOfDocument, Store } from "../../src/search/store.ts";
import { randomNumbers } from "../random.ts";

const A_TRANSACTION = 500;

/**
 * An index of the texts of another, with random vectors of a model's width: as fast to search as a
 * real one, and of no use otherwise. Embedding so much with a large model would take hours.
 */
export async function makeShape(
  path: string,
  model: Embedder,
  texts: string,
  seed: number,
): Promise<void> {
  using from = new Database(texts, { readonly: true });
  const rows = from.query("SELECT text FROM passages ORDER BY id").values() as [string][];
  const database = await openDatabase({ path, create: true, busyTimeoutMs: 0 });
  try {
    const { embeddingSize } = model.config;
    storeSettings(database, await newSettings(model, { path, model }));
    const store = new Store(database);
    const random = randomNumbers(seed);
    for (let first = 0; first < rows.length; first += A_TRANSACTION) {
      const pieces = rows.slice(first, first + A_TRANSACTION).map(([text]) => {
        const place = { first: 0, last: text.length, line: 1, lineEnd: 1 };
        return { hash: hashOf(text), text, tokens: 1, ...place };
      });
      const embedded = pieces.map((piece) => {
        return { piece, vector: unitVector(embeddingSize, random) };
      });
      const document = { id: `${first}`, text: "" };
      const ready = { document, hash: hashOfDocument(document), pieces };
      const write = database.transaction(() => {
        store.addPassages(embedded);
        store.putDocument(ready);
      });
      write.immediate();
    }
  } finally {
    database.close();
  }
}

function unitVector(dimensions: number, random: () => number): Float32Array {
  const vector = Float32Array.from({ length: dimensions }, () => random() / 2 ** 31 - 1);
  const length = Math.hypot(...vector);
  return vector.map((component) => component / length);
}
