"""A tokenizer made on the spot: a few whole words, and single characters for all else."""

from __future__ import annotations

import string

WORDS = ["a", "the", "of", "at", "dog", "cat", "sea", "red", "blue", "photo", "barking", "word", "query", "title", "none", "text"]


def word_tokenizer(special, *, ends=None, lower=True, **settings):
    """Make one.

    Args:
        special: Tokens that stand for themselves; they get the first ids, in this order.
        ends: (first, last) put around every text; None where a chat template does that.
        lower: Whether it makes texts lower case; else it knows no capital letter.
        settings: Of transformers' tokenizer: `model_max_length`, `padding_side`, names of special tokens.

    Returns:
        (tokenizer of transformers, {token: id})
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    characters = string.ascii_lowercase + string.digits + string.punctuation
    tokens = dict.fromkeys([*special, "<unk>", *characters, *(f"##{one}" for one in characters), *WORDS])
    ids = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase() if lower else None
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    if ends:
        marks = [(mark, ids[mark]) for mark in ends]
        tokenizer.post_processor = processors.TemplateProcessing(single=f"{ends[0]} $A {ends[1]}", special_tokens=marks)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", **settings), ids
