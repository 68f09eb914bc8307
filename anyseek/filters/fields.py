"""What can be asked of an asset: the one table behind the parser, its errors and the documentation."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial

from ..errors import BadFilter
from ..types import Kind
from .dates import Period, period
from .operators import ORDER, SAME, Operator
from .patterns import Pattern, containing, fold, glob, path_glob
from .places import Box, Circle, box, circle
from .spans import Span, duration, pixels, plain, signed, size, span

__all__ = ["ALIASES", "FIELDS", "META", "Field", "UserValue", "Value", "is_field", "read_sureness", "read_value"]

META = "meta."


@dataclass(frozen=True, slots=True)
class UserValue:
    """What a value of the user's own metadata is compared with: one of both.

    Attributes:
        pattern: For the value as text.
        span: For the value as a number.
    """

    pattern: Pattern | None = None
    span: Span | None = None


Value = str | Pattern | Span | Period | Box | Circle | UserValue


@dataclass(frozen=True, slots=True)
class Field:
    """Something that can be asked of an asset.

    Attributes:
        name: As it is written in a filter.
        about: What it is, for the documentation.
        examples: Of comparisons.
        operators: How it may be compared.
        read: Reads what stands behind the operator.
        aliases: Other names for it.
    """

    name: str
    about: str
    examples: Sequence[str]
    operators: frozenset[Operator]
    read: Callable[[Operator, str], Value]
    aliases: Sequence[str] = ()


def _one_of(names: Sequence[str], operator: Operator, text: str) -> str:
    chosen = text.strip().lower()
    if chosen not in names:
        raise BadFilter(f"{text!r} is none of {', '.join(names)}: use one of these")
    return chosen


def _found_in(operator: Operator, text: str) -> Pattern:
    return containing(_some(text)) if operator is Operator.HAS else glob(_some(text), wild=False)


def _whole(operator: Operator, text: str) -> Pattern:
    return glob(_some(text), wild=operator is Operator.HAS)


def _path(operator: Operator, text: str) -> Pattern:
    return path_glob(_some(text))


def _source(operator: Operator, text: str) -> Pattern:
    return path_glob(_some(text.rstrip("/") or text))


def _extension(operator: Operator, text: str) -> Pattern:
    return Pattern(rf"\A.*[^/]\.{re.escape(fold(_some(text.removeprefix('.'))))}\Z")


def _of_user(operator: Operator, text: str) -> UserValue:
    if operator in (Operator.HAS, Operator.EQUAL):
        return UserValue(pattern=glob(text, wild=operator is Operator.HAS))
    return UserValue(span=span(operator, text, signed))


def _some(text: str) -> str:
    if not text:
        raise BadFilter("nothing stands behind the operator: name what to look for, or ask whether it is known at all, as in  has:title")
    return text


KINDS = tuple(kind.value for kind in Kind)
ORIENTATIONS = ("landscape", "portrait", "square")
KNOWN = ("artist", "camera", "date", "gps", "keyword", "meta", "rating", "sound", "tag", "title")

_TABLE = (
    Field("kind", "what it is: image, audio or video", ("kind:image",), SAME, partial(_one_of, KINDS)),
    Field("path", "where it lies, see below", ("path:*.jpg", "path:2024/**/beach*", "path:Holiday/"), SAME, _path),
    Field("source", "the indexed folder that it lies in, by its name or path", ("source:Photos", "source:/media/nas"), SAME, _source),
    Field("ext", "the ending of its name", ("ext:jpg", "ext:.MOV"), SAME, _extension, ("extension",)),
    Field("format", "how it is stored, told from its bytes", ("format:jpeg", "format:mp4"), SAME, _whole),
    Field(
        "date",
        "when it was taken, by the clock of the camera; when the file was changed, in UTC, where nothing says so",
        ("date:2024", "date>=2024-05", "date:2024-05..2024-07", "date<2024-05-17T18:30"),
        ORDER,
        period,
        ("taken",),
    ),
    Field("duration", "how long it lasts", ("duration>10s", "duration:1:30", "duration:2min..1h"), ORDER, partial(span, read=duration)),
    Field("size", "of the file", ("size>5MB", "size:..500kB"), ORDER, partial(span, read=size)),
    Field("width", "in pixels, seen upright", ("width>=1920",), ORDER, partial(span, read=plain)),
    Field("height", "in pixels, seen upright", ("height>=1080",), ORDER, partial(span, read=plain)),
    Field("megapixels", "width × height in millions", ("megapixels>=12",), ORDER, partial(span, read=pixels), ("mp",)),
    Field("orientation", "landscape, portrait or square", ("orientation:portrait",), SAME, partial(_one_of, ORIENTATIONS)),
    Field("camera", "the camera's name, or a part of it", ("camera:canon", 'camera="Canon EOS R5"'), SAME, _found_in),
    Field("title", "its title, or a part of it", ("title:sunset",), SAME, _found_in),
    Field("artist", "who made it, or a part of the name", ("artist:bach",), SAME, _found_in),
    Field("rating", "stars from 0 to 5", ("rating>=3", "rating:4..5"), ORDER, partial(span, read=plain), ("stars",)),
    Field("keyword", "a keyword in the file", ("keyword:holiday", "keyword:sea*"), SAME, _whole, ("keywords",)),
    Field("tag", "a tag that anyseek gave, also by how sure it was", ("tag:dog", "tag:dog>=0.7"), SAME, _whole, ("tags",)),
    Field("near", "taken at most so far from a place", ('near:"52.5,13.4 10km"', "near:52.5,13.4,800m"), SAME, circle),
    Field("within", "taken in a box: south, west, north, east", ('within:"47.2,5.8,55.1,15.1"',), SAME, box),
    Field("has", f"whether something is known: {', '.join(KNOWN)}", ("has:gps", "not has:sound"), SAME, partial(_one_of, KNOWN)),
    Field(
        "meta.KEY",
        "a value of your own, see  anyseek meta",
        ("meta.project=lighthouse", "meta.stars>=4", 'meta."shot by":an*'),
        ORDER,
        _of_user,
    ),
)

FIELDS: Mapping[str, Field] = {field.name: field for field in _TABLE}
ALIASES: Mapping[str, str] = {alias: field.name for field in _TABLE for alias in field.aliases}


def is_field(name: str) -> bool:
    """Whether something of that name can be asked."""
    return (name in FIELDS and name != "meta.KEY") or (name.startswith(META) and name != META)


def read_value(name: str, operator: Operator, text: str) -> Value:
    """Read what stands behind a field and an operator.

    Raises:
        BadFilter: There is no such field, it is not compared in that way, or not with that.
    """
    if not is_field(name):
        raise BadFilter(_unknown(name))
    field = FIELDS.get(name, FIELDS["meta.KEY"])
    if operator not in field.operators:
        raise BadFilter(f"{name} has no order to compare by {operator}: write it as  {field.examples[0]}")
    if any("\ud800" <= character <= "\udfff" or character == "\0" for character in name + text):
        raise BadFilter(f"what stands behind {name}{operator} holds characters that are no text: leave them out, or write ? for each")
    return field.read(operator, text)


def read_sureness(name: str, operator: Operator, text: str) -> Span:
    """Read how sure a tag is to be.

    Raises:
        BadFilter: Another field than tags, or it is no number from 0 to 1.
    """
    if name != "tag":
        raise BadFilter(f"a second comparison cannot stand behind {name}: only tags have one, as in  tag:dog>=0.7")
    if operator in (Operator.HAS, Operator.EQUAL):
        raise BadFilter("how sure a tag is cannot be matched exactly: write it as  tag:dog>=0.7")
    found = span(operator, text, plain)
    if (found.low or 0) > 1 or (found.high or 0) > 1:
        raise BadFilter(f"a tag cannot be sure by {text}: use a number from 0 to 1")
    return found


def _unknown(name: str) -> str:
    near = get_close_matches(name.lower(), [*FIELDS, *ALIASES, *KNOWN], n=1, cutoff=0.6)
    if name.startswith("meta"):
        near = ["meta.KEY"]
    known = ", ".join(FIELDS)
    hint = f"did you mean {near[0]}?" if near else f"use one of {known}, and  {META}{name}  for a value of your own"
    return f"there is no field {name!r}: {hint}"
