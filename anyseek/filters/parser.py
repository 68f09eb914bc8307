"""Reading filters as a person writes them."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn

from ..errors import BadFilter
from .condition import And, Comparison, Condition, Not, Or, checked
from .fields import ALIASES, is_field
from .operators import Operator

if TYPE_CHECKING:
    from lark import Lark, Token, UnexpectedInput

__all__ = ["parse"]

MOST_CHARACTERS = 20_000
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def parse(text: str) -> Condition:
    """Read a filter, see ``docs/filters.md``.

    Args:
        text: Such as ``kind:image and (rating>=3 or keyword:holiday)``.

    Raises:
        BadFilter: It is none; the error says at which column, and what to write instead.
    """
    from lark import UnexpectedInput

    if not text.strip():
        raise BadFilter("it is empty: write it as field:value, as in  kind:image date>=2024, or leave it out")
    if len(text) > MOST_CHARACTERS:
        raise BadFilter(f"it has {len(text):,} characters and may have {MOST_CHARACTERS:,}: say it with patterns or ranges")
    try:
        condition: Condition = _parser().parse(text)  # type: ignore[assignment]
    except UnexpectedInput as exc:
        _explain(text, exc)
    return checked(condition)


class _Builder:
    """Makes conditions while the text is read: no tree is walked, so that no nesting is too deep."""

    def either(self, parts: list[Condition]) -> Condition:
        return Or(tuple(parts))

    def both(self, parts: list[Condition]) -> Condition:
        return And(tuple(parts))

    def negation(self, parts: list[Condition]) -> Condition:
        return Not(parts[0])

    def group(self, parts: list[Condition]) -> Condition:
        return parts[0]

    def comparison(self, parts: list[Token]) -> Condition:
        field, operator, value, *more = parts
        name, sign = _name_of(field), operator.removeprefix(":") or ":"
        sure = None
        try:
            if more:
                sure = _operator(more[0].removeprefix(":") or ":"), _text_of(more[1])
            if sign == "!=":
                return Not(Comparison(name, Operator.EQUAL, _text_of(value), sure))
            return Comparison(name, _operator(sign), _text_of(value), sure)
        except BadFilter as exc:
            raise BadFilter(exc.reason, _column(value if is_field(name) else field)) from None


@cache
def _parser() -> Lark:
    from lark import Lark

    return Lark.open("grammar.lark", rel_to=__file__, parser="lalr", lexer="contextual", transformer=_Builder())


def _operator(sign: str) -> Operator:
    if sign == "!=":
        raise BadFilter("how sure a tag is cannot be matched exactly: write it as  tag:dog>=0.7")
    return Operator(sign)


def _name_of(field: Token) -> str:
    name, dot, key = field.partition(".")
    name = name.lower()
    return f"{name}.{_unquoted(key)}" if dot else ALIASES.get(name, name)


def _text_of(value: Token) -> str:
    return _unquoted(value) if value.type == "STRING" else str(value)


def _unquoted(text: str) -> str:
    return _ESCAPED.sub(r"\1", text[1:-1]) if text.startswith('"') else text


def _column(token: Token) -> int:
    return (token.start_pos or 0) + 1


def _last_token(exc: UnexpectedInput) -> Any:
    """What was read last, when it was not made part of a condition yet; None at the beginning."""
    from lark import Token

    parser = getattr(exc, "interactive_parser", None)
    history = getattr(exc, "token_history", None)
    last = parser.parser_state.value_stack[-1:] if parser is not None else history
    return last[-1] if last and isinstance(last[-1], Token) else None


def _explain(text: str, exc: UnexpectedInput) -> NoReturn:
    """Say what is wrong where the text could not be read on."""
    at_end = getattr(getattr(exc, "token", None), "type", "") == "$END"
    place = len(text) if at_end else exc.pos_in_stream or 0
    found = text[place : place + 1]
    before = _last_token(exc)
    behind = None if before is None else before.type
    if behind == "FIELD":
        raise BadFilter(f"{str(before)!r} stands alone: write it as field:value, as in  kind:image  or  title:{before}", _column(before))
    if behind == "OPERATOR" and at_end:
        raise BadFilter(f"nothing stands behind {str(before)!r}: name what to look for", _column(before))
    if found == '"' and not _QUOTED.match(text, place):
        raise BadFilter('a quote is not closed: end it with " and write a quote within it as \\"', place + 1)
    if behind == "OPERATOR":
        raise BadFilter(f'{found!r} cannot begin a value: put the value in quotes, as in  title:"a = b"', place + 1)
    if not found:
        raise BadFilter("it ends too early: close the parenthesis, or say what comes next, as in  kind:image and rating>=3", place + 1)
    if found == ")":
        raise BadFilter("a parenthesis is closed that was never opened, or holds nothing: leave it out", place + 1)
    raise BadFilter(f"{found!r} cannot stand here: write conditions as field:value and join them with and, or, not", place + 1)
