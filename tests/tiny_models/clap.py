"""Folders of CLAP, far too small to know anything; they hear one second."""

from __future__ import annotations

from pathlib import Path

from .words import word_tokenizer

DIM = 32
SAMPLE_RATE = 48_000


def build(folder: Path, *, fused: bool = False, positions: int = 514) -> Path:
    """Save one with random weights into the folder; always the same.

    Args:
        folder: Where to.
        fused: Whether it is of the kind that looks at a long sound as a whole and at parts of it.
        positions: Of the text tower; it takes two fewer.
    """
    import torch
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel, ClapProcessor

    ends = ("<s>", "</s>")
    tokenizer, ids = word_tokenizer(
        ["<s>", "<pad>", "</s>"], ends=ends, bos_token="<s>", eos_token="</s>", pad_token="<pad>", model_max_length=512
    )
    layers = {"hidden_size": 32, "num_attention_heads": 2}
    text = {
        **layers,
        "vocab_size": len(ids),
        "num_hidden_layers": 2,
        "intermediate_size": 64,
        "max_position_embeddings": positions,
        "pad_token_id": 1,
    }
    sound = {
        "spec_size": 64,
        "num_mel_bins": 16,
        "window_size": 4,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "patch_size": 4,
        "patch_stride": [4, 4],
        "patch_embeds_hidden_size": 16,
        "depths": [1, 1],
        "num_attention_heads": [2, 2],
        "enable_fusion": fused,
        "fusion_type": None,
        "fusion_num_hidden_layers": 2,
    }
    torch.manual_seed(0)
    ClapModel(ClapConfig(text_config=text, audio_config=sound, projection_dim=DIM)).save_pretrained(folder)
    extractor = ClapFeatureExtractor(
        feature_size=16, sampling_rate=SAMPLE_RATE, max_length_s=1, hop_length=480, truncation="fusion" if fused else "rand_trunc"
    )
    ClapProcessor(feature_extractor=extractor, tokenizer=tokenizer).save_pretrained(folder)
    return folder


def build_fused(folder: Path) -> Path:
    """Save one of the fused kind."""
    return build(folder, fused=True)
