"""Runs of the real command over the life of a folder: renames, copies, Ctrl-C, two at once, a library that moves."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commandline import CommandLine
from PIL import Image
from samples import write_tone

COUNTS = ("new", "changed", "moved", "copied", "unchanged", "removed", "kept", "failed", "still_failed", "embedded", "purged")


def picture(path: Path, seed: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (24, 32, 3), np.uint8)).save(path, "PNG")
    return path


def counts(report: dict[str, Any]) -> dict[str, int]:
    """What a report counts, without zeros."""
    return {name: report[name] for name in COUNTS if report[name]}


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """Three pictures and a tone."""
    root = tmp_path / "media"
    for number, name in enumerate(("one.png", "two.png", "sub/three.png")):
        picture(root / name, number)
    write_tone(root / "tone.wav", 440)
    return root


def found(command: CommandLine, *more: object) -> set[str]:
    """The names of all files that can be found."""
    hits = command("search", "anything", "--all", "-n", 1000, "--json", *more).json["hits"]
    return {Path(hit["path"]).name for hit in hits}


def test_renamed_moved_copied_and_deleted_files_embed_nothing(command: CommandLine, media: Path) -> None:
    """All with the default library, which is made in the user's own data folder."""
    assert counts(command("index", media, "--json").json) == {"new": 4, "embedded": 4}
    assert Path(command("status", "--json").json["library"]).is_relative_to(command.home)
    assert counts(command("index", "--json").json) == {"unchanged": 4}

    (media / "one.png").rename(media / "first.png")
    (media / "sub").rename(media / "below")
    shutil.copy(media / "two.png", media / "copy of two.png")
    assert counts(command("index", "--json").json) == {"moved": 2, "copied": 1, "unchanged": 2}
    assert found(command) == {"first.png", "two.png", "three.png", "copy of two.png", "tone.wav"}

    (media / "two.png").unlink()
    assert counts(command("index", "--json").json) == {"removed": 1, "unchanged": 4}
    assert found(command) == {"first.png", "three.png", "copy of two.png", "tone.wav"}

    picture(media / "first.png", 99)
    assert counts(command("index", media / "first.png", "--json").json) == {"changed": 1, "embedded": 1}
    said = command("index")
    assert said.complaint.startswith("✓ Nothing to do: 4 unchanged, nothing embedded (")
    assert command("doctor", "--json").json["healthy"]


def test_a_disk_that_is_not_plugged_in_loses_nothing(command: CommandLine, media: Path) -> None:
    command("index", media)
    aside = media.rename(media.with_name("aside"))
    report = command("index", media, "--json").json
    assert (counts(report), report["unavailable"]) == ({"kept": 4}, [str(media)])
    said = command("index")
    assert f"note: {media} is not there or empty: nothing of it was removed" in said.complaint
    media.mkdir()
    assert counts(command("index", "--json").json) == {"kept": 4}
    media.rmdir()
    aside.rename(media)
    assert counts(command("index", "--json").json) == {"unchanged": 4}
    shutil.rmtree(media)
    assert counts(command("index", media, "--prune", "--json").json) == {"removed": 4, "purged": 4}
    assert command("search", "anything", "--all", "--json", code=1).json["hits"] == []


def test_options_of_a_run(command: CommandLine, media: Path) -> None:
    report = command("index", media, "--kinds", "image", "--exclude", "sub", "--json").json
    assert (counts(report), report["skipped"]) == ({"new": 2, "embedded": 2}, {"excluded": 1, "other kind": 1})
    assert counts(command("index", "--kinds", "audio", "--json").json) == {"new": 1, "kept": 2, "embedded": 1}
    assert counts(command("index", "--json").json) == {"unchanged": 3}, "what was excluded once stays so"
    said = command("index", media, "--no-exclude", "--verbose", "--jobs", 1)
    assert f"new {media / 'sub' / 'three.png'}" in " ".join(said.complaint.split())
    command("index", media, "--kinds", "smell", code=2)
    command("index", media, "--jobs", 0, code=2)


def test_names_that_no_shell_likes(command: CommandLine, tmp_path: Path) -> None:
    """Newlines, bytes that are no UTF-8, a leading dash, control characters, quotes, 255 bytes: by `-0` and `--paths` as they are."""
    media = tmp_path / "media"
    odd = [
        b"-rf.png",
        b"two\nlines.png",
        b"caf\xe9.png",
        b"\x1b[31mred.png",
        b"'\"$(d)`e`.png",
        b"[bold]x[/].png",
        b" .png",
        b"x" * 251 + b".png",
    ]
    for number, name in enumerate(odd):
        picture(media / os.fsdecode(name), number)
    assert command("index", media, "--json").json["new"] == len(odd)
    wanted = {os.fsencode(media) + b"/" + name for name in odd}
    assert set(command("search", "x", "--all", "-0", "-n", 100).out.split(b"\0")[:-1]) == wanted
    lines = command("search", "x", "--all", "--paths", "-n", 100).out
    assert sorted(lines) == sorted(b"".join(path + b"\n" for path in wanted))
    for words in (["search", "x", "--all", "-n", "100"], ["status"], ["index", "-v"], ["doctor"]):
        said = command(*words)
        assert b"\x1b" not in said.out + said.err
        assert b"two\nlines" not in said.out + said.err
    hits = command("search", "x", "--all", "-n", 100, "--json").json["hits"]
    assert {os.fsencode(hit["path"]) for hit in hits} == wanted
    for name in odd:
        best = command("search", "-0", "-n", 1, "--image", os.fsencode(media) + b"/" + name).out
        assert best == os.fsencode(media) + b"/" + name + b"\0"
    assert len(command("similar", "-0", "--all", "--", "-rf.png", cwd=media).out.split(b"\0")) == len(odd)
    assert command("search", "-0", "-n", 1, "--image=-rf.png", cwd=media).out == os.fsencode(media) + b"/-rf.png\0"


def test_a_library_moves_with_its_media(command: CommandLine, media: Path) -> None:
    command("index", media, "-l", media)
    assert (media / ".anyseek" / "catalog.db").is_file()
    other = media.rename(media.parent / "elsewhere")
    hits = command("search", "x", "--all", "-l", other, "--json").json["hits"]
    assert {hit["path"] for hit in hits} == {str(other / name) for name in ("one.png", "two.png", "sub/three.png", "tone.wav")}
    assert counts(command("index", "-l", other, "--json").json) == {"unchanged": 4}
    assert counts(command("index", other, "-l", other / ".anyseek", "--json").json) == {"unchanged": 4}
    assert command("status", "-l", other, "--json").json["sources"] == [str(other)]


def test_two_libraries_do_not_see_each_other(command: CommandLine, media: Path, tmp_path: Path) -> None:
    other = picture(tmp_path / "other" / "four.png", 4).parent
    command("index", media, "-l", tmp_path / "a")
    command("index", other, "-l", tmp_path / "b")
    assert found(command, "-l", tmp_path / "a") == {"one.png", "two.png", "three.png", "tone.wav"}
    assert found(command, "-l", tmp_path / "b") == {"four.png"}
    command("similar", other / "four.png", "-l", tmp_path / "a", code=2)
    assert found(CommandLine(command.home, library=tmp_path / "b")) == {"four.png"}


def test_libraries_are_no_media(command: CommandLine, media: Path) -> None:
    """A library that lies among the media, under whatever name, is passed over."""
    report = command("index", media, "-l", media / "mine.anyseek", "--json").json
    assert report["skipped"] == {"anyseek library": 1}
    picture(media / "mine.anyseek" / "thumbnail.png", 7)
    report = command("index", "-l", media / "mine.anyseek", "--json").json
    assert (counts(report), report["skipped"]) == ({"unchanged": 4}, {"anyseek library": 1})


def without_override() -> None:
    """Take from root what lets it write where nobody may (CAP_DAC_OVERRIDE = 1, CAP_DAC_READ_SEARCH = 2); others never had it."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (1, 2):
            if libc.prctl(24, capability, 0, 0, 0):
                raise OSError(ctypes.get_errno(), "PR_CAPBSET_DROP")


def test_a_library_that_cannot_be_written_can_be_searched(media: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    CommandLine(tmp_path / "home")("index", media, "-l", library)
    command = CommandLine(tmp_path / "home", library=library, before=without_override)
    shut = [library, *library.rglob("*")]
    for path in shut:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert found(command) == {"one.png", "two.png", "three.png", "tone.wav"}
        assert command("status", "--json").json["files"] == {"image": 3, "audio": 1, "video": 0}
        command("similar", media / "one.png")
        command("errors")
        said = command("index", media, code=4)
        assert said.complaint.startswith(f"anyseek: the library at {library} cannot be written: make it writable, or ")
    finally:
        for path in shut:
            path.chmod(0o755)


def test_a_library_of_a_newer_version_is_refused(command: CommandLine, media: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    command("index", media, "-l", library)
    with closing(sqlite3.connect(library / "catalog.db")) as catalog, catalog:
        (known,) = catalog.execute("SELECT version_num FROM alembic_version").fetchone()
        catalog.execute("UPDATE alembic_version SET version_num = '9999'")
    before = (library / "catalog.db").read_bytes()
    for words in (["search", "x"], ["index"], ["status"], ["errors"], ["errors", "--retry"], ["similar", str(media / "one.png")]):
        assert command(*words, "-l", library, code=4).complaint == (
            f"anyseek: the library at {library} was written by a newer anyseek (schema 9999, this one knows {known}): "
            "upgrade with  pip install --upgrade anyseek\n"
        )
    findings = command("doctor", "-l", library, "--json", code=4).json["findings"]
    assert "too_new" in [finding["code"] for finding in findings]
    assert (library / "catalog.db").read_bytes() == before


SLOW_ENCODER = '''
"""Stands in for a slow machine: each batch of pictures takes as long as the environment says."""
import os, time
from anyseek.encoders.starter.encoder import StarterEncoder

real = StarterEncoder.encode_images

def encode_images(self, pictures):
    time.sleep(float(os.environ["SECONDS_PER_BATCH"]))
    return real(self, pictures)

StarterEncoder.encode_images = encode_images
'''


@pytest.fixture
def slowly(tmp_path: Path) -> Callable[[float], dict[str, str]]:
    """An environment in which encoding takes long enough to press a key meanwhile."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(SLOW_ENCODER)
    return lambda seconds: {"PYTHONPATH": str(site), "SECONDS_PER_BATCH": str(seconds)}


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Ten batches of pictures."""
    for number in range(160):
        picture(tmp_path / "many" / f"{number:03}.png", number)
    return tmp_path / "many"


def stored(library: Path) -> int:
    """How many vectors a library has, whoever is writing to it."""
    try:
        with closing(sqlite3.connect(f"file:{library / 'catalog.db'}?mode=ro", uri=True)) as catalog:
            return int(catalog.execute("SELECT count(*) FROM embedding").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def wait_until(happened: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def press_ctrl_c(process: subprocess.Popen[bytes]) -> None:
    """As a terminal does: to the command and its decoding processes alike."""
    os.killpg(process.pid, signal.SIGINT)


def test_ctrl_c_stops_after_the_batch_in_flight(tmp_path: Path, many: Path, slowly: Callable[[float], dict[str, str]]) -> None:
    library = tmp_path / "library"
    command = CommandLine(tmp_path / "home", library=library)
    process = command.start("index", many, "--json", env=slowly(0.2))
    wait_until(lambda: stored(library), process)
    press_ctrl_c(process)
    said = command.finish(process, code=130)
    assert said.complaint == "note: stopping after the batch in flight; Ctrl-C again stops at once\n"
    assert said.json["interrupted"] is True
    kept = said.json["embedded"]
    assert 0 < kept == stored(library) < 160
    assert len(found(command)) == said.json["new"] <= kept
    assert command("doctor", "--json").json["healthy"]

    report = command("index", many, "--json").json
    assert report["interrupted"] is False
    assert (report["new"] + report["unchanged"], report["embedded"]) == (160, 160 - kept)


def test_what_a_person_reads_after_ctrl_c(tmp_path: Path, many: Path, slowly: Callable[[float], dict[str, str]]) -> None:
    library = tmp_path / "library"
    command = CommandLine(tmp_path / "home", library=library)
    process = command.start("index", many, env=slowly(0.2))
    wait_until(lambda: stored(library), process)
    press_ctrl_c(process)
    said = command.finish(process, code=130)
    assert "note: stopped: what was indexed so far can be searched, and the next run goes on from here\n" in said.complaint


def test_ctrl_c_twice_ends_at_once(tmp_path: Path, many: Path, slowly: Callable[[float], dict[str, str]]) -> None:
    library = tmp_path / "library"
    command = CommandLine(tmp_path / "home", library=library)
    command("index", many / "000.png")
    process = command.start("index", many, env=slowly(60))
    assert process.stderr is not None
    wait_until((library / "writer.json").exists, process)
    time.sleep(1.5)  # into the first batch, which takes a minute
    press_ctrl_c(process)
    assert process.stderr.readline() == b"note: stopping after the batch in flight; Ctrl-C again stops at once\n"
    pressed = time.monotonic()
    press_ctrl_c(process)
    said = command.finish(process, code=130)
    assert time.monotonic() - pressed < 10
    assert said.out == b""
    assert stored(library) == 1
    assert not (library / "writer.json").exists()
    assert found(command) == {"000.png"}


def test_the_second_of_two_runs_names_the_first(tmp_path: Path, many: Path, slowly: Callable[[float], dict[str, str]]) -> None:
    library = tmp_path / "library"
    command = CommandLine(tmp_path / "home", library=library)
    first = command.start("index", many, env=slowly(0.3))
    wait_until(lambda: stored(library), first)
    for words in (["index", many], ["doctor", "--repair"]):
        said = command(*words, code=4)
        assert f"anyseek: the library at {library} is being written by process {first.pid} on " in said.complaint
        assert said.complaint.endswith("): wait for it to finish or stop it\n")
    assert 0 < len(found(command)) < 160, "reading goes on meanwhile"
    command.finish(first)
    assert len(found(command)) == 160


def test_a_mistyped_folder_makes_no_library(command: CommandLine, tmp_path: Path) -> None:
    said = command("index", tmp_path / "typo", "-l", tmp_path / "new", code=2)
    assert "typo: no such file or folder" in said.err.decode()
    assert not (tmp_path / "new").exists()
