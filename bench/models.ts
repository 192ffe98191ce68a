/** The models that benches run, and what they give them. */
import { ensureMiniLM } from "../scripts/models.ts";
import { ensureSynth } from "../scripts/synth.ts";
import { type Embedder, type EmbedResult, type OpenOptions, open } from "../src/index.ts";
import { type Case, digest, type Setting } from "./harness.ts";
import { makeTextsOfTokens } from "./texts.ts";

/** Tokens of a short text, and of one that is usual: a search query, a few sentences. */
export const SHORT = 11;
export const USUAL = 28;

/** The synthetic EmbeddingGemma and, at full size, MiniLM (fetched on first use). */
export async function modelPaths(setting: Setting): Promise<string[]> {
  const gemma = await gemmaPath(setting);
  return setting.size === "tiny" ? [gemma] : [gemma, await ensureMiniLM()];
}

export function gemmaPath({ size }: Setting): Promise<string> {
  return ensureSynth(size === "tiny" ? "mini" : "full");
}

/** Each model, open until the next one's turn. */
export async function* openEach(
  setting: Setting,
  options: OpenOptions = {},
): AsyncGenerator<Embedder> {
  for (const path of await modelPaths(setting)) {
    await using embedder = await open(path, options);
    yield embedder;
  }
}

export function textsOf(
  embedder: Embedder,
  count: number,
  tokens: number,
  { seed }: Setting,
): string[] {
  return makeTextsOfTokens(count, tokens, seed, (text) => embedder.tokenize(text).length);
}

/** Embeds the texts in one call. */
export async function embedCase(
  embedder: Embedder,
  texts: readonly string[],
  note = "",
): Promise<Case> {
  const results = await embedder.embed(texts);
  return {
    name: nameOf(embedder, results, note),
    amount: { count: tokensOf(results), unit: "tokens" },
    result: digest(results.map(({ embedding }) => embedding)),
    run: () => embedder.embed(texts),
  };
}

function nameOf(embedder: Embedder, results: readonly EmbedResult[], note: string): string {
  const { length } = results;
  const texts = length === 1 ? "1 text" : `${length} texts`;
  // The synthetic model's name is long, and the same at every size.
  const model = embedder.config.name.replace(/^synthetic | shape$/g, "");
  return `${model}: ${texts}, ${tokensOf(results)} tokens${note === "" ? "" : `, ${note}`}`;
}

export function threadCount(threads: number): string {
  return threads === 1 ? "1 thread" : `${threads} threads`;
}

function tokensOf(results: readonly EmbedResult[]): number {
  return results.reduce((total, { tokens }) => total + tokens, 0);
}
