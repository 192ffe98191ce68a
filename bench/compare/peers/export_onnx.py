"""export_onnx.py MODEL OUT: MiniLM, from token ids to normalised vectors, as ONNX graphs.

`plain.onnx` is what PyTorch exports; `fused.onnx` is that after ONNX Runtime's optimizer for
transformers. Both hold float32 weights.
"""

import os
import sys
import warnings

import torch
from onnxruntime.transformers import optimizer
from onnxruntime.transformers.fusion_options import FusionOptions
from transformers import BertModel

OPSET = 17
INPUTS = ["input_ids", "attention_mask"]


class Embedder(torch.nn.Module):
    """The model with mean pooling and normalisation, as sentence-transformers defines them."""

    def __init__(self, bert):
        super().__init__()
        self.bert = bert

    def forward(self, input_ids, attention_mask):
        hidden = self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * mask).sum(1) / mask.sum(1)
        return torch.nn.functional.normalize(mean, dim=1)


def export(model, path):
    bert = BertModel.from_pretrained(model, attn_implementation="eager", dtype=torch.float32).eval()
    ids = torch.ones(2, 8, dtype=torch.long)
    mask = torch.ones(2, 8, dtype=torch.long)
    mask[1, 5:] = 0
    torch.onnx.export(
        Embedder(bert),
        (ids, mask),
        path,
        input_names=INPUTS,
        output_names=["vectors"],
        dynamic_axes={name: {0: "texts", 1: "tokens"} for name in INPUTS} | {"vectors": {0: "texts"}},
        opset_version=OPSET,
        # The optimizer knows the patterns of this exporter.
        dynamo=False,
    )
    return bert.config


def fuse(plain, fused, config):
    model = optimizer.optimize_model(
        plain,
        model_type="bert",
        num_heads=config.num_attention_heads,
        hidden_size=config.hidden_size,
        optimization_options=FusionOptions("bert"),
        opt_level=0,
    )
    counts = model.get_fused_operator_statistics()
    layers = config.num_hidden_layers
    wanted = {"Attention": layers, "BiasGelu": layers, "SkipLayerNormalization": 2 * layers}
    missing = [name for name, count in wanted.items() if counts.get(name) != count]
    if missing:
        raise RuntimeError(f"the optimizer did not fuse {', '.join(missing)}: {counts}")
    model.save_model_to_file(fused)


def main(model, out):
    warnings.simplefilter("ignore")
    plain = os.path.join(out, "plain.onnx")
    config = export(model, plain)
    fuse(plain, os.path.join(out, "fused.onnx"), config)


main(*sys.argv[1:])
