"""A plain transformers folder of CLIP, far too small to know anything."""

from __future__ import annotations

from pathlib import Path

from .words import word_tokenizer

DIM = 24


def build(folder: Path) -> Path:
    """Save one with random weights into the folder; always the same."""
    import torch
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor

    tokenizer, ids = word_tokenizer(
        ["<start>", "<end>"], ends=("<start>", "<end>"), bos_token="<start>", eos_token="<end>", pad_token="<end>", model_max_length=77
    )
    layers = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = CLIPConfig(
        text_config={**layers, "vocab_size": len(ids), "bos_token_id": 0, "eos_token_id": ids["<end>"], "pad_token_id": ids["<end>"]},
        vision_config={**layers, "image_size": 32, "patch_size": 8},
        projection_dim=DIM,
    )
    torch.manual_seed(0)
    CLIPModel(config).save_pretrained(folder)
    processor = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    CLIPProcessor(image_processor=processor, tokenizer=tokenizer).save_pretrained(folder)
    return folder
