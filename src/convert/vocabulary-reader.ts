import { fileError, quote } from "../gguf/message.ts";
import { TOKEN_TYPE } from "../tokenizer/vocabulary.ts";
import type { FindToken } from "./affixes.ts";
import { isJsonObject, type JsonFile } from "./json.ts";

/**
 * `model.vocab` of a `tokenizer.json` that maps each piece to its id, one by one: there may be
 * 262,144. Throws `BAD_MODEL`.
 */
export function* readVocabulary(tokenizer: JsonFile): Generator<[piece: string, id: number]> {
  const { vocab } = tokenizer.requireObject("model");
  if (!isJsonObject(vocab)) {
    throw fileError("BAD_MODEL", tokenizer.path, `"model.vocab" is no object`);
  }
  for (const piece in vocab) yield [piece, Number(vocab[piece])];
}

/**
 * Pieces by id, of which an embedding table may have more rows than there are: those are called
 * `[PAD7]`, as llama.cpp's converter calls them. Throws `BAD_MODEL` for two pieces of one id, and
 * for an id that the table does not have.
 */
export function fillPieces(
  path: string,
  vocabSize: number,
  pieces: Iterable<readonly [piece: string, id: number]>,
): { tokens: string[]; types: Int32Array } {
  const tokens = Array.from({ length: vocabSize }, (_, id) => `[PAD${id}]`);
  const types = new Int32Array(vocabSize).fill(TOKEN_TYPE.UNUSED);
  for (const [piece, id] of pieces) {
    if (!Number.isInteger(id) || id < 0 || id >= vocabSize || types[id] !== TOKEN_TYPE.UNUSED) {
      const expected = `expected one piece for each id below ${vocabSize}`;
      throw fileError("BAD_MODEL", path, `${expected}; found ${quote(piece)} with id ${id}`);
    }
    tokens[id] = piece;
    types[id] = TOKEN_TYPE.NORMAL;
  }
  return { tokens, types };
}

/** `BAD_MODEL` for an added token without a row in the embedding table. */
export function beyondVocabulary(path: string, text: string, id: number, size: number): Error {
  const message = `${quote(text)} has the id ${id}; config.json has a vocabulary of ${size}`;
  return fileError("BAD_MODEL", path, message);
}

/** Finds tokens by their text; the few that are asked for are looked up. */
export function findIn(tokens: readonly string[]): FindToken {
  return (text) => {
    const id = tokens.indexOf(text);
    return id < 0 ? undefined : id;
  };
}
