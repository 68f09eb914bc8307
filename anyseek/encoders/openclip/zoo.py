"""The models that the installed OpenCLIP knows, read from its files: importing it takes seconds and half a gigabyte."""

from __future__ import annotations

import ast
import copy
import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any

from ...errors import BadInput, UnknownEncoder

__all__ = ["SAFE_WEIGHTS", "WEIGHTS", "Pretrained", "architecture", "preprocessing", "pretrained", "tags_of"]

WEIGHTS, SAFE_WEIGHTS = "open_clip_pytorch_model.bin", "open_clip_model.safetensors"
NEAREST = 5


@dataclass(frozen=True, slots=True)
class Pretrained:
    """Weights that OpenCLIP knows by a tag.

    Attributes:
        repository: Where they lie on the hub.
        weights: The names that their file may have there, the best first.
        preprocessing: ``mean``, ``std``, ``interpolation`` and ``resize_mode`` of pictures.
    """

    repository: str
    weights: tuple[str, ...]
    preprocessing: Mapping[str, Any]


def architecture(name: str) -> dict[str, Any]:
    """The configuration of a model by its name.

    Raises:
        UnknownEncoder: OpenCLIP has no such model; the most similar names are listed.
    """
    path = _package() / "model_configs" / f"{name}.json"
    known = {file.stem for file in path.parent.glob("*.json")}
    if name not in known:
        raise UnknownEncoder(f"open_clip:{name}", [f"open_clip:{other}/…" for other in _similar(name, known)])
    config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return config


def pretrained(name: str, tag: str) -> Pretrained:
    """The weights that a model has under a tag.

    Raises:
        UnknownEncoder: It has none of that tag; those that it has are listed.
        BadInput: They were trained with another activation than the model of this name has, and would give wrong vectors.
    """
    entry = _table().get(name, {}).get(_clean(tag))
    if entry is None:
        others = tags_of(name)
        known = [f"open_clip:{name}/{other}" for other in others] or ["open_clip:NAME/FILE with a file of weights"]
        raise UnknownEncoder(f"open_clip:{name}/{tag}", known)
    folder, file = PurePosixPath(entry["hf_hub"]).parent, PurePosixPath(entry["hf_hub"]).name
    if entry["hf_hub"].endswith("/"):
        folder, weights = folder / file, (SAFE_WEIGHTS, WEIGHTS)
    else:
        weights = (str(PurePosixPath(file).with_suffix(".safetensors")), file)
    # The other way round it is the model's own: roberta-ViT-B-32 has it, and the entry of its weights does not say so.
    if entry.get("quick_gelu", False) and not architecture(name).get("quick_gelu", False):
        reason = f"open_clip:{name}/{tag} would give wrong vectors, for these weights were trained with QuickGELU"
        raise BadInput(f"{reason}: use  open_clip:{name}-quickgelu/{tag}")
    return Pretrained(str(folder), weights, _of_pictures(entry))


def preprocessing(name: str) -> dict[str, Any]:
    """How pictures are prepared for a model whose weights have no tag: as for all of its tags if they agree, else as OpenCLIP would."""
    ways = [_of_pictures(entry) for entry in _table().get(name, {}).values()]
    return ways[0] if ways and all(way == ways[0] for way in ways) else {}


def tags_of(name: str) -> list[str]:
    """The tags under which a model has weights."""
    return list(_table().get(name, {}))


def _of_pictures(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: entry[key] for key in ("mean", "std", "interpolation", "resize_mode")}


def _clean(tag: str) -> str:
    return tag.lower().replace("-", "_")


def _similar(name: str, known: set[str]) -> list[str]:
    lower = {other.lower(): other for other in sorted(known)}
    return [lower[match] for match in difflib.get_close_matches(name.lower(), lower, NEAREST, cutoff=0.0)]


def _package() -> Path:
    found = find_spec("open_clip")
    assert found is not None  # the encoder has looked for it
    assert found.origin is not None
    return Path(found.origin).parent


@cache
def _table() -> dict[str, dict[str, dict[str, Any]]]:
    """OpenCLIP's table of weights: name → tag → entry.

    It is written in Python, in a module whose imports bring torch. So the module is run without them and without what it offers to others,
    which leaves the table and the small functions that build it; where a version is made otherwise, it is imported after all.
    `test_the_table_is_the_one_that_open_clip_has` compares the two.
    """
    try:
        names: dict[str, Any] = {"copy": copy}
        for file in ("constants.py", "pretrained.py"):
            tree = ast.parse((_package() / file).read_text(encoding="utf-8"))
            tree.body = [node for node in tree.body if _builds_the_table(node)]
            exec(compile(tree, file, "exec", annotations.compiler_flag), names)  # noqa: S102 the installed package's own code
        table: dict[str, dict[str, dict[str, Any]]] = names["_PRETRAINED"]
    except Exception:  # noqa: BLE001 whatever it is, the import either mends it or says what is wrong
        from open_clip.pretrained import _PRETRAINED

        return dict(_PRETRAINED)
    return table


def _builds_the_table(node: ast.stmt) -> bool:
    if isinstance(node, ast.FunctionDef):
        return node.name.startswith("_")
    return not isinstance(node, ast.Import | ast.ImportFrom | ast.Try)
