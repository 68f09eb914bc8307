"""Judged queries as a library can be asked them, and their right answers as the library has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..asking import Asked, checked_weights
from ..errors import BadInput, BadQuery
from ..filters import Condition, parse
from ..search.references import Reference
from ..storage.catalog import Catalog, LocatedAsset
from ..types import Kind
from .judged import PARTS, JudgedQueries, JudgedQuery, Stretch
from .places import Places

__all__ = ["Missing", "Question", "Truth", "questions_of"]


@dataclass(frozen=True, slots=True)
class Truth:
    """A right answer that the library holds. Copies of a file are one answer.

    Attributes:
        path: Where it lies.
        content_id: Of its content.
        kind: What it is.
        grade: How right; of several stretches the highest.
        stretches: Where in it; empty if all of it is right.
    """

    path: Path
    content_id: int
    kind: Kind
    grade: int
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """A right answer that the library does not hold."""

    query: str
    path: str


@dataclass(frozen=True, slots=True)
class Question:
    """A judged query, ready to be asked.

    Attributes:
        judged: As it was written.
        asked: As the library is asked; limits and the like are still to be set.
        truths: The right answers that the library holds.
        own: Contents that are asked with, and so are no answer, unless they are judged to be one.
    """

    judged: JudgedQuery
    asked: Asked
    truths: tuple[Truth, ...]
    own: frozenset[int]

    @property
    def is_good(self) -> bool:
        """Whether the library holds a right answer."""
        return bool(self.truths)

    @property
    def is_absent(self) -> bool:
        """Whether nobody holds a right answer to it to exist: to find nothing is right."""
        return not self.judged.relevant


def questions_of(catalog: Catalog, queries: JudgedQueries, roots: Sequence[Path] = ()) -> tuple[list[Question], list[Missing]]:
    """Look up the files that queries name.

    Args:
        catalog: Of the library.
        queries: What is asked.
        roots: Further folders that paths may be relative to.

    Returns:
        The queries that can be judged, and all right answers that the library does not hold. A query that has right answers of which the
        library holds none cannot be judged: it is no question.

    Raises:
        BadInput: A file to ask with is not there, or a path may mean several; names the query.
    """
    places = Places(catalog, [queries.path.absolute().parent, *roots])
    questions: list[Question] = []
    missing: list[Missing] = []
    for judged in queries.queries:
        truths, lacking = _truths(places, judged)
        missing += lacking
        if truths or not judged.relevant:
            questions.append(_question(places, judged, truths))
    return questions, missing


def _truths(places: Places, judged: JudgedQuery) -> tuple[tuple[Truth, ...], list[Missing]]:
    truths: dict[int, Truth] = {}
    missing: dict[str, Missing] = {}
    for right in judged.relevant:
        asset = places.asset(right.path, f"query {judged.id!r}")
        if asset is None:
            missing[right.path] = Missing(judged.id, right.path)
            continue
        stretches = () if right.stretch is None else (right.stretch,)
        found = _truth(places, asset, right.grade, stretches)
        known = truths.get(found.content_id)
        if known is not None:  # another stretch, or a copy
            both = tuple(sorted({*known.stretches, *stretches})) if known.stretches and stretches else ()
            found = replace(known, grade=max(known.grade, right.grade), stretches=both)
        truths[found.content_id] = found
    return tuple(truths.values()), list(missing.values())


def _truth(places: Places, asset: LocatedAsset, grade: int, stretches: tuple[Stretch, ...]) -> Truth:
    assert asset.content_id is not None  # an indexed asset has one
    return Truth(asset.path, asset.content_id, places.kind_of(asset), grade, stretches)


def _question(places: Places, judged: JudgedQuery, truths: tuple[Truth, ...]) -> Question:
    name = f"query {judged.id!r}"
    where = _checked(judged, name)
    image, audio, video = ([places.example(path, name) for path in paths] for paths in (judged.image, judged.audio, judged.video))
    like, unlike = ([_reference(places, each, name) for each in each_of] for each_of in (judged.like, judged.unlike))
    shown = [places.asset(str(path), name) for path in (*image, *audio, *video, *(reference.path for reference in like))]
    own = {asset.content_id for asset in shown if asset is not None and asset.content_id is not None}
    asked = Asked(
        text=judged.text,
        negative=judged.negative,
        image=image,
        audio=audio,
        video=video,
        like=like,
        unlike=unlike,
        weights=judged.weights,
        kinds=judged.kinds,
        where=where,
    )
    return Question(judged, asked, truths, frozenset(own - {truth.content_id for truth in truths}))


def _checked(judged: JudgedQuery, name: str) -> Condition | None:
    """Find before the long work what could not be asked."""
    try:
        checked_weights(judged.weights, [part for part in PARTS if getattr(judged, part)])
        return None if judged.where is None else parse(judged.where)
    except BadQuery as error:
        raise BadInput(f"{name}: {error}") from error


def _reference(places: Places, written: str, name: str) -> Reference:
    try:
        reference = Reference.read(written)
    except BadQuery as error:
        raise BadInput(f"{name}: {error}") from error
    asset = places.asset(str(reference.path), name)
    return reference if asset is None else replace(reference, path=asset.path)
