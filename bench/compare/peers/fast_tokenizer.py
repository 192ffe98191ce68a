"""Hugging Face `tokenizers` on one thread.

Its faster way counts: with offsets, or without, as its `encode_batch_fast` works. Making a Python
list of the ids does not count.
"""

import os

# Read when the library first runs something.
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

import time

import tokenizers
from tuning import fastest
from worker import Worker, base64_ints, describe, serve

TUNING_TEXTS = 2


class Candidate:
    def __init__(self, name, encode, texts):
        self.name = name
        self.encode = encode
        self.texts = texts

    def run(self):
        start = time.perf_counter()
        for text in self.texts:
            self.encode(text)
        return time.perf_counter() - start

    def free(self):
        pass


class Case:
    def __init__(self, tokenizer, texts):
        self.texts = texts
        self.encodings = [None] * len(texts)
        self.next = 0
        ways = {
            "encode": lambda text: tokenizer.encode(text, add_special_tokens=False),
            "encode_batch_fast": lambda text: tokenizer.encode_batch_fast(
                [text], add_special_tokens=False
            )[0],
        }
        trial = texts[:TUNING_TEXTS]
        self.best = fastest(Candidate(name, encode, trial) for name, encode in ways.items())

    def run_next(self):
        at = self.next % len(self.texts)
        self.next += 1
        start = time.perf_counter()
        self.encodings[at] = self.best.encode(self.texts[at])
        return time.perf_counter() - start


class Tokenizers(Worker):
    def __init__(self):
        self.cases = {}

    def ready(self):
        return describe(tokenizers.__version__, "int8")

    def prepare_tokens(self, case, model, texts):
        self.cases[case] = Case(tokenizers.Tokenizer.from_file(model), texts)
        return {"settings": self.cases[case].best.name}

    def run_tokens(self, case, times):
        return {"seconds": [self.cases[case].run_next() for _ in range(times)]}

    def tokens(self, case):
        return {"ids": [base64_ints(each.ids) for each in self.cases[case].encodings]}

    def release(self, case):
        del self.cases[case]
        return {}


serve(Tokenizers())
