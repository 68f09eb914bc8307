"""From segments that a label holds of to what is stored and told: the stretches where a tag holds."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from ..search.moments import merge_moments
from ..search.relevance import relevance_of
from ..search.spaces import SearchSpace
from ..types import Annotation, AnnotationType, Segment
from .report import Stretch, Tag
from .vocabulary import TagVocabulary

__all__ = ["Found", "annotations_of", "origin_of", "tags_of"]

DECIMALS = 4

Found = Mapping[str, Sequence[tuple[Segment, float]]]
"""By tag, the segments of one content that it holds of, with their scores."""


def origin_of(vocabulary: TagVocabulary, space: SearchSpace) -> str:
    """Whom tags are by: a vocabulary and a model. A vocabulary's name has no slash in it."""
    return f"{vocabulary.name}/{space.spec}"


def annotations_of(found: Found, kept: Collection[str], origin: str) -> list[Annotation]:
    """Make annotations of one content: one for each stretch where a tag holds, and for a picture one for the whole.

    Args:
        found: What holds in one space.
        kept: The tags that are to be given.
        origin: See `origin_of`.
    """
    made = []
    for text in sorted(found):
        if text not in kept:
            continue
        segments, scores = zip(*found[text], strict=True)
        for moment in merge_moments(segments, scores, tolerance=math.inf):
            confidence = round(relevance_of(moment.score), DECIMALS)
            made.append(Annotation(AnnotationType.TAG, origin, text, moment.start_ms, moment.end_ms, confidence))
    return made


def tags_of(annotations: Sequence[Annotation]) -> tuple[Tag, ...]:
    """Tell the tags of one content, the surest first, whichever space they are of."""
    by_text: dict[str, list[Annotation]] = defaultdict(list)
    for one in annotations:
        by_text[one.text].append(one)
    tags = []
    for text, ones in by_text.items():
        stretches = [Stretch(one.start_ms, one.end_ms, one.confidence or 0.0) for one in ones if one.end_ms]
        stretches.sort(key=lambda stretch: (stretch.start_ms, stretch.end_ms))
        tags.append(Tag(text, max(one.confidence or 0.0 for one in ones), tuple(stretches)))
    return tuple(sorted(tags, key=lambda tag: (-tag.confidence, tag.text)))
