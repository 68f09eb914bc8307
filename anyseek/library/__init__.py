"""The five-line door: open a library, index folders into it, search it. It wires the parts and has no logic of its own."""

from .door import Library

__all__ = ["Library"]
