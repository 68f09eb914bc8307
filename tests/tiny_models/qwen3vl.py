"""A Sentence Transformers folder of Qwen3-VL-Embedding: text, pictures and film, 96 numbers of which 64 will do."""

from __future__ import annotations

from pathlib import Path

from .words import word_tokenizer

DIM = 96
MARKS = ["<|im_start|>", "<|im_end|>", "<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>"]
CHAT = (
    "{% if messages[0]['role'] != 'system' %}<|im_start|>system\nRepresent the user's input.<|im_end|>\n{% endif %}"
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{% for part in message['content'] %}"
    "{% if part['type'] == 'text' %}{{ part['text'] }}{% else %}<|vision_start|><|{{ part['type'] }}_pad|><|vision_end|>{% endif %}"
    "{% endfor %}<|im_end|>\n{% endfor %}"
)


def build(folder: Path) -> Path:
    """Save one with random weights into the folder; always the same."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Normalize, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling

    modules = [Transformer(str(build_plain(folder / "backbone"))), Pooling(DIM, "lasttoken"), Normalize()]
    SentenceTransformer(modules=modules, device="cpu").save_pretrained(str(folder / "model"))
    return folder / "model"


def build_plain(folder: Path) -> Path:
    """Save the same as a plain transformers folder."""
    import torch
    from transformers import Qwen2VLImageProcessor, Qwen3VLModel, Qwen3VLProcessor, Qwen3VLVideoProcessor

    tokenizer, ids = word_tokenizer(
        ["<pad>", *MARKS],
        pad_token="<pad>",
        eos_token="<|im_end|>",
        padding_side="left",
        model_max_length=512,
        additional_special_tokens=MARKS,
    )
    torch.manual_seed(0)
    Qwen3VLModel(_config(ids)).save_pretrained(folder)
    processor = Qwen3VLProcessor(
        Qwen2VLImageProcessor(patch_size=16, size={"shortest_edge": 65536, "longest_edge": 16777216}),
        tokenizer,
        Qwen3VLVideoProcessor(patch_size=16, size={"shortest_edge": 4096, "longest_edge": 25165824}),
        chat_template=CHAT,
    )
    processor.save_pretrained(folder)
    return folder


def _config(ids):
    from transformers import Qwen3VLConfig

    rope = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [4, 2, 2], "mrope_interleaved": True}
    return Qwen3VLConfig(
        text_config={
            "vocab_size": len(ids),
            "hidden_size": DIM,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "rope_parameters": rope,
        },
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_heads": 2,
            "out_hidden_size": DIM,
            "patch_size": 16,
            "num_position_embeddings": 64,
            "deepstack_visual_indexes": [0],
        },
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
    )
