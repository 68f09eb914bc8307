"""Rankings and judgements as files of TREC, which other tools read, ir_measures among them.

Ids and paths are percent-encoded, for the format separates its columns by spaces.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from ..errors import BadInput
from .results import Result, document_id

__all__ = ["qrels_path", "write_trec"]


def write_trec(results: Sequence[Result], path: Path, tag: str) -> Path:
    """Write a run, and its judgements beside it.

    Args:
        results: Of one way to search.
        path: Of the run.
        tag: What the run is called in its last column.

    Returns:
        Where the judgements are.

    Raises:
        BadInput: It cannot be written there.
    """
    beside = qrels_path(path)
    if beside == path:
        raise BadInput(f"{path}: its judgements will be called so: give the run another ending than .qrels")
    try:
        path.write_text("".join(_run_lines(results, quote(tag, safe="=,"))), encoding="ascii")
        beside.write_text("".join(_qrel_lines(results)), encoding="ascii")
    except OSError as error:
        raise BadInput(f"{path}: the run cannot be written there ({error.strerror}): name another file") from error
    return beside


def qrels_path(path: Path) -> Path:
    """Where the judgements of a run lie: ``search.run`` has ``search.qrels``."""
    return path.with_suffix(".qrels")


def _run_lines(results: Sequence[Result], tag: str) -> Iterator[str]:
    for result in results:
        for place, document in enumerate(result.ranking, 1):
            yield f"{quote(result.question.judged.id)} Q0 {document} {place} {len(result.ranking) - place + 1} {tag}\n"


def _qrel_lines(results: Sequence[Result]) -> Iterator[str]:
    for result in results:
        for truth in result.question.truths:
            yield f"{quote(result.question.judged.id)} 0 {document_id(truth.path)} {truth.grade}\n"
