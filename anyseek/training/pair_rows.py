"""One row of a file of pairs, by the names of its fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import BadQuery
from ..evaluation.fields import Fields
from ..search.references import Reference
from .pairs import Pair

__all__ = ["COLUMNS", "pair_of"]

COLUMNS = ("text", "query", "like", "asset", "path", "label", "positive", "grade", "note")
"""``query`` is another name of ``text``, ``path`` of ``asset``, and ``positive`` of ``label``."""

RIGHT = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
MOST_GRADE = 100
LONGEST_TEXT = 10_000


def pair_of(values: object, place: str) -> Pair:
    """Make a pair of a row.

    Args:
        values: An object: values by column; those that are missing are not there.
        place: Where it stands, for errors.

    Raises:
        BadInput: Something in it is wrong.
    """
    fields = Fields(values, place)
    assert isinstance(values, dict)  # else there would be no fields
    text, like = _one_of(fields, "text", "query"), fields.text("like") if fields.has("like") else None
    if (text is None) == (like is None):
        raise fields.wrong("it needs either 'text', for words, or 'like', for a file that is asked with: give one of them")
    target = _one_of(fields, "asset", "path")
    if target is None:
        raise fields.wrong("'asset' is missing: name the file that answers, such as  photos/dog.jpg  or  film.mp4@0:12-0:18")
    if text is not None and len(text) > LONGEST_TEXT:
        raise fields.wrong(f"the text has {len(text):,} characters and may have {LONGEST_TEXT:,}: shorten it")
    pair = Pair(
        query=text if text is not None else _reference(like or "", fields),
        target=_reference(target, fields),
        positive=_label(fields, values),
        grade=_grade(fields, values),
        place=place,
    )
    fields.ignore(*COLUMNS)
    fields.end()
    return pair


def _one_of(fields: Fields, name: str, other: str) -> str | None:
    if fields.has(name) and fields.has(other):
        raise fields.wrong(f"{name!r} and {other!r} are the same: leave one of them out")
    return next((fields.text(each) for each in (name, other) if fields.has(each)), None)


def _reference(written: str, fields: Fields) -> Reference:
    try:
        return Reference.read(written)
    except BadQuery as error:
        raise fields.wrong(str(error)) from error


def _label(fields: Fields, values: Mapping[str, Any]) -> bool:
    if fields.has("label") and fields.has("positive"):
        raise fields.wrong("'label' and 'positive' are the same: leave one of them out")
    name = next((each for each in ("label", "positive") if fields.has(each)), None)
    if name is None:
        return True
    written = values[name]
    found = RIGHT.get(written.strip().casefold() if isinstance(written, str) else str(int(written)) if written in (0, 1) else "")
    if found is None:
        raise fields.wrong(f"{name!r} must be 1 for what is right or 0 for what is not, not {written!r}")
    return found


def _grade(fields: Fields, values: Mapping[str, Any]) -> int:
    if not fields.has("grade"):
        return 1
    written = values["grade"]
    whole = int(written) if isinstance(written, str) and written.strip().isdecimal() and len(written.strip()) <= 3 else written
    if isinstance(whole, bool) or not isinstance(whole, int) or not 1 <= whole <= MOST_GRADE:
        raise fields.wrong(f"'grade' must be a whole number from 1 to {MOST_GRADE}, not {written!r}")
    return whole
