"""What is to be learnt: an archive of products that no model knows the names of, and what is asked about it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from .judged_queries import Subjects
from .learning_media import kin_names, photographed, product_names, read_photo, read_sound, recorded, write_photo, write_sound
from .measure import ROOT

__all__ = ["HELD", "TAUGHT", "Archive", "Plan", "Product", "general_queries", "long_tail", "make_archive"]

TAUGHT, HELD = "taught", "held"
BACKGROUNDS = {"photos": 8, "sounds": 2}
STILL = {"photos": "image", "sounds": "audio"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What an archive is to hold.

    Attributes:
        photos: Products that are seen, at most.
        sounds: Products that are heard, at most.
        taught: How many files of each product there are to learn from; repeated where there are more products.
        held: How many files of each are kept back.
        families: How many families of products there are, whose names share a word; 0 for names that have nothing in common.
        strength: How different photos of one product are, see `benchmarks.learning_media.photographed`.
        seed: Of names, of which product is which, and of all variation.
    """

    photos: int = 60
    sounds: int = 18
    taught: tuple[int, ...] = (10,)
    held: int = 5
    strength: float = 0.5
    families: int = 0
    seed: int = 0

    def names(self, count: int, seed: int) -> list[str]:
        """What the products are called."""
        return kin_names(count, seed, self.families) if self.families else product_names(count, seed)


@dataclass(frozen=True, slots=True)
class Product:
    """Something with a name that means nothing.

    Attributes:
        name: What its owner calls it.
        kind: ``image`` or ``audio``.
        taught: Its files to learn from, relative to the archive.
        held: Those by which it is judged.
    """

    name: str
    kind: str
    taught: tuple[str, ...]
    held: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Archive:
    """A folder of products.

    Attributes:
        root: The folder; what is learnt from lies in ``taught``, what judges in ``held``, by numbers that tell nothing.
        products: What it holds.
        plan: By which it was made.
    """

    root: Path
    products: tuple[Product, ...]
    plan: Plan

    def renamed(self, seed: int) -> Archive:
        """The same files under other names."""
        names = self.plan.names(len(self.products), seed)
        return replace(self, products=tuple(replace(each, name=name) for each, name in zip(self.products, names, strict=True)))

    def write_pairs(self, path: Path) -> Path:
        """Write what there is to learn: a line for each taught file, with the product's name."""
        with path.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(["text", "asset"])
            table.writerows([product.name, str(self.root / taught)] for product in self.products for taught in product.taught)
        return path

    def queries(self, where: str, form: str = "{}") -> list[dict[str, Any]]:
        """Ask for every product by its name; right is what was kept back.

        Args:
            where: A condition, so that what was learnt from does not fill the first places.
            form: Other words around the name.
        """
        return [
            {
                "id": f"{product.kind}-{number:03}",
                "kind": "text",
                "query": form.format(product.name),
                "target": product.kind,
                "where": where,
                "relevant": [{"path": str(self.root / path)} for path in product.held],
            }
            for number, product in enumerate(self.products)
        ]


def general_queries(where: str | None = None) -> list[dict[str, Any]]:
    """What a person asks of the demo's photos and sounds in words, and never taught: each text once."""
    subjects = Subjects.of_demo()
    asked = {(text, "image"): answers for text, answers in subjects.seen.items()}
    asked |= {(text, "audio"): answers for text, answers in subjects.heard.items()}
    for query in json.loads((ROOT / "data" / "queries.json").read_text(encoding="utf-8"))["queries"]:
        if query["kind"] == "text" and query["target"] in STILL.values():
            asked.setdefault((query["query"], query["target"]), [right["path"] for right in query["relevant"]])
    return [
        {
            "id": f"general-{number:03}",
            "kind": "text",
            "query": text,
            "target": target,
            "relevant": [{"path": path} for path in answers if "@" not in path],
        }
        | ({} if where is None else {"where": where})
        for number, ((text, target), answers) in enumerate(asked.items())
    ]


def long_tail(classes: int, most: int = 100) -> tuple[int, ...]:
    """How many files each of some classes has, from `most` down to 1, each by the same share fewer than the one before."""
    return tuple(round(most ** (1 - number / (classes - 1))) for number in range(classes))


def make_archive(media: Path, root: Path, plan: Plan) -> Archive:
    """Make an archive.

    Args:
        media: Holds photos in ``photos`` and sounds in ``sounds``, of a different thing each.
        root: The folder to make.
        plan: What it is to hold.
    """
    (root / TAUGHT).mkdir(parents=True)
    (root / HELD).mkdir()
    chance = np.random.default_rng([plan.seed, 1])
    photos = [read_photo(path) for path in _drawn(media / "photos", plan.photos + BACKGROUNDS["photos"], chance)]
    sounds = [read_sound(path) for path in _drawn(media / "sounds", plan.sounds + BACKGROUNDS["sounds"], chance)] if plan.sounds else []
    before, behind = photos[: BACKGROUNDS["photos"]], sounds[: BACKGROUNDS["sounds"]]
    things = [("image", photo) for photo in photos[len(before) :]] + [("audio", sound) for sound in sounds[len(behind) :]]
    names = plan.names(len(things), plan.seed)
    counts = np.resize(plan.taught, len(things))
    chance.shuffle(counts)
    products = []
    for number, ((kind, thing), name, taught) in enumerate(zip(things, names, counts.tolist(), strict=True)):
        product = Product(name, kind, (), ())
        for part, count in ((TAUGHT, taught), (HELD, plan.held)):
            paths = tuple(f"{part}/{number:03}-{copy:03}.{'jpg' if kind == 'image' else 'wav'}" for copy in range(count))
            for copy, path in enumerate(paths):
                luck = np.random.default_rng([plan.seed, number, part == HELD, copy])
                if isinstance(thing, Image.Image):
                    write_photo(photographed(thing, before, luck, plan.strength), root / path, luck)
                else:
                    write_sound(recorded(thing, behind, luck), root / path)
            product = replace(product, **{part: paths})
        products.append(product)
    return Archive(root, tuple(products), plan)


def _drawn(folder: Path, count: int, chance: np.random.Generator) -> Sequence[Path]:
    paths = sorted(_files(folder))
    return [paths[place] for place in chance.permutation(len(paths))[:count]]


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*.*") if path.suffix != ".csv")
