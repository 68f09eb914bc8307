"""The configuration files of a model's folder, as Sentence Transformers and transformers write them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import ModelUnavailable

__all__ = ["ConfigFiles", "look_up"]

UNDERSTOOD_FIRST = {"Transformer", "CLIPModel"}
OURS = "sentence_transformers."
KIND = "SentenceTransformer"
OTHER_FOLDER = "name another model"


class ConfigFiles:
    """Reads them; one that is not there is empty.

    Args:
        spec: The encoder that they are read for, for the texts of errors.
        folder: Where they lie.

    Raises:
        ModelUnavailable: Of the constructor and of all that reads: a file is damaged, or the model is of no use here.
    """

    def __init__(self, spec: str, folder: Path) -> None:
        self.spec = spec
        self.folder = folder
        self.modules: list[dict[str, Any]] = self._json("modules.json") or []
        self.first = str(self.modules[0]["path"]) if self.modules else ""
        self.config = self.read("config.json", self.first)
        if not self.config:
            raise self.refusal(f"{folder} has no config.json", "name a folder with a saved model")

    def read(self, name: str, folder: str = "") -> dict[str, Any]:
        """One file as a dictionary."""
        return self._json(f"{folder}/{name}" if folder else name) or {}

    def processor(self, part: str) -> dict[str, Any]:
        """The settings of one part of the processor, such as ``image_processor``; older files hold a single part, without its name."""
        parts = self.read("processor_config.json", self.first)
        found: dict[str, Any] = parts.get(part) or self.read("preprocessor_config.json", self.first)
        return found

    def check(self, *, trust_remote_code: bool) -> None:
        """Refuse what gives no vectors, needs code of its own, or is built in a way whose capabilities cannot be read."""
        kind = self.read("config_sentence_transformers.json").get("model_type", KIND)
        if kind != KIND:
            raise self.refusal(f"it is a {kind}, which does not give one vector per input", OTHER_FOLDER)
        if self.config.get("model_type") == "clap":
            raise self.refusal("CLAP has a loader of its own, which hears as the model was trained", "name it as  clap:…  instead of  st:…")
        types = [str(module["type"]) for module in self.modules]
        foreign = [name for name in types if not name.startswith(OURS)]
        if foreign and not trust_remote_code:
            raise self.refusal(f"it runs program code of its own, {foreign[0]}", "allow it with trust_remote_code if you trust its authors")
        if types and types[0].rpartition(".")[2] not in UNDERSTOOD_FIRST:
            raise self.refusal(f"it begins with {types[0]}, whose inputs cannot be told from its configuration", OTHER_FOLDER)

    def refusal(self, reason: str, remedy: str) -> ModelUnavailable:
        """The error that says why this model cannot be used."""
        return ModelUnavailable(self.spec, reason, remedy)

    def _json(self, name: str) -> Any:
        path = self.folder / name
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise self.refusal(f"{path} cannot be read: {error}", "fetch or save the model again") from error


def look_up(config: Mapping[str, Any], name: str) -> Any:
    """Find ``a.b`` in nested dictionaries; None when it is not there."""
    found: Any = config
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
