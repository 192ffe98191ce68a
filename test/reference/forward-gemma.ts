import type { Metadata } from "../../src/gguf/types.ts";
import { attend, pool, type ReferenceOutput, splitHeads } from "./forward-parts.ts";
import {
  add,
  geluTanh,
  linear,
  multiply,
  normalize,
  rmsNorm,
  rope,
  scale,
  type Vector,
} from "./math.ts";
import type { ReferenceTensors } from "./tensors.ts";

export function forwardGemma(w: ReferenceTensors, ids: ArrayLike<number>): ReferenceOutput {
  const { metadata } = w.file;
  const key = (name: string) => metadata.requireNumber(`gemma-embedding.${name}`);
  const hidden = key("embedding_length");
  const heads = key("attention.head_count");
  const groups = key("attention.head_count_kv");
  const size = key("attention.key_length");
  const eps = key("attention.layer_norm_rms_epsilon");
  const window = key("attention.sliding_window");
  const norm = (x: Vector, name: string) => rmsNorm(x, w.all(`${name}.weight`), eps);

  let x = Array.from(ids, (id) => scale(w.row("token_embd.weight", id), Math.sqrt(hidden)));
  const layers: Float64Array[][] = [];
  for (let layer = 0; layer < key("block_count"); layer++) {
    const isGlobal = isGlobalLayer(metadata, layer);
    const base = isGlobal ? key("rope.freq_base") : 1e4;
    const isVisible = (i: number, j: number) => isGlobal || 2 * Math.abs(i - j) <= window;
    const b = `blk.${layer}.`;

    const normed = x.map((row) => norm(row, `${b}attn_norm`));
    const project = (name: string) =>
      normed.map((row) => splitHeads(linear(w.all(`${b}${name}.weight`), row), size));
    const turn = (rows: Float64Array[][], name: string) =>
      rows.map((row, i) => row.map((head) => rope(norm(head, `${b}${name}`), i, base)));
    const q = turn(project("attn_q"), "attn_q_norm");
    const k = turn(project("attn_k"), "attn_k_norm");
    const v = project("attn_v");
    const attended = attend(q, k, v, heads / groups, isVisible);
    x = x.map((row, i) => {
      const output = linear(w.all(`${b}attn_output.weight`), attended[i]!);
      return add(row, norm(output, `${b}post_attention_norm`));
    });

    x = x.map((row) => {
      const input = norm(row, `${b}ffn_norm`);
      const gate = linear(w.all(`${b}ffn_gate.weight`), input).map(geluTanh);
      const up = linear(w.all(`${b}ffn_up.weight`), input);
      const down = linear(w.all(`${b}ffn_down.weight`), multiply(gate, up));
      return add(row, norm(down, `${b}post_ffw_norm`));
    });
    layers.push(x);
  }
  const tokens = x.map((row) => norm(row, "output_norm"));
  let pooled = pool(tokens, metadata.getNumber("gemma-embedding.pooling_type"));
  for (const dense of ["dense_2.weight", "dense_3.weight"]) {
    if (w.has(dense)) pooled = linear(w.all(dense), pooled);
  }
  return { layers, tokens, embedding: normalize(pooled) };
}

/** Layers 5, 11, … see the whole text, unless the file has a pattern of its own. */
function isGlobalLayer(metadata: Metadata, layer: number): boolean {
  const key = "gemma-embedding.attention.sliding_window_pattern";
  const own = metadata.entries.get(key)?.value;
  if (typeof own === "object") return Number(metadata.getNumbers(key)!.values[layer]) === 0;
  return (layer + 1) % ((own as number | undefined) ?? 6) === 0;
}
