"""The whole corpus of odd and hostile files through the real command in one run: each file ends as its row in the table says."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from commandline import CommandLine
from odd_files import ODD_FILES, Expected, OddFile, plant
from PIL import Image

from anyseek.errors import FailureCode

pytestmark = pytest.mark.xdist_group("odd files")


@dataclass
class Corpus:
    """The planted files, the library they were indexed into and what the command said."""

    root: Path
    planted: list[OddFile]
    command: CommandLine
    report: dict[str, Any]
    failed: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.failed = {file.name: str(file.expected.code) for file in self.planted if file.expected.state == "failed"}

    def failures_in(self, report: dict[str, Any]) -> dict[str, str]:
        """The failures of a report, named as the table names them."""
        return {os.path.relpath(row["path"], self.root): row["code"] for row in report["failures"]}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    base = tmp_path_factory.mktemp("odd")
    root = base / "media"
    planted = plant(root)
    command = CommandLine(base / "home", library=base / "library")
    said = command("index", root, "--json", code=3)
    assert said.err == b""
    return Corpus(root, planted, command, said.json)


def ends_of(library: Path) -> dict[str, Expected]:
    """How each file ended, told from the catalog's rows."""
    with closing(sqlite3.connect(library / "catalog.db")) as catalog:
        rows = catalog.execute(
            "SELECT path, state, asset.failure_code, kind, (SELECT count(*) FROM segment JOIN embedding ON segment_id = segment.id"
            " WHERE segment.content_id = content.id) FROM asset LEFT JOIN content ON content.id = content_id"
        ).fetchall()
    return {
        os.fsdecode(path): Expected(state, kind if state == "indexed" else None, segments if state == "indexed" else 0, code)
        for path, state, code, kind, segments in rows
    }


def test_every_file_ends_as_the_table_says(corpus: Corpus) -> None:
    assert len(corpus.planted) >= 40
    if os.name == "posix":
        assert len(corpus.planted) == len(ODD_FILES)
    ends = ends_of(corpus.root.parent / "library")
    wrong = {}
    for file in corpus.planted:
        end = ends.pop(file.name, Expected("skipped"))
        wanted = file.expected
        as_wanted = (
            end.state == wanted.state
            and end.code == wanted.code
            and (wanted.state != "indexed" or (end.kind == wanted.kind and end.segments >= wanted.segments))
        )
        if not as_wanted:
            wrong[file.name] = (end, wanted)
    assert wrong == {}
    assert ends == {}, "these are in no row of the table"


def test_the_report_counts_what_happened(corpus: Corpus) -> None:
    report = corpus.report
    indexed = [file for file in corpus.planted if file.expected.state == "indexed"]
    assert report["new"] + report["copied"] == len(indexed)
    assert report["failed"] == len(corpus.failed)
    assert corpus.failures_in(report) == corpus.failed
    assert report["embedded"] == sum(end.segments for end in ends_of(corpus.root.parent / "library").values())
    passed_over: dict[str, int] = {}
    for file in corpus.planted:
        if file.expected.state == "skipped":
            passed_over[str(file.expected.rule)] = passed_over.get(str(file.expected.rule), 0) + 1
    assert report["skipped"] == passed_over
    assert not report["interrupted"]
    assert all(failure["reason"] for failure in report["failures"])


def test_what_was_passed_over_is_listed_with_its_rule(corpus: Corpus) -> None:
    rows = corpus.command("errors", "--skipped", "--json").json["skipped"]
    wanted = {file.name: file.expected.rule for file in corpus.planted if file.expected.state == "skipped"}
    assert {os.path.relpath(row["path"], corpus.root): row["rule"] for row in rows} == wanted


def test_the_errors_are_listed_exactly(corpus: Corpus) -> None:
    said = corpus.command("errors", "--json", code=3).json
    assert set(said) == {"failures"}
    assert corpus.failures_in(said) == corpus.failed
    table = corpus.command("errors", code=3).text
    for code in set(corpus.failed.values()):
        assert code in table


def test_a_second_run_embeds_nothing(corpus: Corpus) -> None:
    """Failures that lie in a file's bytes are not tried again; those of its place (a broken link, a lock) are, and fail as before."""
    report = corpus.command("index", corpus.root, "--json", code=3).json
    assert {name: report[name] for name in ("new", "changed", "moved", "copied", "removed", "embedded")} == dict.fromkeys(
        ("new", "changed", "moved", "copied", "removed", "embedded"), 0
    )
    of_place = {name: code for name, code in corpus.failed.items() if not FailureCode(code).lies_in_content}
    assert corpus.failures_in(report) == of_place
    assert report["still_failed"] == len(corpus.failed) - len(of_place)


def test_the_library_is_sound(corpus: Corpus) -> None:
    findings = corpus.command("doctor", "--json").json["findings"]
    assert {finding["code"] for finding in findings} <= {"faiss_missing"}


def test_every_indexed_file_can_be_found(corpus: Corpus) -> None:
    """By its name byte for byte, as `-0` prints it, and as an example of itself."""
    said = corpus.command("search", "anything", "--all", "-0", "--limit", 1000)
    names = {os.fsdecode(os.path.relpath(path, os.fsencode(corpus.root))) for path in said.out.split(b"\0")[:-1]}
    assert names == {file.name for file in corpus.planted if file.expected.state == "indexed"}


def test_retrying_heals_what_was_mended(tmp_path: Path) -> None:
    """All failures are read again on request; what is good by now is indexed, the rest fails as before."""
    media, command = tmp_path / "media", CommandLine(tmp_path / "home", library=tmp_path / "library")
    media.mkdir()
    Image.new("RGB", (32, 32), "red").save(media / "good.png")
    (media / "text.png").write_text("Dear diary")
    (media / "link.png").symlink_to(tmp_path / "later.jpg")
    assert command("index", media, "--json", code=3).json["failed"] == 2
    report = command("errors", "--retry", "--json", code=3).json
    assert (report["failed"], report["embedded"]) == (2, 0)
    Image.new("RGB", (32, 32), "blue").save(tmp_path / "later.jpg")
    report = command("errors", "--retry", "--json", code=3).json
    assert (report["new"] + report["changed"], report["embedded"]) == (1, 1)
    assert [(Path(row["path"]).name, row["code"]) for row in report["failures"]] == [("text.png", "not_media")]
    (media / "text.png").unlink()
    command("errors", "--retry", "--json")
    assert command("errors", "--json").json == {"failures": []}


MEDDLER = '''
"""Stands in for people and programs that work in a folder while it is indexed: a picture named for it does the deed when it is opened."""
import os
import anyseek.media.open as media

real = media.open_media

def open_media(path, options):
    folder = path.parent
    if path.name == "1 meddler.png":
        os.truncate(folder / "2 changed before.png", 10)
        os.unlink(folder / "3 vanished.png")
    if path.name == "4 changed meanwhile.png":
        with path.open("ab") as file:
            file.write(b"more")
    if path.name == "5 replaced meanwhile.png":
        os.replace(folder / "replacement", path)
    return real(path, options)

media.open_media = open_media
'''


@pytest.fixture
def meddler(tmp_path: Path) -> dict[str, str]:
    """A mock at the edge of the decoder, for nothing else can time a change to the instant between the walk, the hash and the end."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(MEDDLER)
    return {"PYTHONPATH": str(site)}


def test_files_that_change_or_vanish_under_our_hands(tmp_path: Path, meddler: dict[str, str]) -> None:
    media, command = tmp_path / "media", CommandLine(tmp_path / "home", library=tmp_path / "library")
    media.mkdir()
    names = ("1 meddler.png", "2 changed before.png", "3 vanished.png", "4 changed meanwhile.png", "5 replaced meanwhile.png", "6 calm.png")
    for number, name in enumerate(names):
        Image.new("RGB", (32, 32), (40 * number, 0, 0)).save(media / name)
    Image.new("RGB", (48, 48), "green").save(media / "replacement", "PNG")
    report = command("index", media, "--jobs", 1, "--json", code=3, env=meddler).json
    assert {Path(row["path"]).name: row["code"] for row in report["failures"]} == {
        names[1]: "changed",
        names[2]: "vanished",
        names[3]: "changed",
        names[4]: "changed",
    }
    assert report["new"] == 2

    # nothing of what they were is in the library, and the next run takes them as they are now
    hits = command("search", "red", "--all", "--json").json["hits"]
    assert {Path(hit["path"]).name for hit in hits} == {names[0], names[5]}
    report = command("index", "--json", code=3).json
    assert {Path(row["path"]).name: row["code"] for row in report["failures"]} == {names[1]: "damaged"}
    assert report["embedded"] == 2
    errors = command("errors", "--json", code=3).json["failures"]
    assert [(Path(row["path"]).name, row["code"]) for row in errors] == [(names[1], "damaged")]
    hits = command("search", "red", "--all", "--json").json["hits"]
    assert {Path(hit["path"]).name: hit["width"] for hit in hits} == {names[0]: 32, names[3]: 32, names[4]: 48, names[5]: 32}


def test_an_unreadable_folder_keeps_what_it_holds(tmp_path: Path) -> None:
    """Root reads everything, so that for root the folder is replaced by a link to nowhere, which nobody can look into."""
    media, command = tmp_path / "media", CommandLine(tmp_path / "home", library=tmp_path / "library")
    shut = media / "shut"
    shut.mkdir(parents=True)
    Image.new("RGB", (32, 32), "red").save(media / "open.png")
    Image.new("RGB", (32, 32), "blue").save(shut / "inside.png")
    command("index", media)
    if os.geteuid() == 0:
        shutil.move(shut, tmp_path / "aside")
        shut.symlink_to("shut")
    else:
        shut.chmod(0)
    try:
        report = command("index", "--json", code=3).json
    finally:
        if not shut.is_symlink():
            shut.chmod(0o755)
    assert (report["removed"], report["kept"], report["failed"]) == (0, 1, 1)
