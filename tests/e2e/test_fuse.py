"""What belongs together as one vector, by the real command and the built-in model."""

from __future__ import annotations

from pathlib import Path

import pytest
from commandline import CommandLine
from PIL import Image
from PIL.PngImagePlugin import PngInfo

pytestmark = pytest.mark.smoke


@pytest.fixture
def media(tmp_path: Path, demo: Path) -> Path:
    """A film with sound, a picture that says what it is, and one that does not."""
    root = tmp_path / "media"
    root.mkdir()
    (root / "film.mp4").write_bytes(next(iter(sorted((demo / "films").glob("*.mp4")))).read_bytes())
    said = PngInfo()
    said.add_text("Title", "a lighthouse in the fog")
    Image.new("RGB", (64, 48), (90, 120, 140)).save(root / "told.png", pnginfo=said)
    Image.new("RGB", (64, 48), (200, 40, 40)).save(root / "untold.png")
    return root


def test_films_and_pictures_are_found_by_all_that_belongs_to_them(command: CommandLine, media: Path) -> None:
    plain = command("index", media, "--json").json
    assert plain["joined"] == 0
    report = command("index", "--fuse", "mean", "--json").json
    assert (report["joined"] > 1, report["embedded"], report["interrupted"]) == (True, 0, False)
    status = command("status", "--json").json
    assert status["segments"]["whole"] == report["joined"]
    assert f"{report['joined']:,} whole" in command("status").out.decode()

    hits = command("search", "a lighthouse in the fog", "--all", "--explain", "--json").json["hits"]
    assert Path(hits[0]["path"]).name == "told.png"
    assert hits[0]["explanation"]["found"] == "whole"
    film = next(hit for hit in hits if hit["path"].endswith("film.mp4"))
    assert 0 <= film["start_ms"] <= film["best_ms"] <= film["end_ms"]

    assert command("index", "--json").json["joined"] == 0
    again = command("index", "--fuse", "agreement").complaint
    assert f"{report['joined']:,} moments joined" in again
    assert not command("doctor", "--json").json["findings"]

    refused = command("index", "--fuse", "network", code=2)
    assert "nothing was trained for it" in refused.complaint
    assert "joined vectors were removed" in command("index", "--fuse", "off").complaint
    assert command("status", "--json").json["segments"]["whole"] == 0
