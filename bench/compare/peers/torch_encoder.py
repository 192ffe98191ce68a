"""sentence-transformers on PyTorch: its modules, given batches as its `encode` would make them."""

import os

# A GPU is not what is compared.
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import sentence_transformers
import torch
from encoder import Encoder
from transformers.utils import logging
from worker import describe, serve

logging.disable_progress_bar()

ATTENTIONS = {"attention by PyTorch (sdpa)": "sdpa", "attention in steps (eager)": "eager"}


class SentenceTransformers(Encoder):
    def ready(self):
        capability = torch.backends.cpu.get_cpu_capability()
        system = f"{sentence_transformers.__version__}, PyTorch {torch.__version__}, {capability}"
        return describe(system, "float32")

    def load(self, model, threads):
        torch.set_num_threads(threads)
        for name, attention in ATTENTIONS.items():
            settings = {"attn_implementation": attention, "dtype": torch.float32}
            self.forwards[name] = self.open(model, settings)
        return {}

    def open(self, model, settings):
        encoder = sentence_transformers.SentenceTransformer(
            model, device="cpu", model_kwargs=settings, local_files_only=True
        )
        encoder.eval()

        def forward(inputs):
            with torch.inference_mode():
                return encoder(dict(inputs))["sentence_embedding"].numpy()

        return forward

    def make_inputs(self, ids, mask):
        tensors = {"input_ids": ids, "attention_mask": mask}
        return {name: torch.from_numpy(tensor) for name, tensor in tensors.items()}


serve(SentenceTransformers())
