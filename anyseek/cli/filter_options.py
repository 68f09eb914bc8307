"""Options that filter what may be an answer: all that are given must hold; of one that is given several times, one value is enough."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from ..errors import BadFilter
from ..filters import Comparison, Condition, Operator, all_of, any_of, parse

__all__ = ["condition_of", "with_filters"]

PANEL = "Filters"


class _Given(NamedTuple):
    """An option, and the comparison that each of its values stands for."""

    flag: str
    metavar: str
    help: str
    field: str
    operator: Operator = Operator.HAS


# By the names of parameters, which no command has for anything else.
_COMPARING: Mapping[str, _Given] = {
    "where_after": _Given("--after", "DATE", "From this year, month, day or time on: 2024, 2024-05-17.", "date", Operator.AT_LEAST),
    "where_before": _Given("--before", "DATE", "Before it.", "date", Operator.BELOW),
    "where_between": _Given("--between", "DATE..DATE", "From the first to the end of the last: 2024-05..2024-07.", "date"),
    "where_path": _Given("--path", "GLOB", "Where it lies in its source: '*.jpg', '2024/**', 'Holiday/'.", "path"),
    "where_ext": _Given("--ext", "EXT", "The ending of its name: jpg, or jpg,png.", "ext"),
    "where_source": _Given("--source", "NAME", "The indexed folder that it lies in.", "source"),
    "where_camera": _Given("--camera", "NAME", "The camera's name, or a part of it.", "camera"),
    "where_keyword": _Given("--keyword", "WORD", "A keyword in the file.", "keyword"),
    "where_tag": _Given("--tag", "TAG", "A tag that anyseek gave.", "tag"),
    "where_rating": _Given("--rating", "N", "At least so many stars.", "rating", Operator.AT_LEAST),
    "where_min_duration": _Given("--min-duration", "TIME", "At least so long: 10s, 1:30, 2min.", "duration", Operator.AT_LEAST),
    "where_max_duration": _Given("--max-duration", "TIME", "At most so long.", "duration", Operator.AT_MOST),
    "where_near": _Given("--near", "'LAT,LON RADIUS'", "Taken near a place: '52.5,13.4 10km'.", "near"),
    "where_orientation": _Given("--orientation", "SHAPE", "landscape, portrait or square.", "orientation"),
}


def with_filters(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that filter.

    Args:
        command: It has a parameter ``where``, which is given the condition that all of them make, or None. The types that it names must
            be there when it is defined.
    """
    own = inspect.signature(command, eval_str=True)
    parameters = [parameter for parameter in own.parameters.values() if parameter.name != "where"]
    made = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=type_) for name, type_ in _options().items()]
    plain = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]

    @wraps(command)
    def filtered(**given: Any) -> None:
        values = {parameter.name: given.pop(parameter.name) for parameter in made}
        command(**given, where=condition_of(values))

    signature = own.replace(parameters=[*plain, *made])
    filtered.__signature__ = signature  # type: ignore[attr-defined]
    filtered.__annotations__ = {name: parameter.annotation for name, parameter in signature.parameters.items()}
    return filtered


def condition_of(values: Mapping[str, Sequence[str] | None]) -> Condition | None:
    """Make one condition of the options' values; None where none was given.

    Raises:
        BadFilter: An expression cannot be read.
        typer.BadParameter: A value of another option cannot be read.
    """
    conditions = [parse(text) for text in values.get("where_filter") or ()]
    for name, option in _COMPARING.items():
        chosen = any_of(_compared(option, text) for text in _texts(option, values.get(name) or ()))
        conditions += [chosen] if chosen is not None else []
    return all_of([*conditions, *_of_user(values.get("where_meta") or ())])


def _options() -> dict[str, Any]:
    """The types of the options, as typer reads them, by the names of their parameters."""

    def option(*flags: str, metavar: str, text: str) -> Any:
        return Annotated[list[str] | None, typer.Option(*flags, metavar=metavar, help=text, show_default=False, rich_help_panel=PANEL)]

    return {
        "where_filter": option("--filter", "-f", metavar="EXPR", text="A condition: 'date>=2024 and (rating>=4 or not has:gps)'."),
        **{name: option(given.flag, metavar=given.metavar, text=given.help) for name, given in _COMPARING.items()},
        "where_meta": option("--meta", metavar="KEY=VALUE", text="What you wrote down yourself, see anyseek meta."),
    }


def _texts(option: _Given, values: Sequence[str]) -> list[str]:
    if option.field == "ext" and values:
        return [text.strip() for value in values for text in value.split(",") if text.strip()] or [""]
    if option.field == "path":
        return [str(Path(value).expanduser()) + "/" * value.endswith("/") if value.startswith("~") else value for value in values]
    return list(values)


def _compared(option: _Given, text: str) -> Condition:
    try:
        if option.flag == "--between" and ".." not in text:
            raise BadFilter(f"{text!r} is no range: write it as  2024-05..2024-07")
        return Comparison(option.field, option.operator, text)
    except BadFilter as error:
        raise typer.BadParameter(error.reason, param_hint=option.flag) from None


def _of_user(values: Sequence[str]) -> list[Condition]:
    """Values of one key are alternatives, different keys must all be there."""
    by_key: dict[str, list[Condition]] = {}
    for value in values:
        key, sign, text = value.partition("=")
        if not sign or not key:
            raise typer.BadParameter(f"{value!r} is no pair: write it as  --meta project=lighthouse", param_hint="--meta")
        try:
            by_key.setdefault(key, []).append(Comparison(f"meta.{key}", Operator.EQUAL, text))
        except BadFilter as error:
            raise typer.BadParameter(error.reason, param_hint="--meta") from None
    return [joined for conditions in by_key.values() if (joined := any_of(conditions)) is not None]
