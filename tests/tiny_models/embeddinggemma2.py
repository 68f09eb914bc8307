"""A Sentence Transformers folder of EmbeddingGemma 2: text, pictures, sound and film, 160 numbers that may be cut to 128."""

from __future__ import annotations

from pathlib import Path

from .words import word_tokenizer

DIM = 160
PROMPTS = {"query": "task: search result | query: ", "document": "title: none | text: "}
MARKS = {
    "image_token": "<|image|>",
    "boi_token": "<|image>",
    "eoi_token": "<image|>",
    "audio_token": "<|audio|>",
    "boa_token": "<|audio>",
    "eoa_token": "<audio|>",
}
CHAT = (
    "{{ bos_token }}{% for message in messages %}{% for part in message['content'] %}"
    "{% if part['type'] == 'text' %}{{ part['text'] }}{% else %}{{ '<|' + part['type'] + '|>' }}{% endif %}"
    "{% endfor %}{% endfor %}{{ eos_token }}"
)


def build(folder: Path, precision: str = "float32", **changes) -> Path:
    """Save one with random weights into the folder; always the same.

    Args:
        folder: Where to.
        precision: In which the weights are stored.
        changes: Of the configuration.
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Normalize, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling
    from transformers import EmbeddingGemma2Model

    processor, ids = _processor()
    torch.manual_seed(0)
    backbone = folder / "backbone"
    EmbeddingGemma2Model(_config(ids, **changes)).to(getattr(torch, precision)).save_pretrained(backbone)
    processor.save_pretrained(backbone)
    modules = [Transformer(str(backbone)), Pooling(DIM, "mean"), Normalize()]
    SentenceTransformer(modules=modules, device="cpu", prompts=PROMPTS).save_pretrained(str(folder / "model"))
    return folder / "model"


def build_deaf(folder: Path) -> Path:
    """Save one without the tower for sound."""
    return build(folder, audio_config=None)


def _config(ids, **changes):
    from transformers import EmbeddingGemma2Config

    layers = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    towers = {
        "text_config": {
            **layers,
            "vocab_size": len(ids),
            "num_key_value_heads": 2,
            "head_dim": 8,
            "sliding_window": 16,
            "hidden_size_per_layer_input": 16,
            "embedding_dim": DIM,
            "layer_types": ["sliding_attention", "full_attention"],
            "global_head_dim": 16,
            "num_global_key_value_heads": 1,
        },
        "vision_config": {
            **layers,
            "model_type": "gemma4_vision",
            "num_key_value_heads": 4,
            "head_dim": 8,
            "patch_size": 4,
            "pooling_kernel_size": 3,
            "position_embedding_size": 1024,
        },
        "audio_config": {
            "model_type": "gemma4_audio",
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "output_proj_dims": 32,
            "subsampling_conv_channels": [32, 8],
            "use_clipped_linears": False,
        },
    }
    numbers = {
        "image_token_id": ids["<|image|>"],
        "video_token_id": ids["<|video|>"],
        "audio_token_id": ids["<|audio|>"],
        "boi_token_id": ids["<|image>"],
        "eoi_token_id": ids["<image|>"],
        "boa_token_id": ids["<|audio>"],
        "eoa_token_index": ids["<audio|>"],
    }
    return EmbeddingGemma2Config(**{**towers, **numbers, **changes})


def _processor():
    from transformers import EmbeddingGemma2Processor, EmbeddingGemma2VideoProcessor, Gemma4AudioFeatureExtractor, Gemma4ImageProcessor

    tokenizer, ids = word_tokenizer(
        ["<pad>", "<eos>", "<bos>", *MARKS.values(), "<|video|>"],
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        padding_side="right",
        model_max_length=512,
        extra_special_tokens=MARKS,
    )
    size = {"patch_size": 4, "pooling_kernel_size": 3}
    processor = EmbeddingGemma2Processor(
        feature_extractor=Gemma4AudioFeatureExtractor(feature_size=32),
        tokenizer=tokenizer,
        image_processor=Gemma4ImageProcessor(**size, max_soft_tokens=280),
        video_processor=EmbeddingGemma2VideoProcessor(**size, max_soft_tokens=140),
        chat_template=CHAT,
    )
    return processor, ids
