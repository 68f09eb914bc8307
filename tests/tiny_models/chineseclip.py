"""A Sentence Transformers folder of Chinese CLIP: of a kind that anyseek knows nothing about."""

from __future__ import annotations

from pathlib import Path

from .words import word_tokenizer

DIM = 24


def build(folder: Path) -> Path:
    """Save one with random weights into the folder; always the same."""
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers import ChineseCLIPConfig, ChineseCLIPImageProcessor, ChineseCLIPModel, ChineseCLIPProcessor

    tokenizer, ids = word_tokenizer(
        ["[PAD]", "[CLS]", "[SEP]"], ends=("[CLS]", "[SEP]"), pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]", model_max_length=52
    )
    layers = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = ChineseCLIPConfig(
        text_config={**layers, "vocab_size": len(ids), "max_position_embeddings": 64},
        vision_config={**layers, "image_size": 32, "patch_size": 8},
        projection_dim=DIM,
    )
    torch.manual_seed(0)
    backbone = folder / "backbone"
    ChineseCLIPModel(config).save_pretrained(backbone)
    processor = ChineseCLIPImageProcessor(size={"height": 32, "width": 32}, do_center_crop=False)
    ChineseCLIPProcessor(image_processor=processor, tokenizer=tokenizer).save_pretrained(backbone)
    SentenceTransformer(str(backbone), device="cpu", local_files_only=True).save_pretrained(str(folder / "model"))
    return folder / "model"
