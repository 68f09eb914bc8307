"""What a person reads after a run of indexing that changed the model."""

from __future__ import annotations

from pathlib import Path

import pytest

from anyseek.cli.report import show_report
from anyseek.indexer.report import IndexReport


@pytest.mark.parametrize(
    ("before", "told"),
    [
        ((), "  eyes and ears took over\n"),
        (("starter",), "  eyes and ears took over from starter, whose vectors are kept until you run  anyseek models drop --library {}\n"),
    ],
)
def test_a_change_of_model_says_what_can_be_dropped(tmp_path: Path, capsys: pytest.CaptureFixture, before: tuple[str, ...], told: str):
    show_report(IndexReport(changed_to=("eyes", "ears"), changed_from=before), tmp_path)
    assert told.format(tmp_path) in capsys.readouterr().err
