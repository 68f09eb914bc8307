"""Which assets may be answers: a small language (`docs/filters.md`), and its conditions as values."""

from .condition import And, Comparison, Condition, Not, Or, all_of, any_of
from .operators import Operator
from .parser import parse

__all__ = ["And", "Comparison", "Condition", "Not", "Operator", "Or", "all_of", "any_of", "parse"]
