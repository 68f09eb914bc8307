"""Judged queries, hits and results made by hand, without a library."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from anyseek.asking import Asked
from anyseek.evaluation.judged import JudgedQuery, RightAnswer, Stretch
from anyseek.evaluation.questions import Question, Truth
from anyseek.evaluation.results import Found, Result, document_id
from anyseek.types import Kind

__all__ = ["found", "question", "result", "truth"]

KIND_OF = {".jpg": Kind.IMAGE, ".ogg": Kind.AUDIO, ".mp4": Kind.VIDEO}


def truth(name: str, *stretches: tuple[int, int], grade: int = 1) -> Truth:
    """A right answer; its content's id is what its name adds up to."""
    path = Path(name)
    return Truth(path, sum(name.encode()), KIND_OF[path.suffix], grade, tuple(Stretch(*stretch) for stretch in stretches))


def question(*truths: Truth, name: str = "one", target: str = "any", text: str = "words", relevant: bool | None = None) -> Question:
    """A question with right answers; without them, nothing is right unless `relevant`."""
    right = [RightAnswer(str(each.path)) for each in truths] or ([RightAnswer("gone.jpg")] if relevant else [])
    return Question(JudgedQuery(name, target, tuple(right), text=(text,)), Asked(text=[text]), tuple(truths), frozenset())


def found(name: str, *moments: tuple[int, int], right: Truth | None = None, relevance: float = 0.9) -> Found:
    """A hit."""
    path = Path(name)
    return Found(
        sum(name.encode()), path, KIND_OF[path.suffix], relevance, tuple(Stretch(*each) for each in moments), right, document_id(path)
    )


def result(asked: Question, hits: Sequence[Found] = (), **fields: object) -> Result:
    """What came of a question."""
    documents, kinds = tuple(hit.document for hit in hits), tuple(hit.kind for hit in hits)
    return Result(asked, tuple(hits), documents, kinds, **fields)  # type: ignore[arg-type]
