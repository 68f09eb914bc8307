"""What is known of a kind of model beyond its configuration: the recipe of its authors, and the traps of its processors.

A family is found by the ``model_type`` of a checkpoint. What of it shapes vectors is part of a space's fingerprint, so that nothing here
may depend on the machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...types import ENCODED, Modality

__all__ = ["MAX_AUDIO_MS", "MAX_FRAMES", "SOFT_TOKENS", "WINDOW_MS", "Family", "family_of"]

MAX_AUDIO_MS = 30_000
"""What feature extractors hear at most: those of Gemma and Whisper drop what comes after 480,000 samples at 16 kHz, without a word."""

WINDOW_MS = 10_000
MAX_FRAMES = 32

SOFT_TOKENS = 70
"""What a picture or a frame becomes in EmbeddingGemma 2, the fewest that it takes. With 280, its own default for pictures, one picture
takes a CPU five times as long. The number is part of the space and the same on every device."""

QWEN_PATCH = 32 * 32
QWEN_IMAGE_PIXELS = {"shortest_edge": 4 * QWEN_PATCH, "longest_edge": 1800 * QWEN_PATCH}
QWEN_VIDEO_PIXELS = {"shortest_edge": 4 * QWEN_PATCH, "longest_edge": 7680 * QWEN_PATCH}
"""The limits of the script that Qwen3-VL-Embedding was published with, in pixels of a picture and of all frames together."""

CONTEXT = 8_192
"""Tokens that EmbeddingGemma 2 and Qwen3-VL-Embedding are published for; their configurations name the far larger limit of the backbone."""


@dataclass(frozen=True, slots=True)
class Family:
    """How models of one kind are to be used.

    Attributes:
        towers: What a plain transformers folder understands, if its configuration has the tower for it.
        width: Where a plain folder's configuration names the length of a vector, with dots; and what it is where it is left out.
        max_tokens: The longest text, where the configuration knows better or not at all.
        fills_up: Whether every text must be padded to the longest. SigLIP reads the last position, and was never shown another length.
        lowers: Whether texts become lower case, as all were in its training; the tokenizers of some of its checkpoints leave that out.
        query: Put before texts where the checkpoint brings no prompt for queries.
        document: The same for media, unless they are `bare`.
        bare: Media that get no prompt even where the checkpoint has one for documents.
        pooling: How a plain folder's tokens become one vector, where it is not by their mean.
        cuts: The shorter lengths it was trained for.
        shortest_cut: From here on it was trained for every length; 0 for those that were not.
        processing: Arguments of the processor, by ``image``, ``audio`` and ``video``.
        pixels: What every picture is enlarged or shrunk to in all, where its size is not fixed by the configuration.
        fewest_frames: Of a clip; the last frame of a shorter one is repeated.
        one_by_one: Whether inputs are computed singly, because nobody has checked that they do not shape each other's vectors.
    """

    towers: tuple[Modality, ...] = ()
    width: tuple[str, int] | None = None
    max_tokens: int | None = None
    fills_up: bool = False
    lowers: bool = False
    query: str = ""
    document: str = ""
    bare: tuple[Modality, ...] = ()
    pooling: str | None = None
    cuts: tuple[int, ...] = ()
    shortest_cut: int = 0
    processing: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    pixels: int | None = None
    fewest_frames: int = 1
    one_by_one: bool = False

    def cut_to(self, dim: int) -> tuple[int, ...]:
        """The lengths that a vector of `dim` numbers may be cut to."""
        every = range(self.shortest_cut, dim) if self.shortest_cut else ()
        return tuple(cut for cut in (*self.cuts, *every) if cut < dim)


TEXT_AND_IMAGE = (Modality.TEXT, Modality.IMAGE)
GIVEN_FRAMES = {"do_sample_frames": False, "input_data_format": "channels_last"}
"""Frames are chosen by anyseek: a processor that chooses again would drop some, and would take frames 3 pixels high for colours."""

_FAMILIES = {
    "clip": Family(TEXT_AND_IMAGE, ("projection_dim", 512), 77),
    "metaclip_2": Family(TEXT_AND_IMAGE, ("projection_dim", 512), 77),
    "siglip": Family(TEXT_AND_IMAGE, ("vision_config.hidden_size", 768), 64, fills_up=True, lowers=True),
    "siglip2": Family(TEXT_AND_IMAGE, ("vision_config.hidden_size", 768), 64, fills_up=True, lowers=True, pixels=256 * 16**2),
    # The authors' evaluation puts the prompt for documents before sound, but none before pictures.
    "embedding_gemma2": Family(
        ENCODED,
        ("text_config.embedding_dim", 768),
        CONTEXT,
        query="task: search result | query: ",
        document="title: none | text: ",
        bare=(Modality.IMAGE,),
        cuts=(512, 256, 128),
        pixels=SOFT_TOKENS * (3 * 16) ** 2,
        processing={
            "image": {"max_soft_tokens": SOFT_TOKENS},
            "video": {**GIVEN_FRAMES, "max_soft_tokens": SOFT_TOKENS, "add_timestamps": False},
        },
    ),
    # The instructions are those of the authors' examples; the second is also what the chat template falls back to.
    "qwen3_vl": Family(
        (Modality.TEXT, Modality.IMAGE, Modality.VIDEO),
        ("text_config.hidden_size", 4096),
        CONTEXT,
        query="Retrieve images or text relevant to the user's query.",
        document="Represent the user's input.",
        pooling="lasttoken",
        shortest_cut=64,
        pixels=QWEN_IMAGE_PIXELS["longest_edge"],
        fewest_frames=2,
        processing={
            "image": {"size": QWEN_IMAGE_PIXELS},
            "video": {**GIVEN_FRAMES, "size": QWEN_VIDEO_PIXELS, "cap_pixels_per_frame": True},
        },
    ),
}
_OTHER = Family(processing={"video": GIVEN_FRAMES}, one_by_one=True)


def family_of(model_type: str) -> Family:
    """Look up what is known of a model; what is not known is used as its checkpoint says, one input at a time."""
    return _FAMILIES.get(model_type, _OTHER)
