"""The fingerprint of a space: one digest over everything that shapes a vector."""

from __future__ import annotations

import hashlib
import json
from typing import Any

__all__ = ["fingerprint"]


def fingerprint(adapter: str, version: str, **parts: Any) -> str:
    """Digest what shapes a vector; equal parts give equal digests on every machine and in every run.

    The device, the precision and the batch size are no parts of it: they may not change a vector by more than a tolerance.

    Args:
        adapter: The name of the code that computes the vectors.
        version: Of that code: raise it whenever a change of the code changes a vector.
        parts: Model id and revision, towers, dimension, prompts, windows, settings of frames and tokens, preprocessing; made of what JSON
            has (texts, numbers, lists, dictionaries), whose order of keys does not count.

    Returns:
        64 hex digits.

    Raises:
        TypeError: A part is not made of what JSON has.
        ValueError: A number in it is not finite.
    """
    canonical = json.dumps({"adapter": adapter, "version": version, **parts}, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
