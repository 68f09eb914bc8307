"""What a checkpoint of CLAP can do, read from its configuration files: no weights, no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...errors import ModelUnavailable
from ..source import read_json

__all__ = ["Checkpoint", "read_checkpoint"]

TRAINED_TOKENS = 77
"""Longer captions were cut when CLAP was trained, so the tokenizer and the positions take more than the model has ever read."""

# What transformers takes where a configuration leaves a value out.
DIM = 512
POSITIONS, PADDING = 514, 1
SAMPLE_RATE = 48_000
LONGEST_S = 10


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the configuration says.

    Attributes:
        dim: Length of a vector.
        max_tokens: The longest text, with the two tokens that mark its ends.
        sample_rate: In Hz.
        max_audio_ms: The longest sound that it hears as a whole.
    """

    dim: int
    max_tokens: int
    sample_rate: int
    max_audio_ms: int


def read_checkpoint(spec: str, folder: Path) -> Checkpoint:
    """Read what the configuration in a folder says.

    Raises:
        ModelUnavailable: It is damaged, or of another kind of model.
    """
    config = read_json(spec, folder / "config.json")
    if config.get("model_type") != "clap":
        raise ModelUnavailable(spec, f"{folder} holds a model of the kind {config.get('model_type')!r}, not CLAP", "name it as  st:…")
    text = config.get("text_config") or {}
    positions = (
        text.get("max_position_embeddings", POSITIONS) - text.get("pad_token_id", PADDING) - 1
    )  # RoBERTa counts from behind the padding
    sound = _feature_extractor(spec, folder)
    return Checkpoint(
        dim=int(config.get("projection_dim", DIM)),
        max_tokens=min(TRAINED_TOKENS, positions),
        sample_rate=int(sound.get("sampling_rate", SAMPLE_RATE)),
        max_audio_ms=int(sound.get("max_length_s", LONGEST_S) * 1000),
    )


def _feature_extractor(spec: str, folder: Path) -> dict[str, int]:
    """The settings of what hears; newer checkpoints keep them with those of the tokenizer, older ones by themselves."""
    together = folder / "processor_config.json"
    if together.is_file() and (nested := read_json(spec, together).get("feature_extractor")):
        return dict(nested)
    return read_json(spec, folder / "preprocessor_config.json")
