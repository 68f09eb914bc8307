"""What a checkpoint can do, read from its configuration files alone: no weights, no torch."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import ModelUnavailable
from ...types import ENCODED, Modality
from .families import MAX_AUDIO_MS, Family, family_of
from .files import ConfigFiles, look_up

__all__ = ["Checkpoint", "read_checkpoint"]

TOWERS = {Modality.IMAGE: "vision_config", Modality.VIDEO: "vision_config", Modality.AUDIO: "audio_config"}
SAME_WIDTH = {"Normalize", "Dropout", "LayerNorm"}
LEGACY_POOLING = "pooling_mode_"
TOKENIZERS = ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "tokenizer.model")

SAMPLE_RATE = 16_000
IMAGE_SIZE = 1_024
LONGEST_EDGE = 4_096  # some processors use the same name for a number of pixels
TOKENS = 512


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the configuration files of a model say.

    Attributes:
        model_type: The kind of model.
        family: What is known of that kind.
        plain: Whether it is a plain transformers folder, without Sentence Transformers' list of modules.
        modalities: What it understands.
        dim: Length of its vectors.
        cuts: The shorter lengths that it was trained for.
        max_tokens: The longest text, with the prompt and the tokens that mark its ends.
        image_size: The longest useful short side of a picture, in pixels.
        sample_rate: In Hz.
        max_audio_ms: The longest sound that it hears as a whole.
        prompts: What is put before an input of each kind.
        bfloat16: Whether its weights are stored in that precision, so that computing in it loses nothing.
    """

    model_type: str
    family: Family
    plain: bool
    modalities: frozenset[Modality]
    dim: int
    cuts: tuple[int, ...]
    max_tokens: int
    image_size: int
    sample_rate: int
    max_audio_ms: int
    prompts: Mapping[Modality, str]
    bfloat16: bool


def read_checkpoint(spec: str, folder: Path, *, trust_remote_code: bool = False) -> Checkpoint:
    """Read what the configuration in a folder says.

    Raises:
        ModelUnavailable: It gives no vectors, does not say enough of itself, or runs code of its own that nobody allowed.
    """
    try:
        files = ConfigFiles(spec, folder)
        files.check(trust_remote_code=trust_remote_code)
        return _checkpoint(files)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"its configuration in {folder} is not what it should be: {type(error).__name__} {error}"
        raise ModelUnavailable(spec, reason, "fetch or save the model again") from error


def _checkpoint(files: ConfigFiles) -> Checkpoint:
    config, ours = files.config, files.read("config_sentence_transformers.json")
    family = family_of(str(config.get("model_type", "")))
    modalities = _modalities(files, family)
    audio = files.processor("feature_extractor")
    dim = min(_dim(files, family), ours.get("truncate_dim") or sys.maxsize)
    return Checkpoint(
        model_type=str(config.get("model_type", "")),
        family=family,
        plain=not files.modules,
        modalities=modalities,
        dim=dim,
        cuts=_cuts(config, family, dim),
        max_tokens=_max_tokens(files, family),
        image_size=_image_size(files, family),
        sample_rate=int(audio.get("sampling_rate") or SAMPLE_RATE),
        max_audio_ms=min(MAX_AUDIO_MS, int(1000 * audio.get("chunk_length", MAX_AUDIO_MS // 1000))),
        prompts=_prompts(ours.get("prompts") or {}, family),
        bfloat16=(config.get("dtype") or config.get("torch_dtype")) == "bfloat16",
    )


def _modalities(files: ConfigFiles, family: Family) -> frozenset[Modality]:
    """What it understands: what was written down when it was saved, less what its configuration has no tower for.

    Sentence Transformers goes on listing a tower that was dropped and fails when it is called. A plain folder understands what its family
    is known for, and text where it is a tokenizer and a network without towers. Sound whose rate is not written down is left out.
    """
    if files.modules:
        names = files.read("sentence_bert_config.json", files.first).get("modality_config") or {}
        legacy_clip = not names and files.modules[0]["type"].endswith("CLIPModel")
        listed = {Modality.TEXT, Modality.IMAGE} if legacy_clip else {Modality(name) for name in names if name in ENCODED}
        listed = listed or {Modality.TEXT}  # saved before there was anything else
    elif family.towers:
        listed = set(family.towers)
    elif "hidden_size" in files.config and any((files.folder / name).is_file() for name in TOKENIZERS):
        listed = {Modality.TEXT}
    else:
        kind = files.config.get("model_type")
        raise files.refusal(f"a plain folder of a {kind} does not say what it understands", "save it with Sentence Transformers first")
    if "text_config" in files.config:
        listed = {kind for kind in listed if kind is Modality.TEXT or files.config.get(TOWERS[kind])}
    if not files.processor("feature_extractor").get("sampling_rate"):
        listed.discard(Modality.AUDIO)
    return frozenset(listed)


def _dim(files: ConfigFiles, family: Family) -> int:
    """The length of a vector: that of the last module that changes it. Of the transformer itself only its family knows the right one."""
    for module in reversed(files.modules):
        kind = str(module["type"]).rpartition(".")[2]
        config = files.read("config.json", str(module["path"]))
        if kind == "Dense":
            return int(config["out_features"])
        if kind == "Pooling":
            return _pooled(config)
        if kind not in SAME_WIDTH and module is not files.modules[0]:
            raise files.refusal(f"the length of its vectors cannot be told from its module {module['type']}", "name another model")
    name, usual = family.width or ("projection_dim" if "text_config" in files.config else "hidden_size", None)
    found = look_up(files.config, name) or usual
    if not found:
        raise files.refusal("its configuration does not say how long its vectors are", "save it with Sentence Transformers first")
    return int(found)


def _pooled(config: Mapping[str, Any]) -> int:
    """The width of a pooling: several modes lie side by side."""
    mode = config.get("pooling_mode")
    if mode is None:
        modes = sum(bool(value) for key, value in config.items() if key.startswith(LEGACY_POOLING)) or 1
    else:
        modes = 1 if isinstance(mode, str) else len(mode)
    return modes * int(config.get("embedding_dimension") or config["word_embedding_dimension"])


def _cuts(config: Mapping[str, Any], family: Family, dim: int) -> tuple[int, ...]:
    written = config.get("matryoshka_dimensions") or config.get("matryoshka_dims") or ()
    return tuple(int(cut) for cut in written if cut < dim) or family.cut_to(dim)


def _max_tokens(files: ConfigFiles, family: Family) -> int:
    """The smallest of the limits that anybody names; a tokenizer without one names a number of thirty digits."""
    limits = [
        family.max_tokens,
        look_up(files.config, "text_config.max_position_embeddings") or files.config.get("max_position_embeddings"),
        files.read("sentence_bert_config.json", files.first).get("max_seq_length"),
        files.read("tokenizer_config.json", files.first).get("model_max_length"),
    ]
    known = [limit for limit in limits if limit and 0 < limit < 1e9]
    return int(min(known, default=TOKENS))


def _image_size(files: ConfigFiles, family: Family) -> int:
    if family.pixels:
        return math.ceil(math.sqrt(family.pixels))
    size = files.processor("image_processor").get("size") or look_up(files.config, "vision_config.image_size")
    sides = size.values() if isinstance(size, Mapping) else [size]
    known = [side for side in sides if isinstance(side, int) and 0 < side <= LONGEST_EDGE]
    return min(known, default=IMAGE_SIZE)


def _prompts(saved: Mapping[str, str], family: Family) -> dict[Modality, str]:
    """The checkpoint's own prompts go before those of its family; an empty one is what is saved where there was none."""
    document = next((saved[name] for name in ("document", "passage", "corpus") if saved.get(name)), family.document)
    prompts = {kind: "" if kind in family.bare else document for kind in ENCODED}
    return {**prompts, Modality.TEXT: saved.get("query") or family.query}
