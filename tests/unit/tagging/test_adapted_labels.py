"""Labels are queries: they go through the adapter that is on, and what was tagged without it is tagged again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from adapting import linear
from shelf import Shelf

from anyseek.adapters.adapter import Adapter
from anyseek.search.adaptation import Adaptation
from anyseek.search.relevance import PlainCosine
from anyseek.tagging.report import TagOptions, TagReport
from anyseek.tagging.tagger import Tagger
from anyseek.tagging.vocabulary import TagVocabulary
from anyseek.types import Kind, Modality, Segment

ROCKS = TagVocabulary.parse("rocks.txt", "[seen: seen]\nstone = rock\n")


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path / "library")
    for name, axis in (("red.png", 0), ("other.png", 4)):
        shelf.put(name, Kind.IMAGE, (Segment(Modality.IMAGE), np.eye(8, dtype=np.float32)[axis]))
    yield shelf
    shelf.catalog.close()


def tag(shelf: Shelf, *adapters: Adapter) -> TagReport:
    spaces = shelf.search_spaces()
    adaptation = Adaptation(shelf.catalog, spaces, adapters)
    return Tagger(shelf.catalog, spaces, PlainCosine(), ROCKS, TagOptions(min_relevance=0.8), adaptation).run()


def told(report: TagReport) -> dict[str, list[str]]:
    return {asset.path.name: [tag.text for tag in asset.tags] for asset in report.assets}


def test_labels_go_through_the_adapter(shelf: Shelf) -> None:
    assert told(tag(shelf)) == {"red.png": [], "other.png": ["stone"]}
    shows_red = linear({4: 0})
    taught = tag(shelf, shows_red)
    assert told(taught) == {"red.png": ["stone"], "other.png": []}
    assert [asset.unchanged for asset in taught.assets] == [False, False]
    assert [asset.unchanged for asset in tag(shelf, shows_red).assets] == [True, True]
    assert told(tag(shelf)) == {"red.png": [], "other.png": ["stone"]}
