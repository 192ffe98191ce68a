"""What the peers share that run MiniLM on padded batches of sorted texts."""

import time

import numpy

from tuning import fastest
from worker import Worker, base64_floats

BATCH_SIZES = (16, 32, 64, 128, 256, 8)
"""Texts in a call."""


class PaddedBatches:
    """All texts, sorted by length, cut into batches that are padded to their longest.

    Made before the clock starts, so that neither sorting nor padding counts as the peer's time.
    """

    def __init__(self, ids, texts_max, make_inputs):
        order = sorted(range(len(ids)), key=lambda text: len(ids[text]))
        self.parts = []
        for start in range(0, len(order), texts_max):
            texts = order[start : start + texts_max]
            self.parts.append((texts, make_inputs(*pad([ids[text] for text in texts]))))


def pad(ids):
    width = max(map(len, ids))
    padded = numpy.zeros((len(ids), width), dtype=numpy.int64)
    mask = numpy.zeros((len(ids), width), dtype=numpy.int64)
    for row, text in enumerate(ids):
        padded[row, : len(text)] = text
        mask[row, : len(text)] = 1
    return padded, mask


class Candidate:
    """A setting: a function from a batch's inputs to its vectors, and texts in a batch."""

    def __init__(self, name, forward, batches, count):
        self.name = name
        self.forward = forward
        self.batches = batches
        self.vectors = [None] * count

    def run(self):
        start = time.perf_counter()
        for texts, inputs in self.batches.parts:
            for text, vector in zip(texts, self.forward(inputs)):
                self.vectors[text] = vector
        return time.perf_counter() - start

    def free(self):
        pass


class Encoder(Worker):
    """A subclass opens a model, and has `forwards`: names and functions to choose from."""

    def __init__(self):
        self.forwards = {}
        self.cases = {}

    def make_inputs(self, ids, mask):
        raise NotImplementedError

    def prepare(self, case, model, threads, texts, ids):
        def candidates(name, forward):
            for size in BATCH_SIZES:
                batches = PaddedBatches(ids, size, self.make_inputs)
                yield Candidate(f"{name}, {size} texts a call", forward, batches, len(ids))

        best_each = [fastest(candidates(*forward)) for forward in self.forwards.items()]
        self.cases[case] = fastest(best_each)
        return {"settings": self.cases[case].name}

    def run(self, case, times):
        return {"seconds": [self.cases[case].run() for _ in range(times)]}

    def vectors(self, case):
        return {"vectors": [base64_floats(vector) for vector in self.cases[case].vectors]}

    def release(self, case):
        del self.cases[case]
        return {}
