"""A Sentence Transformers folder of a model that knows text alone, saved as they were before there was anything else."""

from __future__ import annotations

import json
from pathlib import Path

from .words import word_tokenizer

DIM = 32


def build(folder: Path) -> Path:
    """Save one with random weights into the folder; always the same."""
    import torch
    from transformers import BertConfig, BertModel

    tokenizer, ids = word_tokenizer(
        ["[PAD]", "[CLS]", "[SEP]"], ends=("[CLS]", "[SEP]"), pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]"
    )
    config = BertConfig(
        vocab_size=len(ids), hidden_size=DIM, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=128
    )
    torch.manual_seed(0)
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    pooling = {"word_embedding_dimension": DIM, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    ]
    (folder / "1_Pooling").mkdir()
    for name, content in {
        "modules.json": modules,
        "1_Pooling/config.json": pooling,
        "sentence_bert_config.json": {"max_seq_length": 100, "do_lower_case": False},
    }.items():
        (folder / name).write_text(json.dumps(content))
    return folder
