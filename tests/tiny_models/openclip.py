"""Folders as OpenCLIP saves them, with its own tokenizer or with one of transformers, and with either kind of text tower."""

from __future__ import annotations

import json
from pathlib import Path

from .words import word_tokenizer

DIM = 32
CONTEXT = 32
VISION = {"image_size": 32, "layers": 2, "width": 64, "head_width": 32, "patch_size": 8}
TEXT = {"context_length": CONTEXT, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2}
PREPROCESS = {"mean": [0.48, 0.46, 0.41], "std": [0.27, 0.26, 0.28], "interpolation": "bicubic", "resize_mode": "shortest"}


def build(folder: Path) -> Path:
    """Save one with OpenCLIP's own tokenizer into the folder; always the same."""
    return save(folder, {"embed_dim": DIM, "vision_cfg": VISION, "text_cfg": TEXT}, PREPROCESS)


def build_siglip(folder: Path) -> Path:
    """Save one that is made as SigLIP 2: a tokenizer of transformers, texts filled up, pictures squashed to a square."""
    tokenizer, ids = word_tokenizer(["<pad>", "<bos>", "<eos>"], ends=("<bos>", "<eos>"), pad_token="<pad>", eos_token="<eos>")
    tokenizer.save_pretrained(folder)
    text = {
        **TEXT,
        "vocab_size": len(ids),
        "hf_tokenizer_name": "nobody/nothing",
        "tokenizer_kwargs": {"clean": "canonicalize"},
        "no_causal_mask": True,
        "proj_bias": True,
        "pool_type": "last",
    }
    half = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic", "resize_mode": "squash"}
    return save(folder, {"embed_dim": DIM, "init_logit_bias": -10, "custom_text": True, "vision_cfg": VISION, "text_cfg": text}, half)


def save(folder: Path, model: dict, preprocess: dict, text_tower: Path | None = None) -> Path:
    """Save a model of this configuration with random weights; always the same.

    Args:
        folder: Where to.
        model: OpenCLIP's ``model_cfg``.
        preprocess: Its ``preprocess_cfg``.
        text_tower: The folder of the text tower's configuration, where that is one of transformers.
    """
    import open_clip
    import torch
    from safetensors.torch import save_file

    config = folder / "open_clip_config.json"
    built = {**model, "text_cfg": {**model["text_cfg"], "hf_model_name": str(text_tower)}} if text_tower else model
    config.write_text(json.dumps({"model_cfg": built, "preprocess_cfg": preprocess}))
    torch.manual_seed(0)
    network = open_clip.create_model(f"local-dir:{folder}", load_weights=False, pretrained_text=False)
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, folder / "open_clip_model.safetensors")
    config.write_text(json.dumps({"model_cfg": model, "preprocess_cfg": preprocess}))
    return folder
