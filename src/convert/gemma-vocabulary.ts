import { fileError } from "../gguf/message.ts";
import { TOKEN_TYPE } from "../tokenizer/vocabulary.ts";
import type { JsonFile } from "./json.ts";
import { readAddedTokens } from "./special-tokens.ts";
import { readVocabulary } from "./vocabulary-reader.ts";

/** A SentencePiece vocabulary as GGUF holds it, by id. */
export interface GemmaVocabulary {
  readonly tokens: readonly string[];
  readonly scores: Float32Array;
  readonly types: Int32Array;
}

export const ADDED_SCORE = -1000;
const BYTE_PIECE = /^<0x[0-9A-F]{2}>$/;
/** Special, though nobody says so. */
const MASK = "<mask>";
const METASPACE = "\u2581";

/**
 * The first `size` tokens of Gemma 3's `tokenizer.json`, with scores and types as converters write
 * them: ordinary pieces are scored by rank, so that the best-scored merge is the first in training.
 */
export function gemmaVocabulary(tokenizer: JsonFile, size: number): GemmaVocabulary {
  const tokens = new Array<string | undefined>(size).fill(undefined);
  const scores = new Float32Array(size);
  const types = new Int32Array(size).fill(TOKEN_TYPE.NORMAL);
  const { unk_token } = tokenizer.requireObject("model");
  for (const [piece, id] of readVocabulary(tokenizer)) {
    if (!(id < size)) continue;
    tokens[id] = piece;
    if (BYTE_PIECE.test(piece)) types[id] = TOKEN_TYPE.BYTE;
    if (piece === unk_token) types[id] = TOKEN_TYPE.UNKNOWN;
  }
  for (const { id, text, special } of readAddedTokens(tokenizer)) {
    if (id >= size || types[id] !== TOKEN_TYPE.NORMAL) continue;
    types[id] = special || text === MASK ? TOKEN_TYPE.CONTROL : TOKEN_TYPE.USER_DEFINED;
    scores[id] = ADDED_SCORE;
    tokens[id] = text.replaceAll(METASPACE, " ");
  }
  let rank = 0;
  for (let id = 0; id < size; id++) if (types[id] === TOKEN_TYPE.NORMAL) scores[id] = -rank++;
  return { tokens: tokens.map((token, id) => token ?? missing(tokenizer.path, id)), scores, types };
}

function missing(path: string, id: number): never {
  throw fileError("BAD_MODEL", path, `no piece has the id ${id}`);
}
