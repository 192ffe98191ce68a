import { Random } from "../reference/random.ts";
import type { BertFolder } from "./bert-folder.ts";
import { float32, type Tensor } from "./safetensors-file.ts";

/** A small model of one architecture, and which tensor of it becomes which of the GGUF file. */
export interface Folder extends BertFolder {
  /** Name in GGUF → name in the folder. */
  readonly names: Readonly<Record<string, string>>;
}

export const HIDDEN = 32;
const FFN = 64;
const HEAD = 32;
/** Behind them come rows that are for other positions than those of a text. */
const POSITIONS = 16;
const POSITION_OFFSET = 2;

const MODULES = (pooling: string) => ({
  "modules.json": [
    { idx: 0, path: "", type: "sentence_transformers.models.Transformer" },
    { idx: 1, path: "1_Pooling", type: "sentence_transformers.models.Pooling" },
  ],
  "1_Pooling/config.json": { pooling_mode: pooling },
});

/** Shapes by name in the folder, under their names in GGUF. */
type Shapes = Readonly<Record<string, readonly [source: string, ...shape: number[]]>>;

function withTensors(files: BertFolder["files"], shapes: Shapes): Folder {
  const random = new Random(1);
  const tensors: Record<string, Tensor> = {};
  const names: Record<string, string> = {};
  for (const [name, [source, ...shape]] of Object.entries(shapes)) {
    const length = shape.reduce((product, side) => product * side, 1);
    tensors[source] = float32(shape, random.values(length, 0, 1));
    names[name] = source;
  }
  return { files, tensors, names };
}

const special = (contents: readonly string[]) =>
  contents.map((content, id) => ({ id, content, special: true }));

function template(first: string | undefined, last: string) {
  const token = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  const text = { Sequence: { id: "A", type_id: 0 } };
  const single = [...(first === undefined ? [] : [token(first)]), text, token(last)];
  return { type: "TemplateProcessing", single, pair: [], special_tokens: {} };
}

export const XLMR_PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "a", "▁sun", "<mask>"];
export const CHARSMAP = Uint8Array.of(4, 0, 0, 0, 1, 2, 3, 4, 65, 0);

export function xlmRobertaFolder(): Folder {
  const layer = "roberta.encoder.layer.0";
  const pair = (to: string, from: string, rows: number, columns: number): Shapes => ({
    [`${to}.weight`]: [`${from}.weight`, rows, columns],
    [`${to}.bias`]: [`${from}.bias`, rows],
  });
  const norm = (to: string, from: string): Shapes => ({
    [`${to}.weight`]: [`${from}.weight`, HIDDEN],
    [`${to}.bias`]: [`${from}.bias`, HIDDEN],
  });
  const table = (name: string) => `roberta.embeddings.${name}.weight`;
  const vocab = XLMR_PIECES.length + 1;
  return withTensors(
    {
      ...MODULES("cls"),
      "config.json": {
        architectures: ["XLMRobertaModel"],
        hidden_act: "gelu",
        hidden_size: HIDDEN,
        intermediate_size: FFN,
        layer_norm_eps: 1e-5,
        max_position_embeddings: POSITION_OFFSET + POSITIONS,
        num_attention_heads: 2,
        num_hidden_layers: 1,
        pad_token_id: 1,
        type_vocab_size: 1,
        vocab_size: vocab,
      },
      "tokenizer.json": {
        added_tokens: [
          ...special(XLMR_PIECES.slice(0, 4)),
          { id: 7, content: "<mask>", special: true },
        ],
        normalizer: { type: "Precompiled", precompiled_charsmap: CHARSMAP.toBase64() },
        pre_tokenizer: {
          type: "Sequence",
          pretokenizers: [
            { type: "WhitespaceSplit" },
            { type: "Metaspace", replacement: "▁", add_prefix_space: true },
          ],
        },
        post_processor: template("<s>", "</s>"),
        model: {
          type: "Unigram",
          unk_id: 3,
          vocab: XLMR_PIECES.slice(0, 7).map((piece, id) => [piece, id < 4 ? 0 : -id]),
        },
      },
      "tokenizer_config.json": {
        bos_token: "<s>",
        eos_token: "</s>",
        sep_token: "</s>",
        pad_token: "<pad>",
        unk_token: "<unk>",
        mask_token: { content: "<mask>" },
      },
    },
    {
      "position_embd.weight": [table("position_embeddings"), POSITION_OFFSET + POSITIONS, HIDDEN],
      "token_embd.weight": [table("word_embeddings"), vocab, HIDDEN],
      "token_types.weight": [table("token_type_embeddings"), 1, HIDDEN],
      ...norm("token_embd_norm", "roberta.embeddings.LayerNorm"),
      ...pair("blk.0.attn_q", `${layer}.attention.self.query`, HIDDEN, HIDDEN),
      ...pair("blk.0.attn_k", `${layer}.attention.self.key`, HIDDEN, HIDDEN),
      ...pair("blk.0.attn_v", `${layer}.attention.self.value`, HIDDEN, HIDDEN),
      ...pair("blk.0.attn_output", `${layer}.attention.output.dense`, HIDDEN, HIDDEN),
      ...norm("blk.0.attn_output_norm", `${layer}.attention.output.LayerNorm`),
      ...pair("blk.0.ffn_up", `${layer}.intermediate.dense`, FFN, HIDDEN),
      ...pair("blk.0.ffn_down", `${layer}.output.dense`, HIDDEN, FFN),
      ...norm("blk.0.layer_output_norm", `${layer}.output.LayerNorm`),
    },
  );
}

/** What Qwen3 and Gemma have in common. */
function decoderShapes(prefix: string, vocab: number, heads: number): Shapes {
  const layer = `${prefix}layers.0`;
  const attention = (to: string, from: string, rows: number, columns: number): Shapes => ({
    [`blk.0.${to}.weight`]: [`${layer}.self_attn.${from}.weight`, rows, columns],
  });
  return {
    "token_embd.weight": [`${prefix}embed_tokens.weight`, vocab, HIDDEN],
    "output_norm.weight": [`${prefix}norm.weight`, HIDDEN],
    ...attention("attn_q", "q_proj", heads * HEAD, HIDDEN),
    ...attention("attn_k", "k_proj", HEAD, HIDDEN),
    ...attention("attn_v", "v_proj", HEAD, HIDDEN),
    ...attention("attn_output", "o_proj", HIDDEN, heads * HEAD),
    "blk.0.attn_q_norm.weight": [`${layer}.self_attn.q_norm.weight`, HEAD],
    "blk.0.attn_k_norm.weight": [`${layer}.self_attn.k_norm.weight`, HEAD],
    "blk.0.ffn_gate.weight": [`${layer}.mlp.gate_proj.weight`, FFN, HIDDEN],
    "blk.0.ffn_up.weight": [`${layer}.mlp.up_proj.weight`, FFN, HIDDEN],
    "blk.0.ffn_down.weight": [`${layer}.mlp.down_proj.weight`, HIDDEN, FFN],
    "blk.0.attn_norm.weight": [`${layer}.input_layernorm.weight`, HIDDEN],
  };
}

const DECODER = {
  attention_bias: false,
  head_dim: HEAD,
  hidden_size: HIDDEN,
  intermediate_size: FFN,
  max_position_embeddings: 128,
  num_attention_heads: 2,
  num_hidden_layers: 1,
  num_key_value_heads: 1,
  rms_norm_eps: 1e-6,
};

const QWEN_PATTERN =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}" +
  "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

export function qwen3Folder(): Folder {
  const layer = "model.layers.0";
  return withTensors(
    {
      ...MODULES("lasttoken"),
      "config.json": {
        ...DECODER,
        architectures: ["Qwen3ForCausalLM"],
        hidden_act: "silu",
        rope_theta: 1_000_000,
        rope_scaling: null,
        use_sliding_window: false,
        vocab_size: 8,
      },
      "tokenizer.json": {
        added_tokens: [
          { id: 4, content: "<|endoftext|>", special: true },
          { id: 5, content: "<|fim|>", special: false },
          { id: 6, content: "<think>", special: false },
        ],
        normalizer: { type: "NFC" },
        pre_tokenizer: {
          type: "Sequence",
          pretokenizers: [
            {
              type: "Split",
              pattern: { Regex: QWEN_PATTERN },
              behavior: "Isolated",
              invert: false,
            },
            { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
          ],
        },
        post_processor: {
          type: "Sequence",
          processors: [{ type: "ByteLevel" }, template(undefined, "<|endoftext|>")],
        },
        model: {
          type: "BPE",
          vocab: { a: 0, b: 1, ab: 2, abb: 3 },
          merges: [
            ["a", "b"],
            ["ab", "b"],
          ],
        },
      },
      "tokenizer_config.json": {
        add_bos_token: false,
        bos_token: null,
        eos_token: "<|fim|>",
        pad_token: "<|endoftext|>",
      },
    },
    {
      ...decoderShapes("model.", 8, 2),
      "blk.0.ffn_norm.weight": [`${layer}.post_attention_layernorm.weight`, HIDDEN],
    },
  );
}

export const GEMMA_PIECES = ["<pad>", "<eos>", "<bos>", "<unk>", "<0x00>", "a", "b", "ab", "▁▁"];

export function gemmaFolder(): Folder {
  const layer = "layers.0";
  const dense = (name: string, sizes: object) => ({
    [`${name}/config.json`]: {
      ...sizes,
      bias: false,
      activation_function: "torch.nn.modules.linear.Identity",
    },
  });
  const base = withTensors(
    {
      "modules.json": [
        ...MODULES("mean")["modules.json"],
        { idx: 2, path: "2_Dense", type: "sentence_transformers.models.Dense" },
        { idx: 3, path: "3_Dense", type: "sentence_transformers.models.Dense" },
        { idx: 4, path: "4_Normalize", type: "sentence_transformers.models.Normalize" },
      ],
      "1_Pooling/config.json": { pooling_mode: "mean" },
      ...dense("2_Dense", { in_features: HIDDEN, out_features: FFN }),
      ...dense("3_Dense", { in_features: FFN, out_features: HIDDEN }),
      "config_sentence_transformers.json": { prompts: { query: "task: search result | query: " } },
      "config.json": {
        ...DECODER,
        architectures: ["Gemma3TextModel"],
        hidden_activation: "gelu_pytorch_tanh",
        attn_logit_softcapping: null,
        layer_types: ["sliding_attention"],
        query_pre_attn_scalar: HEAD,
        rope_local_base_freq: 10_000,
        rope_theta: 1_000_000,
        sliding_window: 512,
        use_bidirectional_attention: true,
        vocab_size: GEMMA_PIECES.length,
      },
      "tokenizer.json": {
        added_tokens: [
          ...special(GEMMA_PIECES.slice(0, 4)),
          { id: 8, content: "▁▁", special: false },
          // Beyond the table, as the token of images.
          { id: 9, content: "<image>", special: true },
        ],
        normalizer: { type: "Replace", pattern: { String: " " }, content: "▁" },
        post_processor: template("<bos>", "<eos>"),
        model: {
          type: "BPE",
          byte_fallback: true,
          unk_token: "<unk>",
          vocab: Object.fromEntries(GEMMA_PIECES.map((piece, id) => [piece, id])),
          merges: [["a", "b"]],
        },
      },
      "tokenizer_config.json": { bos_token: "<bos>", eos_token: "<eos>", pad_token: "<pad>" },
    },
    {
      ...decoderShapes("", GEMMA_PIECES.length, 2),
      "blk.0.post_attention_norm.weight": [`${layer}.post_attention_layernorm.weight`, HIDDEN],
      "blk.0.ffn_norm.weight": [`${layer}.pre_feedforward_layernorm.weight`, HIDDEN],
      "blk.0.post_ffw_norm.weight": [`${layer}.post_feedforward_layernorm.weight`, HIDDEN],
    },
  );
  return { ...base, dense: DENSE };
}

const DENSE = withTensors(
  {},
  {
    "dense_2.weight": ["2_Dense", FFN, HIDDEN],
    "dense_3.weight": ["3_Dense", HIDDEN, FFN],
  },
).tensors;

const WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "sun", "##s"];

export function nomicFolder(): Folder {
  const layer = "encoder.layers.0";
  const norm = (to: string, from: string): Shapes => ({
    [`${to}.weight`]: [`${from}.weight`, HIDDEN],
    [`${to}.bias`]: [`${from}.bias`, HIDDEN],
  });
  return withTensors(
    {
      ...MODULES("mean"),
      "config.json": {
        activation_function: "swiglu",
        architectures: ["NomicBertModel"],
        causal: false,
        layer_norm_epsilon: 1e-12,
        max_trained_positions: 2048,
        mlp_fc1_bias: false,
        mlp_fc2_bias: false,
        n_embd: HIDDEN,
        n_head: 2,
        n_inner: FFN,
        n_layer: 1,
        n_positions: 8192,
        prenorm: false,
        qkv_proj_bias: false,
        rotary_emb_base: 1000,
        rotary_emb_fraction: 1.0,
        rotary_emb_interleaved: false,
        rotary_emb_scale_base: null,
        type_vocab_size: 2,
        vocab_size: WORDS.length,
      },
      "vocab.txt": `${WORDS.join("\n")}\n`,
    },
    {
      "token_embd.weight": ["embeddings.word_embeddings.weight", WORDS.length, HIDDEN],
      "token_types.weight": ["embeddings.token_type_embeddings.weight", 2, HIDDEN],
      ...norm("token_embd_norm", "emb_ln"),
      "blk.0.attn_qkv.weight": [`${layer}.attn.Wqkv.weight`, 3 * HIDDEN, HIDDEN],
      "blk.0.attn_output.weight": [`${layer}.attn.out_proj.weight`, HIDDEN, HIDDEN],
      ...norm("blk.0.attn_output_norm", `${layer}.norm1`),
      "blk.0.ffn_up.weight": [`${layer}.mlp.fc11.weight`, FFN, HIDDEN],
      "blk.0.ffn_gate.weight": [`${layer}.mlp.fc12.weight`, FFN, HIDDEN],
      "blk.0.ffn_down.weight": [`${layer}.mlp.fc2.weight`, HIDDEN, FFN],
      ...norm("blk.0.layer_output_norm", `${layer}.norm2`),
    },
  );
}
