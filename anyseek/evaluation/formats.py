"""Files of judged queries, in whichever format they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import BadInput
from .coco import is_coco, read_coco
from .fields import Fields
from .judged import JudgedQueries
from .native import read_native
from .strict_json import read_strictly

__all__ = ["read_queries"]

MOST_BYTES = 2**30


def read_queries(path: Path) -> JudgedQueries:
    """Read a file of judged queries: the native format, or captions as COCO has them.

    Raises:
        BadInput: It cannot be read, or something in it is wrong; names the query.
    """
    document = Fields(_load(path), str(path))
    queries = read_coco(document) if is_coco(document) else read_native(document)
    if not queries:
        raise document.wrong("there is no query in it")
    return JudgedQueries(path, tuple(queries))


def _load(path: Path) -> Any:
    try:
        if not path.is_file():
            raise BadInput(f"{path}: there is no such file: name a file of judged queries, see docs/evaluation.md")
        if path.stat().st_size > MOST_BYTES:
            raise BadInput(f"{path}: it is larger than {MOST_BYTES // 2**20:,} MiB: split it")
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: it cannot be read ({error.strerror}): name a file of judged queries") from error
    try:
        return read_strictly(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path}: it is no JSON ({error}): mend it, see docs/evaluation.md for the format") from error
