"""Plain transformers folders of SigLIP 2, for pictures of any shape or of one."""

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


def build_fixed(folder: Path) -> Path:
    """Save one that squashes pictures to one shape. As the real ones, it has the classes of SigLIP and a tokenizer that keeps capitals."""
    import torch
    from transformers import SiglipConfig, SiglipImageProcessor, SiglipModel, SiglipProcessor

    tokenizer, ids = word_tokenizer(["<pad>", "<eos>", "<bos>"], lower=False, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>")
    layers = {"hidden_size": DIM, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = SiglipConfig(
        text_config={**layers, "vocab_size": len(ids), "pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 2},
        vision_config={**layers, "patch_size": 8, "image_size": 32},
    )
    torch.manual_seed(0)
    SiglipModel(config).save_pretrained(folder)
    processor = SiglipImageProcessor(size={"height": 32, "width": 32})
    SiglipProcessor(image_processor=processor, tokenizer=tokenizer).save_pretrained(folder)
    return folder
