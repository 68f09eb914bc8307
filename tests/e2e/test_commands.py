"""The real command on the demo media: what it prints, in which shape, and with which code it ends."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from commandline import CommandLine
from demo_library import DemoLibrary

pytestmark = pytest.mark.xdist_group("demo")

Shape = Any
"""A type, a tuple of types, a list of one shape, or a dictionary of shapes with exactly these keys."""

MAYBE_INT, MAYBE_STR, MAYBE_FLOAT = (int, type(None)), (str, type(None)), (float, type(None))
MOMENT: Shape = {
    "start_ms": int,
    "end_ms": int,
    "best_ms": int,
    "start": str,
    "end": str,
    "best": str,
    "relevance": float,
    "score": float,
    "signals": [str],
}
HIT: Shape = {
    "path": str,
    "kind": str,
    "relevance": float,
    "score": float,
    "cosine": float,
    "bias": float,
    "space": str,
    "bridge": MAYBE_STR,
    "reference": str,
    "start_ms": MAYBE_INT,
    "end_ms": MAYBE_INT,
    "best_ms": MAYBE_INT,
    "start": MAYBE_STR,
    "end": MAYBE_STR,
    "best": MAYBE_STR,
    "signals": [str],
    "moments": [MOMENT],
    "asset_id": int,
    "width": MAYBE_INT,
    "height": MAYBE_INT,
    "duration_ms": MAYBE_INT,
    "format": str,
    "bytes": int,
    "captured_at": str,
    "captured_from": str,
    "camera": MAYBE_STR,
    "latitude": MAYBE_FLOAT,
    "longitude": MAYBE_FLOAT,
    "title": MAYBE_STR,
    "artist": MAYBE_STR,
    "rating": MAYBE_INT,
    "keywords": [str],
    "tags": [str],
}
ANSWER: Shape = {
    "query": str,
    "searched": int,
    "took_ms": float,
    "spaces": [str],
    "notes": [str],
    "min_relevance": float,
    "cursor": MAYBE_STR,
    "hits": [HIT],
}
PART: Shape = {"name": str, "label": str, "weight": float, "contribution": MAYBE_FLOAT, "relevance": float}
EXPLANATION: Shape = {
    "asked": str,
    "found": str,
    "space": str,
    "bridge": MAYBE_STR,
    "adapter": MAYBE_STR,
    "cosine": float,
    "bias": float,
    "relevance": float,
    "parts": [PART],
}
COUNTS = (
    "new",
    "changed",
    "moved",
    "copied",
    "unchanged",
    "filled",
    "removed",
    "kept",
    "failed",
    "still_failed",
    "embedded",
    "joined",
    "purged",
)
FAILURE: Shape = {"path": str, "code": str, "reason": str}
REPORT: Shape = {
    "library": str,
    **dict.fromkeys(COUNTS, int),
    "skipped": dict,
    "filled_in": dict,
    "failures": [FAILURE],
    "refused": [{"path": str, "model": str, "code": str, "reason": str}],
    "changed_to": [str],
    "changed_from": [str],
    "unavailable": [str],
    "interrupted": bool,
    "seconds": float,
    "notes": [str],
}
MODEL: Shape = {
    "spec": str,
    "dim": int,
    "revision": MAYBE_STR,
    "fingerprint": str,
    "state": str,
    "vectors": int,
    "lacking": int,
    "refused": int,
}
STATUS: Shape = {
    "library": str,
    "sources": [str],
    "files": {"image": int, "audio": int, "video": int},
    "failed": int,
    "deleted": int,
    "contents": int,
    "segments": {"image": int, "audio": int, "video": int, "whole": int},
    "models": [MODEL],
    "adapters": [{"name": str, "state": str}],
    "bytes": int,
}
FINDING: Shape = {"code": str, "severity": str, "text": str, "remedy": MAYBE_STR}
EXAMINATION: Shape = {"healthy": bool, "findings": [FINDING], "repaired": [str], "backup": MAYBE_STR}


def check(value: Any, shape: Shape, at: str = "") -> None:
    """See that a value has a shape."""
    if isinstance(shape, dict):
        assert isinstance(value, dict), at
        assert list(value) == list(shape), at
        for key, inner in shape.items():
            check(value[key], inner, f"{at}.{key}")
    elif isinstance(shape, list):
        assert isinstance(value, list), at
        for place, item in enumerate(value):
            check(item, shape[0], f"{at}[{place}]")
    else:
        kinds = shape if isinstance(shape, tuple) else (shape,)
        assert type(value) in kinds, f"{at} is {value!r}"


@pytest.fixture
def anyseek(demo_library: DemoLibrary) -> CommandLine:
    return demo_library.command


def names(said: Any) -> list[str]:
    return [Path(hit["path"]).name for hit in said.json["hits"]]


def test_the_shapes_of_json_are_a_promise(anyseek: CommandLine, demo_library: DemoLibrary) -> None:
    check(anyseek("search", "a rooster", "--limit", 200, "--all", "--json").json, ANSWER)
    explained = {**ANSWER, "hits": [{**HIT, "explanation": EXPLANATION}]}  # type: ignore[dict-item]
    check(anyseek("search", "a rooster", "--not", "a hen", "--explain", "--all", "--json").json, explained)
    check(anyseek("search", "a rooster", "--not", "a hen", "--fusion", "rrf", "--explain", "--all", "--json").json, explained)
    check(anyseek("similar", demo_library.media / "photos" / "IMG_2041.jpg", "--json").json, ANSWER)
    check(anyseek("status", "--json").json, STATUS)
    check(anyseek("doctor", "--json").json, EXAMINATION)
    check(anyseek("errors", "--json").json, {"failures": [FAILURE]})
    check(anyseek("index", demo_library.media, "--json").json, REPORT)


def test_times_are_there_for_sounds_and_films_only(anyseek: CommandLine) -> None:
    for hit in anyseek("search", "music", "--limit", 200, "--all", "--json").json["hits"]:
        if hit["kind"] == "image":
            assert (hit["start_ms"], hit["end_ms"], hit["best_ms"], hit["moments"]) == (None, None, None, [])
            assert hit["signals"] == ["seen"]
        else:
            best = hit["moments"][0]
            assert hit["start_ms"] == best["start_ms"] <= hit["best_ms"] == best["best_ms"] < best["end_ms"] == hit["end_ms"]
            assert hit["end_ms"] <= hit["duration_ms"] + 250
            assert set(hit["signals"]) <= ({"heard"} if hit["kind"] == "audio" else {"seen", "heard"})


def test_the_best_comes_first_and_limits_hold(anyseek: CommandLine) -> None:
    hits = anyseek("search", "a dog", "--json", "--all", "-n", 200).json["hits"]
    scores = [hit["score"] for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert len({hit["path"] for hit in hits}) == len(hits) == anyseek("status", "--json").json["contents"]
    assert anyseek("search", "a dog", "--json", "--all", "-n", 3).json["hits"] == hits[:3]
    assert len(anyseek("search", "a dog", "--all", "--json").json["hits"]) == 10


def test_kinds_restrict_the_answer(anyseek: CommandLine) -> None:
    for kind, counted in anyseek("status", "--json").json["files"].items():
        hits = anyseek("search", "a bell", "-k", kind, "-n", 200, "--all", "--json").json["hits"]
        assert {hit["kind"] for hit in hits} == {kind}
        assert len(hits) == counted
    both = anyseek("search", "a bell", "--kind", "audio,video", "-n", 200, "--all", "--json").json["hits"]
    assert both == anyseek("search", "a bell", "-k", "audio", "-k", "video", "-n", 200, "--all", "--json").json["hits"]
    assert {hit["kind"] for hit in both} == {"audio", "video"}


def test_paths_are_bare(anyseek: CommandLine) -> None:
    wanted = [hit["path"] for hit in anyseek("search", "a dog", "--json").json["hits"]]
    assert anyseek("search", "a dog", "--paths").text == "".join(f"{path}\n" for path in wanted)
    assert anyseek("search", "a dog", "-0").out == b"".join(os.fsencode(path) + b"\0" for path in wanted)


def test_examples_of_every_kind_and_together(anyseek: CommandLine, demo_library: DemoLibrary) -> None:
    queries = demo_library.media.parent / "queries"
    by_picture = names(anyseek("search", "--image", queries / "cat.jpg", "-k", "image", "-n", 3, "--json"))
    assert {"IMG_2057.jpg", "chelsea.png"} & set(by_picture)
    assert anyseek("search", "--audio", queries / "trumpet.mp3", "--json").json["query"] == "trumpet.mp3"
    assert anyseek("search", "--video", queries / "dogs.mp4", "--json").json["hits"]
    together = anyseek("search", "in the grass", "-i", queries / "cat.jpg", "-a", queries / "gallop.ogg", "--json").json
    assert together["query"] == "in the grass + cat.jpg + gallop.ogg"
    several = anyseek("search", "-i", queries / "cat.jpg", "-i", queries / "cup.jpg", "--json").json
    assert several["query"] == "cat.jpg + cup.jpg"


def test_a_file_finds_itself_as_an_example_and_not_as_its_own_like(anyseek: CommandLine, demo_library: DemoLibrary) -> None:
    photo = demo_library.media / "photos" / "IMG_2041.jpg"
    first = anyseek("search", "--image", photo, "-n", 1, "--json").json["hits"][0]
    assert first["path"] == str(photo)
    assert first["cosine"] > 0.999
    assert first["relevance"] > 0.9
    alike = anyseek("similar", photo, "-n", 200, "--all", "--json").json["hits"]
    assert str(photo) not in {hit["path"] for hit in alike}
    assert {hit["kind"] for hit in alike} == {"image", "audio", "video"}


def test_weights_pull_and_push(anyseek: CommandLine, demo_library: DemoLibrary) -> None:
    cat = demo_library.media.parent / "queries" / "cat.jpg"

    def ranked(*more: object) -> list[str]:
        return names(anyseek("search", "a trumpet", "-i", cat, "-n", 200, "--all", "--json", *more))

    assert ranked("-w", "text=0") == names(anyseek("search", "-i", cat, "-n", 200, "--all", "--json"))
    assert ranked("--weight", "image=0") == names(anyseek("search", "a trumpet", "-n", 200, "--all", "--json"))
    assert ranked("-w", "text=2", "-w", "image=2") == ranked()
    pictures = ("search", "a dog", "-k", "image", "-n", 200, "--all", "--json")
    assert names(anyseek(*pictures, "-w", "text=-1")) == names(anyseek(*pictures))[::-1]


@pytest.mark.parametrize("text", ["/etc/passwd", "http://192.0.2.1/cat.jpg", "IMG_2041.jpg", "~", "../x", "%_", 'it\'s "quoted"; --', "猫"])
def test_text_is_text_whatever_it_looks_like(anyseek: CommandLine, demo_library: DemoLibrary, text: str) -> None:
    """Asked in the very folder where the file of that name lies: it is not opened, for the file itself would score 1."""
    answer = anyseek("search", text, "--all", "--json", cwd=demo_library.media / "photos").json
    assert answer["query"] == text
    assert 0 < len(answer["hits"]) <= 10
    assert all(hit["cosine"] < 0.99 for hit in answer["hits"])


def test_text_may_begin_with_a_dash(anyseek: CommandLine) -> None:
    assert anyseek("search", "--all", "--json", "--", "-3 degrees").json["query"] == "-3 degrees"


REFUSED = {
    "empty text": (["search", ""], "the text is empty"),
    "blank text": (["search", " \t\n"], "the text is empty"),
    "endless text": (["search", "word " * 2000], "shorten it"),
    "nothing": (["search"], "there is nothing to search for"),
    "no media": (["search", "--image", __file__], "is no known picture, sound or film"),
    "another kind": (["search", "--image", "{data}/queries/gallop.ogg"], "gallop.ogg is a sound, not a picture: give it with --audio"),
    "no file": (["search", "--audio", "nowhere.mp3"], "nowhere.mp3: the file is not there"),
    "a folder": (["search", "--video", "."], "it is no regular file"),
    "a file without a name": (["search", "--image", ""], "a path is empty: name a file or folder"),
    "a range that ends first": (["search", "x", "--between", "2024..2023"], "before it begins with 2024"),
    "weight of nothing": (["search", "x", "-w", "smell=2"], "there is no part called 'smell'"),
    "weight without number": (["search", "x", "-w", "text"], "'text' is no weight: write it as  --weight image=2"),
    "weight not a number": (["search", "x", "-w", "text=nan"], "nan is no weight"),
    "weights of zero": (["search", "x", "-w", "text=0"], "all weights are 0"),
    "no such kind": (["search", "x", "-k", "smell"], "'smell' is no kind"),
    "no room": (["search", "x", "-n", "0"], "--limit"),
    "a relevance there is not": (["search", "x", "--min-relevance", "2"], "--min-relevance"),
    "two minds": (["search", "x", "--all", "--min-relevance", "0.3"], "--all and --min-relevance exclude each other"),
    "no such order": (["search", "x", "--order", "beauty"], "no order is called 'beauty': use relevance, date, path, duration"),
    "no such fusion": (
        ["search", "x", "--fusion", "median"],
        "no fusion is called 'median': use mean, agreement, weighted, network, max, rrf",
    ),
    "no cursor": (["search", "x", "--cursor", "later"], "'later' is no cursor"),
    "no moments": (["search", "x", "--moments", "0"], "--moments"),
    "like what is not there": (["search", "x", "--like", "nowhere.mp4@0:01-0:02"], "nowhere.mp4 is not in the library"),
    "a stretch that ends first": (["similar", "film.mp4@0:18-0:12"], "ends before it begins"),
    "pushing away alone": (["search", "--not", "x", "--not", "y", "--fusion", "max"], "max has nothing to rank"),
    "no such option": (["search", "x", "--nonsense"], "--nonsense"),
    "no such command": (["frobnicate"], "frobnicate"),
    "not in the library": (["similar", __file__], "is not in the library"),
    "no such folder": (["index", "nowhere"], "nowhere: no such file or folder"),
    "no such backend": (["index", ".", "--video-backend", "vhs"], "'vhs' is no video backend"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_done_is_refused_with_code_2(anyseek: CommandLine, demo_library: DemoLibrary, case: str) -> None:
    words, reason = REFUSED[case]
    said = anyseek(*(word.replace("{data}", str(demo_library.media.parent)) for word in words), code=2)
    assert said.out == b""
    assert " ".join(reason.split()) in " ".join(said.complaint.replace("│", " ").split())  # usage errors come in a box


def test_a_kind_the_library_has_none_of_is_an_honest_empty_answer(command: CommandLine, demo: Path, tmp_path: Path) -> None:
    command("index", demo / "photos" / "IMG_2041.jpg", "-l", tmp_path / "library")
    said = command("search", "a dog", "-k", "audio", "-l", tmp_path / "library", code=1)
    assert said.text.startswith("a dog   nothing found")
    assert said.complaint == "note: the library holds no audio yet\n"
    answer = command("search", "a dog", "-k", "audio,video", "--json", "-l", tmp_path / "library", code=1).json
    assert (answer["hits"], answer["notes"]) == ([], ["the library holds no audio or video yet"])
    assert command("search", "a dog", "-k", "audio", "--paths", "-l", tmp_path / "library", code=1).out == b""


NEEDING_A_LIBRARY = (
    *(["search", "x"], ["similar", "x"], ["status"], ["errors"], ["doctor"], ["duplicates"], ["tag"], ["tag", "--remove"]),
    *(["calibrate"], ["calibrate", "--reset"], ["meta", "x"]),
)


@pytest.mark.parametrize("words", NEEDING_A_LIBRARY, ids=" ".join)
def test_a_missing_library_is_code_4_and_is_not_made(command: CommandLine, tmp_path: Path, words: list[str]) -> None:
    library = tmp_path / "nowhere"
    said = command(*words, "-l", library, code=4)
    assert said.complaint == f"anyseek: there is no library at {library}: make one with  anyseek index FOLDER --library {library}\n"
    assert not library.exists()


def test_an_interrupt_while_the_command_line_is_still_being_loaded_ends_it_quietly(command: CommandLine) -> None:
    interrupted = """
import sys
import anyseek.__main__

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == "anyseek.cli.app":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupt())
anyseek.__main__.main()
"""
    ended = subprocess.run([sys.executable, "-c", interrupted], env=command.environment, capture_output=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, b"", b"")


def test_without_a_terminal_there_is_no_colour_and_no_progress(demo_library: DemoLibrary, anyseek: CommandLine) -> None:
    said = demo_library.report
    assert said.out == b""
    assert re.fullmatch(r"✓ \d+ new; \d+ segments embedded in [\d.]+ s\nnote: starter .*\n  library: .*\n", said.complaint)
    for words in (["search", "a dog"], ["status"], ["errors"]):
        said = anyseek(*words)
        assert b"\x1b" not in said.out + said.err
        assert said.err == b""


def test_a_table_goes_into_a_file_whole(anyseek: CommandLine, demo_library: DemoLibrary, tmp_path: Path) -> None:
    with (tmp_path / "table.txt").open("wb") as file:
        subprocess.run(
            [sys.executable, "-m", "anyseek", "search", "a dog"], env=anyseek.environment, cwd=anyseek.home, stdout=file, check=True
        )
    lines = (tmp_path / "table.txt").read_text("utf-8").splitlines()
    assert len(lines) == 1 + 10
    assert [line.split()[0] for line in lines[1:]] == [str(place) for place in range(1, 11)]
    assert str(demo_library.media) in lines[1]


@pytest.mark.parametrize("how", ["table", "--json", "--paths", "-0"])
def test_a_reader_who_has_seen_enough_is_no_error(anyseek: CommandLine, how: str) -> None:
    process = anyseek.start("search", "a dog", *([] if how == "table" else [how]))
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr as errors:
        assert errors.read() == b""
    assert process.wait(timeout=60) == 0


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_that_is_not_utf_8_gets_what_it_can_show(anyseek: CommandLine, encoding: str) -> None:
    env = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": encoding}
    said = anyseek("search", "a dog", "-n", 3, env=env)
    assert len(said.out.decode(encoding).splitlines()) == 5
    assert anyseek("status", env=env).out.decode(encoding).startswith("library ")
    assert "Nothing to do" in anyseek("index", env=env).err.decode(encoding)


def test_the_c_locale_as_it_comes(anyseek: CommandLine) -> None:
    env = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert anyseek("search", "a dog", "-n", 1, "--paths", env=env).out.count(b"\n") == 1
    assert anyseek("search", "猫", "-n", 1, "--all", env=env).out.isascii()
    for words in (["doctor"], ["errors"], ["--help"]):
        anyseek(*words, env=env)


@pytest.mark.parametrize("name", ["", "index", "search", "similar", "status", "errors", "doctor"])
def test_every_command_has_help(anyseek: CommandLine, name: str) -> None:
    words = [name] if name else []
    long, short = anyseek(*words, "--help"), anyseek(*words, "-h")
    assert long.out == short.out
    assert long.err == b""
    assert b"Usage: " in long.out
    if not name:
        for command in ("index", "search", "similar", "status", "errors", "doctor"):
            assert f" {command} " in long.text


@pytest.mark.smoke
def test_the_version_is_the_package_s(command: CommandLine) -> None:
    from importlib.metadata import version

    assert command("--version").text == f"anyseek {version('anyseek')}\n"
