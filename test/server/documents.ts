import { type Embedder, openSearchIndex } from "../../src/index.ts";

export const DOCUMENTS = [
  { id: "animals/cat.md", text: "A cat <b>sleeps</b> on the mat.", metadata: { year: 2024 } },
  { id: "money.md", text: "Interest rates rise again." },
  { id: "animals/dog.md", text: "A dog runs in the sun." },
];

/** An index of those at a path. */
export async function makeIndex(path: string, model: Embedder): Promise<void> {
  await using index = await openSearchIndex({ path, model, source: "tiny" });
  await index.add(DOCUMENTS);
}
