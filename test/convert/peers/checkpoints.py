"""Small seeded models, saved by transformers and sentence-transformers, with their own results.

`checkpoints.py OUT TEXTS.json GEMMA.json` makes a folder OUT/KIND for each kind of model, and then
OUT/results.json: for each kind, ids of the texts and their embeddings, by sentence-transformers in
float64.
"""

import json
import pathlib
import shutil
import sys

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import (
    Dense,
    Normalize,
    Pooling,
    Transformer,
)
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertModel,
    Gemma3TextConfig,
    Gemma3TextModel,
    NomicBertConfig,
    NomicBertModel,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3Model,
    XLMRobertaConfig,
    XLMRobertaModel,
)

QWEN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LAYERS = 7
"""One more than a period of Gemma's windows."""


def wordpiece(texts, _):
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=400, special_tokens=special, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = around(tokenizer, "[CLS]", "[SEP]", "[SEP]")
    names = ("pad", "unk", "cls", "sep", "mask")
    return fast(tokenizer, **dict(zip((f"{name}_token" for name in names), special)))


def byte_level(texts, _):
    end = "<|endoftext|>"
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=[end, "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(add_prefix_space=False, use_regex=False),
            processors.TemplateProcessing(
                single=f"$A {end}",
                pair=f"$A {end} $B {end}",
                special_tokens=[(end, tokenizer.token_to_id(end))],
            ),
        ]
    )
    return fast(tokenizer, pad_token=end, eos_token="<|im_end|>")


def unigram(texts, _):
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]
    )
    trainer = trainers.UnigramTrainer(
        vocab_size=300, special_tokens=special, unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer = single_precision(tokenizer)
    tokenizer.add_special_tokens(["<mask>"])
    tokenizer.post_processor = around(tokenizer, "<s>", "</s>", "</s> </s>")
    return fast(
        tokenizer,
        bos_token="<s>",
        cls_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
    )


def single_precision(tokenizer):
    """The scores of SentencePiece's own models, and of GGUF, are float32."""
    stored = json.loads(tokenizer.to_str())
    for piece in stored["model"]["vocab"]:
        piece[1] = float(torch.tensor(piece[1], dtype=torch.float32))
    return Tokenizer.from_str(json.dumps(stored))


def gemma(_, path):
    tokenizer = Tokenizer.from_file(path)
    tokenizer.post_processor = around(tokenizer, "<bos>", "<eos>", "<eos> <bos>")
    return fast(
        tokenizer, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>", unk_token="<unk>"
    )


def around(tokenizer, first, last, between):
    tokens = {first, last, *between.split()}
    return processors.TemplateProcessing(
        single=f"{first} $A {last}",
        pair=f"{first} $A {between} $B {last}",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in tokens],
    )


def fast(tokenizer, **special):
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special)


WIDE = 256
ENCODER = {
    "hidden_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 128,
}
DECODER = {
    "hidden_size": 64,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 32,
    "intermediate_size": 96,
    "max_position_embeddings": 512,
}


def bert(size, **sizes):
    config = BertConfig(vocab_size=size, max_position_embeddings=256, **ENCODER | sizes)
    return BertModel(config)


def bert_wide(size):
    """Rows of whole blocks of 256."""
    return bert(size, hidden_size=WIDE, intermediate_size=2 * WIDE)


def nomic(size):
    return NomicBertModel(NomicBertConfig(vocab_size=size, **ENCODER))


def xlmr(size):
    config = XLMRobertaConfig(
        vocab_size=size, max_position_embeddings=258, type_vocab_size=1, **ENCODER
    )
    return XLMRobertaModel(config)


def qwen3(size):
    return Qwen3Model(Qwen3Config(vocab_size=size, num_hidden_layers=3, **DECODER))


def gemma3(size):
    config = Gemma3TextConfig(
        # The table has no row for the token of images, the last of the vocabulary.
        vocab_size=size - 1,
        num_hidden_layers=LAYERS,
        sliding_window=16,
        query_pre_attn_scalar=32,
        use_bidirectional_attention=True,
        **DECODER,
    )
    return Gemma3TextModel(config)


PROMPTS = {"query": "find: ", "document": ""}
KINDS = {
    "bert-mean": (bert, wordpiece, "mean", ()),
    "bert-cls": (bert, wordpiece, "cls", ()),
    "bert-wide": (bert_wide, wordpiece, "mean", ()),
    "bert-unigram": (bert, unigram, "mean", ()),
    "xlm-roberta": (xlmr, unigram, "cls", ()),
    "qwen3": (qwen3, byte_level, "lasttoken", ()),
    "nomic-bert": (nomic, wordpiece, "mean", ()),
    "gemma-embedding": (gemma3, gemma, "mean", ((64, 256), (256, 64))),
}


def make(out, kind, texts, gemma_path):
    build, train, pooling, sizes = KINDS[kind]
    torch.manual_seed(1)
    tokenizer = train(texts, gemma_path)
    model = build(len(tokenizer))
    randomize(model)
    base = out / f"{kind}-base"
    # Small shards, so that there are several.
    shard = "100KB" if kind == "bert-cls" else "5GB"
    model.save_pretrained(base, max_shard_size=shard)
    tokenizer.save_pretrained(base)
    transformer = Transformer(str(base))
    dense = [
        Dense(a, b, bias=False, activation_function=torch.nn.Identity()) for a, b in sizes
    ]
    pool = Pooling(model.config.hidden_size, pooling_mode=pooling)
    modules = [transformer, pool, *dense, Normalize()]
    whole = SentenceTransformer(modules=modules, prompts=PROMPTS, device="cpu")
    whole.save(str(out / kind))
    if kind == "bert-cls":
        # sentence-transformers joins shards: put the others in their place.
        (out / kind / "model.safetensors").unlink()
        for part in base.glob("model*"):
            part.rename(out / kind / part.name)
    whole.double()
    vectors = [whole.encode([text], convert_to_numpy=True)[0].tolist() for text in texts]
    ids = [tokenizer(text)["input_ids"] for text in texts]
    shutil.rmtree(base)
    return {"ids": ids, "vectors": vectors}


def randomize(model):
    """Weights that no norm hides: biases and norms as transformers starts them are 0 and 1."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            scale = 0.2 if weight.dim() == 1 else weight.shape[-1] ** -0.5
            weight.add_(torch.randn_like(weight) * scale)


def main(out, texts, gemma_path):
    out = pathlib.Path(out)
    texts = json.loads(pathlib.Path(texts).read_text())
    results = {kind: make(out, kind, texts, gemma_path) for kind in KINDS}
    unfinished = out / "results.tmp"
    unfinished.write_text(json.dumps(results))
    unfinished.rename(out / "results.json")


main(*sys.argv[1:])
