"""ONNX Runtime on graphs that `export_onnx.py` wrote: as PyTorch exports it, and fused."""

import os

import onnxruntime

from encoder import Encoder
from worker import describe, serve

GRAPHS = {"fused graph": "fused.onnx", "plain graph": "plain.onnx"}


class OnnxRuntime(Encoder):
    def ready(self):
        system = f"{onnxruntime.__version__}, {onnxruntime.get_device()}"
        return describe(system, "float32")

    def load(self, model, threads):
        for name, graph in GRAPHS.items():
            self.forwards[name] = self.open(os.path.join(model, graph), threads)
        return {}

    def open(self, path, threads):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
        return lambda inputs: session.run(None, inputs)[0]

    def make_inputs(self, ids, mask):
        return {"input_ids": ids, "attention_mask": mask}


serve(OnnxRuntime())
