"""Options of the commands that search: which hits are shown, in what order, and how."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = [
    "AllOption",
    "CursorOption",
    "ExplainOption",
    "LikedOption",
    "MinRelevanceOption",
    "MomentsOption",
    "OrderOption",
    "RejectedOption",
    "ReverseOption",
    "SessionOption",
    "least_of",
]

MinRelevanceOption = Annotated[
    float | None,
    typer.Option(
        "--min-relevance",
        min=0.0,
        max=1.0,
        metavar="X",
        help="Leave out hits of less relevance, from 0 to 1 (default: what is likelier wrong than right).",
        show_default=False,
    ),
]
AllOption = Annotated[bool, typer.Option("--all", help="Show hits however little relevant, as --min-relevance 0.")]
OrderOption = Annotated[
    str,
    typer.Option(
        "--order",
        "-o",
        metavar="ORDER",
        help="What comes first: relevance, date (the newest), path or duration (the longest).",
    ),
]
ReverseOption = Annotated[bool, typer.Option("--reverse", "-r", help="The other way round: the oldest, the shortest, the least relevant.")]
MomentsOption = Annotated[
    int | None,
    typer.Option("--moments", min=1, metavar="N", help="Show up to N moments of each sound or film.", show_default=False),
]
ExplainOption = Annotated[bool, typer.Option("--explain", "-e", help="Say of each hit how it came about.")]
CursorOption = Annotated[
    str | None, typer.Option("--cursor", metavar="CURSOR", help="The next page: what the page before ended with.", show_default=False)
]
LikedOption = Annotated[
    list[str] | None,
    typer.Option(
        "--liked",
        metavar="FILE[@TIME[-TIME]]",
        help="An earlier answer that was good: the query moves towards it; may be repeated.",
        show_default=False,
    ),
]
RejectedOption = Annotated[
    list[str] | None,
    typer.Option(
        "--rejected",
        metavar="FILE[@TIME[-TIME]]",
        help="An earlier answer that was wrong: the query moves away from it, and it is left out; may be repeated.",
        show_default=False,
    ),
]
SessionOption = Annotated[
    str | None,
    typer.Option(
        "--session",
        "-s",
        metavar="NAME",
        help="One sitting, in which what was liked and rejected of a query counts, see  anyseek feedback.",
        show_default=False,
    ),
]


def least_of(min_relevance: float | None, *, everything: bool) -> float | None:
    """The relevance that a hit must have at least; None for the default.

    Raises:
        typer.BadParameter: Both options are given.
    """
    if everything and min_relevance is not None:
        raise typer.BadParameter("--all and --min-relevance exclude each other: leave one out")
    return 0.0 if everything else min_relevance
