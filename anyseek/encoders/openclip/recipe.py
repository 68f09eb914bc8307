"""What a model of OpenCLIP is made of: its configuration and its files, wherever they lie. Neither torch nor OpenCLIP is imported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...errors import ModelUnavailable
from .. import hub
from ..hub import Snapshot
from ..protocol import EncoderSettings
from ..source import TOKENIZER_FILES, WEIGHTS_SUFFIXES, local_file, local_folder, read_json
from . import zoo

__all__ = ["Recipe", "find_recipe"]

CONFIG = "open_clip_config.json"
FOLDER_WEIGHTS = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
    "open_clip_pytorch_model.pth",
    "model.safetensors",
    "pytorch_model.bin",
    "pytorch_model.pth",
    "model.pth",
)
"""The file of weights that OpenCLIP takes in a folder, the best first; if there is none of them it takes the first of a fitting suffix."""

VOCABULARIES = {"tokenizer.json", "vocab.json", "vocab.txt", "spiece.model", "sentencepiece.bpe.model", "tokenizer.model"}
CONTEXT_LENGTH = 77
IMAGE_SIZE = 224


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that is needed to build a model.

    Attributes:
        model: OpenCLIP's ``model_cfg``.
        preprocess: Its ``preprocess_cfg``.
        weights: The file of weights.
        revision: Of the repository or folder.
        tokenizer: The folder of a tokenizer of transformers; None for OpenCLIP's own.
        text_tower: The folder with the configuration of a text tower of transformers; None for OpenCLIP's own.
        companions: The revisions of other repositories that a part is from, by name.
    """

    model: Mapping[str, Any]
    preprocess: Mapping[str, Any]
    weights: Path
    revision: str
    tokenizer: Path | None = None
    text_tower: Path | None = None
    companions: Mapping[str, str] | None = None

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self.model["embed_dim"])

    @property
    def image_size(self) -> int:
        """The longer side of the picture that the model sees, in pixels."""
        size = self.model["vision_cfg"].get("image_size", IMAGE_SIZE)
        return max(size) if isinstance(size, Sequence) else int(size)

    @property
    def context_length(self) -> int:
        """The tokens that a text may have, with those that mark its ends."""
        return int(self.model["text_cfg"].get("context_length", CONTEXT_LENGTH))


def find_recipe(spec: str, model: str, settings: EncoderSettings) -> Recipe:
    """Find out what a model is made of, and where its files are.

    Args:
        spec: The encoder's name.
        model: ``NAME/TAG``, ``NAME/FILE``, ``hf-hub:ORGANISATION/REPOSITORY`` or ``local-dir:FOLDER``.
        settings: Whether files may be fetched, and their version.

    Raises:
        UnknownEncoder: OpenCLIP does not know the name or the tag.
        BadInput: Name and tag do not go with each other.
        ModelUnavailable: The files are not on this machine, or are no model.
        StorageFull: There is no room for them.
    """
    schema, _, rest = model.partition(":")
    if schema == "local-dir":
        recipe = _of_folder(spec, rest, settings)
    elif schema == "hf-hub":
        snapshot = hub.obtain(spec, rest, settings, [CONFIG, zoo.SAFE_WEIGHTS, zoo.WEIGHTS, *TOKENIZER_FILES])
        recipe = _configured(spec, snapshot, (zoo.SAFE_WEIGHTS, zoo.WEIGHTS))
    else:
        recipe = _of_zoo(spec, model, settings)
    return _with_companions(spec, recipe, settings)


def _of_folder(spec: str, folder: str, settings: EncoderSettings) -> Recipe:
    path = Path(folder).expanduser()
    names = sorted(file.name for file in path.glob("*") if file.suffix in WEIGHTS_SUFFIXES)
    weights = [name for name in FOLDER_WEIGHTS if name in names] or sorted(
        names, key=lambda name: WEIGHTS_SUFFIXES.index(Path(name).suffix)
    )
    snapshot = local_folder(spec, folder, settings, [CONFIG, *weights[:1], *TOKENIZER_FILES])
    return _configured(spec, snapshot, weights)


def _configured(spec: str, snapshot: Snapshot, weights: Sequence[str]) -> Recipe:
    config = read_json(spec, snapshot.path / CONFIG)
    model, preprocess = config.get("model_cfg"), config.get("preprocess_cfg", {})
    parts = [model, preprocess, *(model.get(tower) for tower in ("vision_cfg", "text_cfg"))] if isinstance(model, dict) else [model]
    if not all(isinstance(part, dict) for part in parts) or not isinstance(model, dict) or not isinstance(model.get("embed_dim"), int):
        reason = f"{snapshot.path / CONFIG} does not describe a model with pictures and text"
        raise ModelUnavailable(spec, reason, "name a model that OpenCLIP has saved")
    return Recipe(model, preprocess, _weights(spec, snapshot.path, weights), snapshot.revision, tokenizer=snapshot.path)


def _of_zoo(spec: str, model: str, settings: EncoderSettings) -> Recipe:
    name, _, tag = model.partition("/")
    config = zoo.architecture(name)
    if tag.endswith(WEIGHTS_SUFFIXES):
        snapshot = local_file(spec, tag, settings)
        return Recipe(config, zoo.preprocessing(name), snapshot.path, snapshot.revision)
    known = zoo.pretrained(name, tag)
    snapshot = hub.obtain(spec, known.repository, settings, [*known.weights, *TOKENIZER_FILES])
    weights = _weights(spec, snapshot.path, known.weights)
    return Recipe(config, known.preprocessing, weights, snapshot.revision, tokenizer=snapshot.path)


def _weights(spec: str, folder: Path, names: Sequence[str]) -> Path:
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise ModelUnavailable(spec, f"{folder} has no weights that OpenCLIP can load", "name a model that OpenCLIP has saved")


def _with_companions(spec: str, recipe: Recipe, settings: EncoderSettings) -> Recipe:
    """Find what lies in other repositories: some models have the tokenizer, or the configuration of the text tower, of another model."""
    text = recipe.model["text_cfg"]
    companions: dict[str, str] = {}

    def folder(repository: str, patterns: Sequence[str]) -> Path:
        snapshot = hub.obtain(spec, repository, replace(settings, revision=None), patterns)
        companions[repository] = snapshot.revision
        return snapshot.path

    tokenizer = recipe.tokenizer
    if not text.get("hf_tokenizer_name"):
        tokenizer = None
    elif tokenizer is None or not _has_tokenizer(tokenizer):
        tokenizer = folder(text["hf_tokenizer_name"], TOKENIZER_FILES)
    text_tower = folder(text["hf_model_name"], ["config.json"]) if text.get("hf_model_name") else None
    return replace(recipe, tokenizer=tokenizer, text_tower=text_tower, companions=companions)


def _has_tokenizer(folder: Path) -> bool:
    return (folder / "tokenizer_config.json").is_file() and any((folder / name).is_file() for name in VOCABULARIES)
