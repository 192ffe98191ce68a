import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Random } from "../reference/random.ts";
import { float32, safetensors, type Tensor } from "./safetensors-file.ts";

/** A small BERT as sentence-transformers keeps it, to be changed before it is written. */
export interface BertFolder {
  /** By path: text and bytes as they are, anything else as JSON; `undefined` leaves it out. */
  readonly files: Record<string, unknown>;
  readonly tensors: Record<string, Tensor>;
  /** Weights of modules that follow, each a `linear.weight`, by folder. */
  readonly dense?: Readonly<Record<string, Tensor>>;
}

export const PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "sun", "moon", "##s", "ö"];
const SPECIAL = PIECES.slice(0, 5);

export interface Sizes {
  readonly hidden: number;
  readonly ffn: number;
  readonly vocab: number;
}

export const SIZES: Sizes = { hidden: 32, ffn: 64, vocab: PIECES.length };

export function bertFolder(sizes: Sizes = SIZES): BertFolder {
  return {
    tensors: tensors(sizes),
    files: {
      "config.json": {
        architectures: ["BertModel"],
        hidden_act: "gelu",
        hidden_size: sizes.hidden,
        intermediate_size: sizes.ffn,
        layer_norm_eps: 1e-12,
        max_position_embeddings: 16,
        model_type: "bert",
        num_attention_heads: 2,
        num_hidden_layers: 1,
        position_embedding_type: "absolute",
        type_vocab_size: 2,
        vocab_size: sizes.vocab,
      },
      "modules.json": [
        { idx: 0, path: "", type: "sentence_transformers.models.Transformer" },
        { idx: 1, path: "1_Pooling", type: "sentence_transformers.models.Pooling" },
        { idx: 2, path: "2_Normalize", type: "sentence_transformers.models.Normalize" },
      ],
      "1_Pooling/config.json": {
        pooling_mode_cls_token: false,
        pooling_mode_mean_tokens: true,
        pooling_mode_max_tokens: false,
      },
      "tokenizer.json": {
        added_tokens: SPECIAL.map((content, id) => ({ id, content, special: true })),
        normalizer: { type: "BertNormalizer", lowercase: true, strip_accents: null },
        model: {
          type: "WordPiece",
          vocab: Object.fromEntries(PIECES.map((piece, id) => [piece, id])),
        },
      },
      "tokenizer_config.json": { cls_token: "[CLS]", mask_token: { content: "[MASK]" } },
      "vocab.txt": `${PIECES.join("\n")}\n`,
    },
  };
}

/** Writes the folder into `path` and returns that. */
export async function writeFolder(folder: BertFolder, path: string): Promise<string> {
  await mkdir(path, { recursive: true });
  await Bun.write(join(path, "model.safetensors"), safetensors(folder.tensors));
  for (const [name, weight] of Object.entries(folder.dense ?? {})) {
    const file = safetensors({ "linear.weight": weight });
    await Bun.write(join(path, name, "model.safetensors"), file);
  }
  for (const [name, content] of Object.entries(folder.files)) {
    if (content === undefined) continue;
    const isWritten = typeof content === "string" || content instanceof Uint8Array;
    const text = isWritten ? content : JSON.stringify(content);
    await Bun.write(join(path, name), text);
  }
  return path;
}

/** Under the names of Hugging Face transformers, in the order of its files. */
function tensors({ hidden, ffn, vocab }: Sizes): Record<string, Tensor> {
  const random = new Random(1);
  const all: Record<string, Tensor> = {};
  const add = (name: string, ...shape: number[]) => {
    const length = shape.reduce((product, size) => product * size, 1);
    all[name] = float32(shape, random.values(length, 0, 1));
  };
  const norm = (name: string) => {
    add(`${name}.bias`, hidden);
    add(`${name}.weight`, hidden);
  };
  const linear = (name: string, rows: number, columns: number) => {
    add(`${name}.bias`, rows);
    add(`${name}.weight`, rows, columns);
  };
  norm("embeddings.LayerNorm");
  add("embeddings.position_embeddings.weight", 16, hidden);
  add("embeddings.token_type_embeddings.weight", 2, hidden);
  add("embeddings.word_embeddings.weight", vocab, hidden);
  const layer = "encoder.layer.0";
  norm(`${layer}.attention.output.LayerNorm`);
  linear(`${layer}.attention.output.dense`, hidden, hidden);
  linear(`${layer}.attention.self.key`, hidden, hidden);
  linear(`${layer}.attention.self.query`, hidden, hidden);
  linear(`${layer}.attention.self.value`, hidden, hidden);
  linear(`${layer}.intermediate.dense`, ffn, hidden);
  norm(`${layer}.output.LayerNorm`);
  linear(`${layer}.output.dense`, hidden, ffn);
  linear("pooler.dense", hidden, hidden);
  return all;
}
