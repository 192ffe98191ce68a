import { attend, pool, type ReferenceOutput, splitHeads } from "./forward-parts.ts";
import { add, linear, multiply, normalize, rmsNorm, rope, silu, type Vector } from "./math.ts";
import type { ReferenceTensors } from "./tensors.ts";

export function forwardQwen3(w: ReferenceTensors, ids: ArrayLike<number>): ReferenceOutput {
  const { metadata } = w.file;
  const key = (name: string) => metadata.requireNumber(`qwen3.${name}`);
  const size = key("attention.key_length");
  const share = key("attention.head_count") / key("attention.head_count_kv");
  const eps = key("attention.layer_norm_rms_epsilon");
  const base = key("rope.freq_base");
  const isCausal = metadata.getBoolean("qwen3.attention.causal") ?? true;
  const norm = (x: Vector, name: string) => rmsNorm(x, w.all(`${name}.weight`), eps);
  const product = (x: Vector, name: string) => linear(w.all(`${name}.weight`), x);

  let x: Float64Array[] = Array.from(ids, (id) =>
    Float64Array.from(w.row("token_embd.weight", id)),
  );
  const layers: Float64Array[][] = [];
  for (let layer = 0; layer < key("block_count"); layer++) {
    const b = `blk.${layer}.`;
    const normed = x.map((row) => norm(row, `${b}attn_norm`));
    const heads = (name: string) =>
      normed.map((row) => splitHeads(product(row, `${b}attn_${name}`), size));
    const turned = (name: string) =>
      heads(name).map((row, i) =>
        row.map((head) => rope(norm(head, `${b}attn_${name}_norm`), i, base)),
      );
    const isVisible = (i: number, j: number) => !isCausal || j <= i;
    const attended = attend(turned("q"), turned("k"), heads("v"), share, isVisible);
    x = x.map((row, i) => add(row, product(attended[i]!, `${b}attn_output`)));
    x = x.map((row) => {
      const input = norm(row, `${b}ffn_norm`);
      const gate = product(input, `${b}ffn_gate`).map(silu);
      const up = product(input, `${b}ffn_up`);
      return add(row, product(multiply(gate, up), `${b}ffn_down`));
    });
    layers.push(x);
  }
  const tokens = x.map((row) => norm(row, "output_norm"));
  return { layers, tokens, embedding: normalize(pool(tokens, key("pooling_type"))) };
}
