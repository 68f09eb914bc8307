"""anyseek: cross-modal semantic search for pictures, sounds and videos.

Example:
    from anyseek import Library
    with Library.open("~/Media") as library:
        library.index("~/Media")
        for hit in library.search("a dog barking at the sea", limit=5):
            print(hit.relevance, hit.path, hit.start_ms, hit.end_ms)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .encoders.protocol import Encoder
    from .errors import AnyseekError
    from .indexer.indexer import IndexOptions
    from .indexer.report import IndexReport
    from .library import Library
    from .search.engine import Answer, Hit
    from .search.moments import Moment
    from .types import Kind, Modality, Segment, Space

__all__ = [
    "Answer",
    "AnyseekError",
    "Encoder",
    "Hit",
    "IndexOptions",
    "IndexReport",
    "Kind",
    "Library",
    "Modality",
    "Moment",
    "Segment",
    "Space",
    "__version__",
]

__version__ = "0.1.0"

_HOMES = {
    "AnyseekError": "errors",
    "Answer": "search.engine",
    "Encoder": "encoders.protocol",
    "Hit": "search.engine",
    "IndexOptions": "indexer.indexer",
    "IndexReport": "indexer.report",
    "Kind": "types",
    "Library": "library",
    "Modality": "types",
    "Moment": "search.moments",
    "Segment": "types",
    "Space": "types",
}


def __getattr__(name: str) -> Any:
    """Load a public name from its module when it is first asked for, so that ``import anyseek`` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
