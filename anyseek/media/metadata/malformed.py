"""What reading a malformed tag can raise inside Pillow and mutagen."""

from __future__ import annotations

import struct

__all__ = ["MALFORMED"]

MALFORMED = (
    SyntaxError,  # Pillow: "not a TIFF file"
    struct.error,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    TypeError,
    ValueError,
    Warning,  # Pillow warns of corrupt EXIF, which is an exception under python -W error
)
"""Each means: this tag counts as absent."""
