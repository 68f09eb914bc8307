"""How a field is compared."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["ORDER", "SAME", "Operator"]


class Operator(StrEnum):
    """The signs between a field and a value; ``!=`` is read as ``not … =``."""

    HAS = ":"
    EQUAL = "="
    ABOVE = ">"
    AT_LEAST = ">="
    BELOW = "<"
    AT_MOST = "<="


SAME = frozenset({Operator.HAS, Operator.EQUAL})
ORDER = frozenset(Operator)
