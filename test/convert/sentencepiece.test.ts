import { expect, test } from "bun:test";
import { join } from "node:path";
import { readSentencePieceFile } from "../../src/convert/sentencepiece-model.ts";
import { GgufEmbedError } from "../../src/errors.ts";
import { rejection } from "../gguf/rejection.ts";
import { temporaryFolder } from "../gguf/temporary.ts";
import type { BertFolder } from "./bert-folder.ts";
import { convert } from "./converted.ts";
import { CHARSMAP, GEMMA_PIECES, gemmaFolder, XLMR_PIECES, xlmRobertaFolder } from "./folders.ts";
import { type ModelParts, sentencePieceFile } from "./sentencepiece-file.ts";

/** As Facebook trained it: without `<pad>` and `<mask>`, and in another order. */
const XLMR: ModelParts = {
  kind: 1,
  addsPrefix: true,
  charsmap: CHARSMAP,
  pieces: [
    ["<unk>", 0, 2],
    ["<s>", 0, 3],
    ["</s>", 0, 3],
    ...XLMR_PIECES.slice(4, 7).map((piece, i) => [piece, -4 - i, 1] as const),
  ],
};

const GEMMA: ModelParts = {
  kind: 2,
  addsPrefix: false,
  pieces: GEMMA_PIECES.map((piece, id) => {
    if (id < 3) return [piece, 0, 3];
    if (id === 3) return [piece, 0, 2];
    if (id === 4) return [piece, 0, 6];
    return id === 8 ? ["  ", 0, 4] : [piece, 5 - id, 1];
  }),
};

/** A folder with the model in the place of `tokenizer.json`. */
async function withModel<Folder extends BertFolder>(
  folder: Folder,
  name: string,
  parts: ModelParts,
): Promise<Folder> {
  folder.files["tokenizer.json"] = undefined;
  folder.files[name] = sentencePieceFile(parts);
  return folder;
}

const plain = (metadata: unknown) => new Map(metadata as [string, unknown][]);

test("XLM-RoBERTa from sentencepiece.bpe.model: as from tokenizer.json", async () => {
  const expected = plain((await convert(xlmRobertaFolder())).metadata);
  const folder = await withModel(xlmRobertaFolder(), "sentencepiece.bpe.model", XLMR);
  const found = plain((await convert(folder)).metadata);
  // The fixture's template tells of no pair of texts, and XLM-RoBERTa's has two between them.
  expected.set("tokenizer.ggml.add_sep_token", ["bool", true]);
  expect(found).toEqual(expected);
});

test("EmbeddingGemma from tokenizer.model: as from tokenizer.json", async () => {
  const expected = plain((await convert(gemmaFolder())).metadata);
  const folder = await withModel(gemmaFolder(), "tokenizer.model", GEMMA);
  folder.files["tokenizer_config.json"] = {
    ...(folder.files["tokenizer_config.json"] as object),
    add_bos_token: true,
    add_eos_token: true,
    added_tokens_decoder: Object.fromEntries(
      [0, 1, 2].map((id) => [id, { content: GEMMA_PIECES[id], special: true }]),
    ),
  };
  const found = plain((await convert(folder)).metadata);
  // The model's own scores stay; those of its spaces too, which are matched and not merged.
  const scores = ["float32", [-1000, -1000, -1000, 0, 0, 0, -1, -2, 0]];
  expected.set("tokenizer.ggml.scores", ["array", scores]);
  expect(found).toEqual(expected);
});

test.each<[string, (folder: BertFolder) => Promise<BertFolder>, string]>([
  [
    "XLM-RoBERTa with a model of BPE",
    (folder) => withModel(folder, "sentencepiece.bpe.model", { ...XLMR, kind: 2 }),
    "expected a Unigram model",
  ],
  [
    "a model of characters",
    (folder) => withModel(folder, "sentencepiece.bpe.model", { ...XLMR, kind: 4 }),
    "of kind 4",
  ],
])("%s: refused", async (_, change, message) => {
  const error = await rejection(convert(await change(xlmRobertaFolder())));
  expect(error.code).toBe("UNSUPPORTED");
  expect(error.message).toContain(message);
});

test("a model that was cut off is read up to a piece, or is an error of ours", async () => {
  await using temporary = await temporaryFolder();
  const whole = sentencePieceFile(XLMR);
  const path = join(temporary.path, "cut.model");
  let refused = 0;
  for (let length = 0; length < whole.length; length++) {
    await Bun.write(path, whole.subarray(0, length));
    const outcome = await readSentencePieceFile(path).catch((error: unknown) => error);
    if (outcome instanceof Error) {
      expect(outcome).toBeInstanceOf(GgufEmbedError);
      expect((outcome as GgufEmbedError).code).toBe("BAD_FILE");
      refused++;
    }
  }
  // But at the ends of its six pieces, of the trainer's part, and of nothing.
  expect(refused).toBe(whole.length - 8);
});
