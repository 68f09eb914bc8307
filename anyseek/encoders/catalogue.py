"""Models that are known by name: presets, and what is known about each spec. Nothing here loads or looks for a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

from ..errors import MissingExtra, UnknownEncoder
from ..types import Modality
from .registry import is_known, known_specs
from .source import with_whole_path

__all__ = [
    "PRESETS",
    "ModelCard",
    "Preset",
    "Score",
    "better_model_hint",
    "card",
    "cards",
    "check_installed",
    "licence_note",
    "missing_extras",
    "resolve",
]


@dataclass(frozen=True, slots=True)
class Preset:
    """A choice of models under one name.

    Attributes:
        name: What a user types.
        specs: The encoders it stands for, each of which fills a space of its own.
        good_for: Whom it suits, in a few words.
    """

    name: str
    specs: tuple[str, ...]
    good_for: str


@dataclass(frozen=True, slots=True)
class Score:
    """A result that somebody else has published.

    Attributes:
        task: What was asked by and looked for, such as ``text→image``.
        data: The data set.
        metric: Such as ``R@1``, the share of queries whose first answer is right.
        value: In percent.
        source: Where it was read.
    """

    task: str
    data: str
    metric: str
    value: float
    source: str


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is known about a model; None is for what is not.

    Attributes:
        spec: The name a user types.
        modalities: What it understands.
        dim: Length of its vectors.
        cut_to: Shorter lengths that it was trained for (Matryoshka), longest first.
        parameters: How many weights it has.
        licence: Of its weights, as its authors state it.
        commercial: Whether that allows commercial use.
        download: Bytes to fetch.
        download_estimated: Whether that is reckoned from the parameters, at four bytes each.
        repository: Where it lies on the Hugging Face hub; None where nothing is fetched.
        remark: What to know about it, in a few words.
        scores: Of retrieval, as published.
    """

    spec: str
    modalities: frozenset[Modality]
    dim: int
    licence: str
    commercial: bool
    remark: str
    cut_to: tuple[int, ...] = ()
    parameters: int | None = None
    download: int | None = None
    download_estimated: bool = False
    repository: str | None = None
    scores: tuple[Score, ...] = ()


SMALL_CLAP = "clap:laion/clap-htsat-unfused"
LARGE_CLAP = "clap:laion/larger_clap_general"

_ALL = (
    Preset("starter", ("starter",), "a first look, nothing to download"),
    Preset("small", ("open_clip:ViT-B-32-SigLIP2-256/webli", SMALL_CLAP), "a laptop without a GPU"),
    Preset("medium", ("open_clip:ViT-B-16-SigLIP2-384/webli", LARGE_CLAP), "a patient CPU, or a small GPU"),
    Preset("large", ("open_clip:PE-Core-L-14-336/meta", LARGE_CLAP), "pictures and films at their best, in English; with a GPU"),
    # CLAP was trained on English captions: a query in another language reaches pictures and films, and sounds only as far as CLAP gets it.
    Preset("multilingual", ("open_clip:ViT-B-16-SigLIP2-256/webli", LARGE_CLAP), "pictures and films in many languages"),
    # EmbeddingGemma 2 finds 3.5 % of Clotho's sounds where CLAP finds 14.1 %, and CLAP none of the speech that it finds.
    Preset("omni", ("st:google/embeddinggemma-2", SMALL_CLAP), "what is said, too, in many languages; best with a GPU"),
)
_NEEDS = {
    "clap": ("clap", ("torch", "transformers")),
    "open_clip": ("open-clip", ("torch", "open_clip", "transformers")),
    "st": ("sentence-transformers", ("torch", "sentence_transformers")),
}
"""Back-end → its extra, and the packages by which one sees that it is installed."""

PRESETS = {preset.name: preset for preset in _ALL}


def resolve(names: Sequence[str]) -> tuple[str, ...]:
    """Turn names of presets and specs into specs, in their order, each once; folders get their whole path.

    Raises:
        UnknownEncoder: A name is neither a preset nor a spec whose back-end is known.
    """
    specs: list[str] = []
    for name in names:
        if name in PRESETS:
            specs += PRESETS[name].specs
        elif is_known(name):
            specs.append(with_whole_path(name))
        else:
            raise UnknownEncoder(name, sorted({*PRESETS, *known_specs()}))
    return tuple(dict.fromkeys(specs))


def card(spec: str) -> ModelCard | None:
    """What is known about a spec; None for one that is not in the catalogue."""
    return cards().get(spec)


def licence_note(spec: str) -> str | None:
    """One line for whoever takes a model whose licence allows no commercial use; None where it does, or is not known."""
    known = card(spec)
    return None if known is None or known.commercial else f"{spec}: its licence ({known.licence}) allows no commercial use"


@cache
def cards() -> dict[str, ModelCard]:
    """Every model in the catalogue, by spec, in the order in which it lists them."""
    import tomllib
    from importlib.resources import files

    known = tomllib.loads((files(__package__) / "catalogue.toml").read_text(encoding="utf-8"))
    return {entry["spec"]: _card(entry, known["sources"]) for entry in known["model"]}


def missing_extras(specs: Sequence[str]) -> tuple[str, ...]:
    """Which extras of anyseek must be installed before these encoders can be loaded, in their order, each once."""
    needed = [_NEEDS[backend] for backend in (spec.partition(":")[0] for spec in specs) if backend in _NEEDS]
    return tuple(dict.fromkeys(extra for extra, packages in needed if not all(map(find_spec, packages))))


def check_installed(names: Sequence[str]) -> None:
    """Refuse, before any work, presets and specs that need packages which are not installed.

    Raises:
        UnknownEncoder: A name is neither a preset nor a spec whose back-end is known.
        MissingExtra: With the one line that installs all that they need.
    """
    missing = missing_extras(resolve(names))
    if missing:
        raise MissingExtra(f"what {' and '.join(names)} needs", ",".join(missing))


def better_model_hint(library_option: str = "") -> str:
    """One line for whoever has made a library without naming a model: what would be better, and how to change over.

    Args:
        library_option: What must follow the command so that it means that library, with a blank before it.
    """
    missing = missing_extras(PRESETS["small"].specs)
    install = f"pip install 'anyseek[{','.join(missing)}]'  and then  " if missing else ""
    change = f"{install}anyseek index --model small{library_option}"
    return f"starter is small and coarse; for better answers:  {change}  (anyseek models  shows the choice)"


def _card(entry: dict[str, Any], sources: dict[str, str]) -> ModelCard:
    scores = tuple(Score(task, data, metric, value, sources[source]) for task, data, metric, value, source in entry.get("scores", ()))
    modalities = frozenset(map(Modality, entry["modalities"]))
    return ModelCard(**{**entry, "modalities": modalities, "cut_to": tuple(entry.get("cut_to", ())), "scores": scores})
