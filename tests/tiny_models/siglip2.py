"""A plain transformers folder of SigLIP 2 for pictures of any shape."""

from __future__ import annotations

from pathlib import Path

from .words import word_tokenizer

DIM = 32


def build(folder: Path) -> Path:
    """Save one with random weights into the folder; always the same."""
    import torch
    from transformers import Siglip2Config, Siglip2ImageProcessor, Siglip2Model, Siglip2Processor

    tokenizer, ids = word_tokenizer(["<pad>", "<eos>", "<bos>"], bos_token="<bos>", eos_token="<eos>", pad_token="<pad>")
    layers = {"hidden_size": DIM, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = Siglip2Config(
        text_config={**layers, "vocab_size": len(ids), "pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 2},
        vision_config={**layers, "patch_size": 16, "num_patches": 256},
    )
    torch.manual_seed(0)
    Siglip2Model(config).save_pretrained(folder)
    Siglip2Processor(image_processor=Siglip2ImageProcessor(), tokenizer=tokenizer).save_pretrained(folder)
    return folder
