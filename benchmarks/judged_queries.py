"""What is asked of the judged films, and which answers are right, in the format of `data/queries.json`."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from .judged_plan import FilmPlan
from .measure import ROOT

__all__ = ["Subjects", "judged_queries", "write_queries"]

STILL = {"seen": "image", "heard": "audio"}

Query = dict[str, Any]
Place = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Subjects:
    """What can be asked, and which media answer it.

    Attributes:
        seen: Text → photos, and stretches of films as ``PATH@START-END``.
        heard: Text → sounds, and stretches of films.
        both: Text → any of them.
        absent: Texts that nothing answers.
    """

    seen: Mapping[str, Sequence[str]]
    heard: Mapping[str, Sequence[str]]
    both: Mapping[str, Sequence[str]]
    absent: Sequence[str]

    @classmethod
    def of_demo(cls) -> Subjects:
        """Those of ``data/demo``."""
        return cls(**tomllib.loads((ROOT / "benchmarks" / "judged.toml").read_text(encoding="utf-8")))

    @property
    def texts(self) -> dict[str, Sequence[str]]:
        """Every text that something answers."""
        return {**self.seen, **self.heard, **self.both}


def judged_queries(subjects: Subjects, films: Sequence[FilmPlan], folder: str = "judged") -> list[Query]:
    """Ask for every text that an answer is held for, for every photo and sound in a film by itself, and for what nothing answers.

    Each text is asked of films alone (target ``video``), of everything (target ``any``), where an answer is a file or a stretch of one, and
    of photos or sounds alone, which tells what an encoder knows from where a moment is found.

    Args:
        subjects: What is asked.
        films: Where the photos and sounds are shown and played.
        folder: In which the films lie, relative to the library's root.
    """
    places = _places(films, folder)
    queries: list[Query] = []
    for group in ("seen", "heard", "both"):
        for number, (text, answers) in zip(count(1), getattr(subjects, group).items(), strict=False):
            stretches = _joined([place for answer in answers for place in _of_answer(answer, places)])
            if stretches:
                queries.append(_query(f"text-video-{group}-{number:02}", "text", text, "video", stretches))
            files = [{"path": answer} for answer in answers if "@" not in answer]
            queries.append(_query(f"text-any-{group}-{number:02}", "text", text, "any", [*files, *stretches]))
            if group in STILL:
                queries.append(_query(f"text-{STILL[group]}-{number:02}", "text", text, STILL[group], files))
    for kind, group in (("image", "seen"), ("audio", "heard")):
        answers_of = getattr(subjects, group).values()
        for number, path in enumerate(_used(films, kind), 1):
            alike = dict.fromkeys([path, *(answer for answers in answers_of if path in answers for answer in answers)])
            stretches = _joined([place for answer in alike for place in _of_answer(answer, places)])
            queries.append(_query(f"{kind}-video-{number:02}", kind, path, "video", stretches))
    queries += [_query(f"text-any-absent-{n:02}", "text", text, "any", []) for n, text in enumerate(subjects.absent, 1)]
    return queries


def write_queries(queries: Sequence[Query], path: Path) -> None:
    """Write them as a file that ``anyseek eval`` reads."""
    path.write_text(json.dumps({"version": 1, "queries": list(queries)}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _query(name: str, kind: str, asked: str, target: str, relevant: Sequence[Place]) -> Query:
    return {"id": name, "kind": kind, "query": asked, "target": target, "relevant": list(relevant)}


def _used(films: Sequence[FilmPlan], kind: str) -> list[str]:
    return sorted({cut.path for film in films for cut in (film.shown if kind == "image" else film.played)})


def _places(films: Sequence[FilmPlan], folder: str) -> dict[str, list[Place]]:
    """Photo or sound → where films have it."""
    found: dict[str, list[Place]] = {}
    for film in films:
        for cut in (*film.shown, *film.played):
            place = {"path": f"{folder}/{film.name}.mp4", "start_ms": cut.start_ms, "end_ms": cut.end_ms}
            found.setdefault(cut.path, []).append(place)
    return found


def _of_answer(answer: str, places: Mapping[str, Sequence[Place]]) -> Sequence[Place]:
    path, _, stretch = answer.partition("@")
    if not stretch:
        return places.get(path, ())
    start, end = map(int, stretch.split("-"))
    return [{"path": path, "start_ms": start, "end_ms": end}]


def _joined(places: Iterable[Place]) -> list[Place]:
    """Stretches of one film that touch are one: what is seen goes on as long as something right is seen or heard."""
    joined: list[Place] = []
    for place in sorted(places, key=lambda place: (place["path"], place["start_ms"])):
        last = joined[-1] if joined else None
        if last is not None and last["path"] == place["path"] and place["start_ms"] <= last["end_ms"]:
            last["end_ms"] = max(last["end_ms"], place["end_ms"])
        else:
            joined.append(dict(place))
    return joined
