"""Settings from the environment. Read by the doors and by nothing below them."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["LIBRARY_VARIABLE", "default_library"]

LIBRARY_VARIABLE = "ANYSEEK_LIBRARY"


def default_library() -> Path:
    """The library that is meant when none is named: ``$ANYSEEK_LIBRARY``, else one in the user's data folder."""
    named = os.environ.get(LIBRARY_VARIABLE)
    if named:
        return Path(named).expanduser()
    import platformdirs

    return platformdirs.user_data_path("anyseek", appauthor=False) / "default.anyseek"
