#!/usr/bin/env python3
"""What Hugging Face `tokenizers` makes of texts: JSON lines come in, JSON lines go out.

    tokenizers-reference.py gemma TOKENIZER_JSON      text -> ids
    tokenizers-reference.py wordpiece VOCAB_TXT_GZ    text -> ids
    tokenizers-reference.py words                     text -> BERT's normalised words
    tokenizers-reference.py merges                    {pieces, scores, texts} -> ids of each text
    tokenizers-reference.py byte-level                {text, ids} -> ids of text, text of ids
    tokenizers-reference.py byte-words PRE            text -> words, in characters for bytes
    tokenizers-reference.py byte-merges               {pre, pieces, merges, texts} -> ids of each
    tokenizers-reference.py unigram                   text -> [ids, what they decode to]
    tokenizers-reference.py paths                     {pieces, scores, texts} -> ids of each text
    tokenizers-reference.py charsmaps                 {charsmap, texts} -> each text normalised

PRE is a value of `tokenizer.ggml.pre`. The first line for byte-level is a vocabulary: {pre, pieces,
merges, added: [{id, special}]}; that for unigram is {pieces: [[text, score]], unknown, special: [id],
charsmap}, a charsmap being base64.
"""
import base64
import gzip
import json
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

# The model has embeddings for so many; `<image_soft_token>` comes after them.
GEMMA_SIZE = 262144
# BERT's model looks at no more characters of a word; longer ones are told by their length.
WORD_MAX = 100


def encoder(tokenizer):
    return lambda text: tokenizer.encode(text, add_special_tokens=False).ids


def gemma(path):
    with open(path, encoding="utf-8") as file:
        spec = json.load(file)
    spec["added_tokens"] = [token for token in spec["added_tokens"] if token["id"] < GEMMA_SIZE]
    return encoder(Tokenizer.from_str(json.dumps(spec)))


def wordpiece(path):
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        vocabulary = {line.rstrip("\n"): number for number, line in enumerate(file)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    return encoder(tokenizer)


def words():
    normalizer, pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()

    def cut(text):
        normalized = normalizer.normalize_str(text)
        words = [word for word, _ in pre_tokenizer.pre_tokenize_str(normalized)]
        return [word if len(word) <= WORD_MAX else len(word) for word in words]

    return cut


def merges():
    def answer(case):
        encode = scored_bpe(case["pieces"], case["scores"])
        return [encode(text) for text in case["texts"]]

    return answer


def scored_bpe(pieces, scores):
    """The merge list of a SentencePiece model, in the order that `transformers` gives it
    (`generate_merges` of its `convert_slow_tokenizer`)."""
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    pairs = [
        (score, cut, len(piece) - cut, piece)
        for piece, score in zip(pieces, scores)
        for cut in range(1, len(piece))
        if not piece.startswith("<") and piece[:cut] in vocabulary and piece[cut:] in vocabulary
    ]
    pairs.sort(key=lambda pair: pair[:3], reverse=True)
    ranked = [(piece[:cut], piece[cut:]) for _, cut, _, piece in pairs]
    model = models.BPE(vocabulary, ranked, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Replace(" ", "\u2581")
    return encoder(tokenizer)


def unigram():
    """XLM-RoBERTa's tokenizer, as `transformers` builds it, of what a GGUF file holds."""
    spec = json.loads(sys.stdin.readline())
    tokenizer = xlm_roberta(spec["pieces"], spec["unknown"], base64.b64decode(spec["charsmap"]))
    special = [spec["pieces"][number][0] for number in spec["special"]]
    tokenizer.add_special_tokens(
        [AddedToken(text, lstrip=text == "<mask>", normalized=False) for text in special]
    )

    def answer(text):
        ids = encoder(tokenizer)(text)
        return [ids, tokenizer.decode(ids, skip_special_tokens=True)]

    return answer


def xlm_roberta(pieces, unknown, charsmap=None):
    tokenizer = Tokenizer(models.Unigram([tuple(piece) for piece in pieces], unknown))
    if charsmap is not None:
        tokenizer.normalizer = normalizers.Precompiled(charsmap)
    metaspace = {"replacement": "\u2581", "prepend_scheme": "always"}
    steps = [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(**metaspace)]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    tokenizer.decoder = decoders.Metaspace(**metaspace)
    return tokenizer


def paths():
    def answer(case):
        encode = encoder(xlm_roberta(list(zip(case["pieces"], case["scores"])), 0))
        return [encode(text) for text in case["texts"]]

    return answer


# Of the `tokenizer.json` of Llama 3 and Qwen2.
PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}DIGITS"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
DIGITS = {"llama-bpe": "{1,3}", "qwen2": ""}
NFC = {"qwen2", "modern-bert"}


def byte_pre_tokenizer(pre):
    if pre not in DIGITS:
        return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    split = pre_tokenizers.Split(Regex(PATTERN.replace("DIGITS", DIGITS[pre])), "isolated")
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return pre_tokenizers.Sequence([split, byte_level])


def byte_bpe(pre, pieces, merges, added=()):
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    pairs = [tuple(merge.split(" ")) for merge in merges]
    tokenizer = Tokenizer(models.BPE(vocabulary, pairs, ignore_merges=pre == "llama-bpe"))
    if pre in NFC:
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = byte_pre_tokenizer(pre)
    tokenizer.decoder = decoders.ByteLevel()
    for token in added:
        content = AddedToken(pieces[token["id"]], normalized=False, special=token["special"])
        (tokenizer.add_special_tokens if token["special"] else tokenizer.add_tokens)([content])
    return tokenizer


def byte_level():
    tokenizer = byte_bpe(**json.loads(sys.stdin.readline()))
    encode = encoder(tokenizer)
    return lambda asked: {"ids": encode(asked["text"]), "text": tokenizer.decode(asked["ids"])}


def byte_words(pre):
    normalize = normalizers.NFC().normalize_str if pre in NFC else str
    cut = byte_pre_tokenizer(pre).pre_tokenize_str
    return lambda text: [word for word, _ in cut(normalize(text))]


def byte_merges():
    def answer(case):
        encode = encoder(byte_bpe(case["pre"], case["pieces"], case["merges"]))
        return [encode(text) for text in case["texts"]]

    return answer


def charsmaps():
    def answer(case):
        normalize = normalizers.Precompiled(base64.b64decode(case["charsmap"])).normalize_str
        return [normalize(text) for text in case["texts"]]

    return answer


KINDS = {
    "gemma": gemma,
    "wordpiece": wordpiece,
    "words": words,
    "merges": merges,
    "byte-level": byte_level,
    "byte-words": byte_words,
    "byte-merges": byte_merges,
    "unigram": unigram,
    "paths": paths,
    "charsmaps": charsmaps,
}


def main(kind, *paths):
    answer = KINDS[kind](*paths)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line)), separators=(",", ":"), ensure_ascii=False))


if __name__ == "__main__":
    main(*sys.argv[1:])
