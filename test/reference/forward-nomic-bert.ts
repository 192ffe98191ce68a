import { attend, pool, type ReferenceOutput, splitHeads } from "./forward-parts.ts";
import { add, layerNorm, linear, multiply, normalize, rope, silu, type Vector } from "./math.ts";
import type { ReferenceTensors } from "./tensors.ts";

export function forwardNomicBert(w: ReferenceTensors, ids: ArrayLike<number>): ReferenceOutput {
  const { metadata } = w.file;
  const key = (name: string) => metadata.requireNumber(`nomic-bert.${name}`);
  const hidden = key("embedding_length");
  const size = hidden / key("attention.head_count");
  const eps = key("attention.layer_norm_epsilon");
  const base = key("rope.freq_base");
  const norm = (x: Vector, name: string) =>
    layerNorm(x, w.all(`${name}.weight`), w.all(`${name}.bias`), eps);
  const product = (x: Vector, name: string) => {
    const result = linear(w.all(`${name}.weight`), x);
    return w.has(`${name}.bias`) ? add(result, w.all(`${name}.bias`)) : result;
  };

  let x = Array.from(ids, (id) => {
    const typed = add(w.row("token_embd.weight", id), w.row("token_types.weight", 0));
    return norm(typed, "token_embd_norm");
  });
  const layers: Float64Array[][] = [];
  for (let layer = 0; layer < key("block_count"); layer++) {
    const b = `blk.${layer}.`;
    const heads = x.map((row) => splitHeads(product(row, `${b}attn_qkv`), size));
    const count = hidden / size;
    const part = (n: number) => heads.map((row) => row.slice(n * count, (n + 1) * count));
    const turned = (n: number) => part(n).map((row, i) => row.map((head) => rope(head, i, base)));
    const attended = attend(turned(0), turned(1), part(2), 1, () => true);
    x = x.map((row, i) => {
      const output = product(attended[i]!, `${b}attn_output`);
      return norm(add(row, output), `${b}attn_output_norm`);
    });
    x = x.map((row) => {
      const gate = product(row, `${b}ffn_gate`).map(silu);
      const up = product(row, `${b}ffn_up`);
      const down = product(multiply(gate, up), `${b}ffn_down`);
      return norm(add(row, down), `${b}layer_output_norm`);
    });
    layers.push(x);
  }
  const embedding = normalize(pool(x, metadata.getNumber("nomic-bert.pooling_type")));
  return { layers, tokens: x, embedding };
}
