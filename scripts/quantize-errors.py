"""Squared errors of the tensors of some GGUF files, by gguf-py's reading of their blocks.

    python quantize-errors.py FLOATS.gguf FILE.gguf...

Prints one JSON object for each FILE: by tensor of FLOATS its type in FILE and, where the bytes are
others, the sum of its squared errors over that of its squares.
"""
import json
import sys

import numpy as np
from gguf import GGUFReader, quants


def tensors(path):
    return {tensor.name: tensor for tensor in GGUFReader(path).tensors}


def floats(tensor):
    return quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float64)


sources = tensors(sys.argv[1])
for path in sys.argv[2:]:
    found = tensors(path)
    result = {}
    for name, source in sources.items():
        tensor = found[name]
        error = None
        if tensor.tensor_type != source.tensor_type:
            values = floats(source)
            error = float(((floats(tensor) - values) ** 2).sum() / (values**2).sum())
        elif not np.array_equal(tensor.data, source.data):
            raise SystemExit(f"{path}: {name} changed, and kept its type")
        result[name] = [tensor.tensor_type.name, error]
    print(json.dumps(result))
