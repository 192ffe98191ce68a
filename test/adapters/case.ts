import { afterAll, beforeAll } from "bun:test";
import { type Embedder, type EmbedOptions, open } from "../../src/index.ts";
import { tinyModel } from "../engine/tiny-model.ts";

/** A tiny model of EmbeddingGemma's kind, whose tasks have prompts, open and as a file. */
export function adaptedModel() {
  const file = tinyModel();
  const opened: { model: Embedder | undefined } = { model: undefined };
  beforeAll(async () => {
    opened.model = await open(file.path, { threads: 1 });
  });
  afterAll(() => opened.model?.close());
  return {
    get path(): string {
      return file.path;
    },
    get model(): Embedder {
      if (opened.model === undefined) throw new Error("the model is not open yet");
      return opened.model;
    },
    /** What the library itself gives. */
    async vectors(texts: readonly string[], options: EmbedOptions = {}): Promise<number[][]> {
      const results = await this.model.embed(texts, options);
      return results.map(({ embedding }) => Array.from(embedding));
    },
    async vector(text: string, options: EmbedOptions = {}): Promise<number[]> {
      return Array.from((await this.model.embed(text, options)).embedding);
    },
  };
}

/** Of as many tokens as the tiny model cannot take. */
export const LONG = "word ".repeat(1000);
export const TEXTS = ["one", "two words", "and three words", ""];
