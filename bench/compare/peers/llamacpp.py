"""llama.cpp through the low-level API of llama-cpp-python, in ragged batches.

The batches are filled before the clock starts, so that no Python loop counts as llama.cpp's time:
measured are `llama_decode` and the copy of the pooled vectors, nothing else.
"""

import ctypes
import importlib.machinery
import sys
import time
import types

from tuning import fastest
from worker import Worker, base64_floats, describe, normalize, serve


def import_low_level():
    """`llama_cpp.llama_cpp` alone: the package around it would count as llama.cpp's memory."""
    spec = importlib.machinery.PathFinder.find_spec("llama_cpp", sys.path)
    package = types.ModuleType("llama_cpp")
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules["llama_cpp"] = package
    import llama_cpp.llama_cpp as low_level

    return low_level


llama = import_low_level()

TEXTS_MAX = 256
"""Sequences that llama.cpp allows in one context."""

LOADINGS = {
    "as llama.cpp chooses": {},
    "no repacking": {"use_extra_bufts": False},
    "read instead of mapped": {"load_mode": llama.LLAMA_LOAD_MODE_NONE},
    "no repacking, rows of the embedding table on demand": {
        "use_extra_bufts": False,
        "load_mode": llama.LLAMA_LOAD_MODE_MMAP,
        "lazy_mode": llama.LLAMA_LAZY_MODE_ON,
    },
}
FLASH = {
    "on": llama.LLAMA_FLASH_ATTN_TYPE_ENABLED,
    "off": llama.LLAMA_FLASH_ATTN_TYPE_DISABLED,
}
DECODE_TOKENS = (64, 128, 256, 512, 1024, 2048)
"""How many tokens go into one `llama_decode`: its attention is quadratic in them."""


def load_model(path, loading):
    params = llama.llama_model_default_params()
    for key, value in LOADINGS[loading].items():
        setattr(params, key, value)
    model = llama.llama_model_load_from_file(path.encode(), params)
    if not model:
        raise RuntimeError(f"llama.cpp cannot load {path}")
    return model


class Context:
    """One `llama_context`: threads, flash attention, and room for so many tokens in a decode."""

    def __init__(self, model, threads, tokens_max, flash):
        params = llama.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = tokens_max
        params.n_seq_max = min(TEXTS_MAX, tokens_max)
        params.kv_unified = True
        params.n_threads = params.n_threads_batch = threads
        params.embeddings = True
        params.flash_attn_type = FLASH[flash]
        self.handle = llama.llama_init_from_model(model, params)
        if not self.handle:
            raise RuntimeError("llama.cpp cannot make a context")

    def free(self):
        llama.llama_free(self.handle)


class Batches:
    """All texts of a case as filled `llama_batch`es of at most `tokens_max` tokens."""

    def __init__(self, ids, tokens_max):
        self.parts = []
        for texts in split(ids, tokens_max):
            self.parts.append((fill(texts), len(texts)))

    def run(self, context, copies, dimensions):
        """Embeds everything and copies the vectors into `copies`, a buffer a text."""
        texts = iter(copies)
        bytes_each = dimensions * ctypes.sizeof(ctypes.c_float)
        memory = llama.llama_get_memory(context.handle)
        for batch, count in self.parts:
            # A causal model remembers keys and values of what it saw; an encoder has no memory.
            if memory:
                llama.llama_memory_clear(memory, False)
            if llama.llama_decode(context.handle, batch) != 0:
                raise RuntimeError("llama_decode failed")
            for sequence in range(count):
                vector = llama.llama_get_embeddings_seq(context.handle, sequence)
                ctypes.memmove(next(texts), vector, bytes_each)

    def free(self):
        for batch, _ in self.parts:
            llama.llama_batch_free(batch)


def split(ids, tokens_max):
    part, tokens = [], 0
    for text in ids:
        if part and (tokens + len(text) > tokens_max or len(part) == TEXTS_MAX):
            yield part
            part, tokens = [], 0
        part.append(text)
        tokens += len(text)
    yield part


def fill(texts):
    batch = llama.llama_batch_init(sum(map(len, texts)), 0, 1)
    for sequence, text in enumerate(texts):
        for position, token in enumerate(text):
            at = batch.n_tokens
            batch.token[at] = token
            batch.pos[at] = position
            batch.n_seq_id[at] = 1
            batch.seq_id[at][0] = sequence
            batch.logits[at] = 1
            batch.n_tokens += 1
    return batch


class Case:
    def __init__(self, model, threads, ids, tokens_max, flash):
        self.tokens_max = tokens_max
        self.context = Context(model, threads, max(tokens_max, max(map(len, ids))), flash)
        self.batches = Batches(ids, tokens_max)
        self.dimensions = llama.llama_model_n_embd_out(model)
        self.copies = [(ctypes.c_float * self.dimensions)() for _ in ids]
        self.name = f"{tokens_max} tokens a decode, flash attention {flash}"

    def run(self):
        start = time.perf_counter()
        self.batches.run(self.context, self.copies, self.dimensions)
        return time.perf_counter() - start

    def free(self):
        self.batches.free()
        self.context.free()


def best_case(model, threads, ids):
    """The fastest of the settings: how many tokens in a decode first, then flash attention."""
    longest, total = max(map(len, ids)), sum(map(len, ids))
    # The smallest that holds all is the last worth trying.
    sizes = [size for size in DECODE_TOKENS if size >= longest]
    enough = next((i for i, size in enumerate(sizes) if size >= total), len(sizes) - 1)
    sizes = sizes[: enough + 1] or [longest]
    best = fastest(Case(model, threads, ids, size, "on") for size in sizes)
    return fastest([best, Case(model, threads, ids, best.tokens_max, "off")])


class LlamaCpp(Worker):
    def __init__(self):
        llama.llama_log_set(silent, None)
        llama.llama_backend_init()
        self.models = {}
        self.cases = {}

    def ready(self):
        return describe(llama.llama_print_system_info().decode().strip(), "int8", LOADINGS)

    def load(self, model, threads):
        if model not in self.models:
            self.models[model] = load_model(model, next(iter(LOADINGS)))
        return {}

    def prepare(self, case, model, threads, texts, ids):
        self.cases[case] = best_case(self.models[model], threads, ids)
        return {"settings": self.cases[case].name}

    def run(self, case, times):
        return {"seconds": [self.cases[case].run() for _ in range(times)]}

    def vectors(self, case):
        return {"vectors": [base64_floats(normalize(copy)) for copy in self.cases[case].copies]}

    def release(self, case):
        self.cases.pop(case).free()
        return {}

    def first(self, model, threads, text, loading):
        """From the file to the first vector, tokenizer included."""
        start = time.perf_counter()
        handle = load_model(model, loading)
        ids = tokenize(handle, text)
        case = Case(handle, threads, [ids], DECODE_TOKENS[0], "on")
        case.run()
        seconds = time.perf_counter() - start
        return {"seconds": seconds, "vector": base64_floats(normalize(case.copies[0]))}

    def once(self, model, threads, texts, loading):
        """Opens the model and embeds the texts once: for the peak of memory.

        llama.cpp reserves a logit for each token of a decode and word of the vocabulary, so few
        tokens a decode need the least: at its fastest it needs twice as much.
        """
        handle = load_model(model, loading)
        ids = [tokenize(handle, text) for text in texts]
        case = Case(handle, threads, ids, DECODE_TOKENS[0], "on")
        case.run()
        return {"vectors": [base64_floats(normalize(copy)) for copy in case.copies]}


@llama.llama_log_callback
def silent(level, text, user_data):
    pass


def tokenize(model, text):
    encoded = text.encode()
    tokens = (llama.llama_token * (len(encoded) + 8))()
    vocab = llama.llama_model_get_vocab(model)
    count = llama.llama_tokenize(vocab, encoded, len(encoded), tokens, len(tokens), True, True)
    return tokens[:count]


serve(LlamaCpp())
