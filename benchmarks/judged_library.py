"""The judged library: the demo, or other labelled media, and films cut together from it, with the queries that go with them."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from .judged_films import make_film
from .judged_plan import plan_films
from .judged_queries import Query, Subjects, judged_queries, write_queries
from .measure import ROOT

__all__ = ["Media", "build"]

FILMS = "judged"


@dataclass(frozen=True, slots=True)
class Media:
    """Media that films are made of.

    Attributes:
        folder: Holds them in ``photos`` and ``sounds``.
        subjects: What can be asked of them.
        queries: Judged already, of photos and sounds alone.
    """

    folder: Path
    subjects: Subjects
    queries: tuple[Query, ...] = ()

    @classmethod
    def demo(cls) -> Media:
        """Those of ``data/demo``."""
        judged: list[Query] = json.loads((ROOT / "data" / "queries.json").read_text(encoding="utf-8"))["queries"]
        still = tuple(query for query in judged if query["target"] in {"image", "audio"})
        return cls(ROOT / "data" / "demo", Subjects.of_demo(), still)

    @classmethod
    def labelled(cls, folder: Path) -> Media:
        """Others, asked for by their labels: ``photos/labels.csv`` and ``sounds/labels.csv`` have the columns file and label."""
        by_label: dict[str, dict[str, list[str]]] = {"photos": {}, "sounds": {}}
        for part, labels in by_label.items():
            with (folder / part / "labels.csv").open(newline="", encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    labels.setdefault(row["label"], []).append(f"{part}/{row['file']}")
        return cls(folder, Subjects(seen=by_label["photos"], heard=by_label["sounds"], both={}, absent=()))

    def paths(self, part: str) -> list[str]:
        """All photos, or all sounds, in a fixed order."""
        files = (self.folder / part).rglob("*.*")
        return sorted(path.relative_to(self.folder).as_posix() for path in files if path.suffix != ".csv")


def build(media: Media, root: Path, films: int, seed: int) -> Path:
    """Make a folder to be indexed, and a file of judged queries beside it.

    Args:
        media: To show and play; copied into the folder, so that one library has them all.
        root: What to make; the queries lie in it as ``queries.json``, and their paths start from it.
        films: How many to make.
        seed: Equal seeds make equal films.

    Returns:
        The file of queries.
    """
    shutil.copytree(media.folder, root, ignore=shutil.ignore_patterns("*.csv"))
    (root / FILMS).mkdir()
    plans = plan_films(media.paths("photos"), media.paths("sounds"), films, seed)
    for plan in plans:
        make_film(plan, media.folder, root / FILMS / f"{plan.name}.mp4")
    queries = root / "queries.json"
    write_queries([*judged_queries(media.subjects, plans, FILMS), *(_moved(query, root) for query in media.queries)], queries)
    return queries


def _moved(query: Query, root: Path) -> Query:
    """A query of ``data/queries.json`` under a name of its own, with the path of its example as seen from `root`."""
    if query["kind"] == "text":
        return {**query, "id": f"demo-{query['id']}"}
    path = query["query"]
    asked = path.removeprefix("demo/") if path.startswith("demo/") else (ROOT / "data" / path).as_posix()
    return {**query, "query": asked, "id": f"demo-{query['id']}"}
