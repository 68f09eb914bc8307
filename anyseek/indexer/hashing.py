"""The content hash: XXH3-128 over the whole file, whatever its size, so that equal digests mean equal bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

__all__ = ["digest_of"]

CHUNK_BYTES = 4 * 1024 * 1024


def digest_of(path: Path, tick: Callable[[], None] = lambda: None) -> bytes:
    """Hash a file.

    Args:
        path: The file.
        tick: Called after each chunk.

    Returns:
        16 bytes.

    Raises:
        OSError: The file cannot be read.
    """
    import xxhash

    state = xxhash.xxh3_128()
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK_BYTES):
            state.update(chunk)
            tick()
    return state.digest()
