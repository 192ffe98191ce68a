import { attend, pool, type ReferenceOutput, splitHeads } from "./forward-parts.ts";
import { add, geluErf, layerNorm, linear, normalize, type Vector } from "./math.ts";
import type { ReferenceTensors } from "./tensors.ts";

export function forwardBert(w: ReferenceTensors, ids: ArrayLike<number>): ReferenceOutput {
  const { metadata } = w.file;
  const key = (name: string) => metadata.requireNumber(`bert.${name}`);
  const hidden = key("embedding_length");
  const size = hidden / key("attention.head_count");
  const eps = key("attention.layer_norm_epsilon");
  const norm = (x: Vector, name: string) =>
    layerNorm(x, w.all(`${name}.weight`), w.all(`${name}.bias`), eps);
  const affine = (x: Vector, name: string) =>
    add(linear(w.all(`${name}.weight`), x), w.all(`${name}.bias`));

  let x = Array.from(ids, (id, position) => {
    const word = w.row("token_embd.weight", id);
    const placed = add(word, w.row("position_embd.weight", position));
    const typed = add(placed, w.row("token_types.weight", 0));
    return norm(typed, "token_embd_norm");
  });
  const layers: Float64Array[][] = [];
  for (let layer = 0; layer < key("block_count"); layer++) {
    const b = `blk.${layer}.`;
    const project = (part: number) =>
      x.map((row) => {
        const name = `${b}attn_${"qkv"[part]}`;
        if (w.has(`${name}.weight`)) return splitHeads(affine(row, name), size);
        const fused = affine(row, `${b}attn_qkv`);
        return splitHeads(fused.slice(part * hidden, (part + 1) * hidden), size);
      });
    const attended = attend(project(0), project(1), project(2), 1, () => true);
    x = x.map((row, i) => {
      const output = affine(attended[i]!, `${b}attn_output`);
      return norm(add(row, output), `${b}attn_output_norm`);
    });
    x = x.map((row) => {
      const up = affine(row, `${b}ffn_up`).map(geluErf);
      return norm(add(row, affine(up, `${b}ffn_down`)), `${b}layer_output_norm`);
    });
    layers.push(x);
  }
  const embedding = normalize(pool(x, metadata.getNumber("bert.pooling_type")));
  return { layers, tokens: x, embedding };
}
