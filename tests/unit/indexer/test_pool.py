"""Real decoding processes and real files; only what a decoder does wrong is staged (see conftest)."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import xxhash
from samples import write_picture

from anyseek.errors import AnyseekError, FailureCode
from anyseek.indexer.messages import Alive, Digest, Ended, Failed, LaneEnded, Message, Piece, Read
from anyseek.indexer.pool import DecodePool, PoolLimits
from anyseek.media.protocol import DecodeOptions

pytestmark = pytest.mark.usefixtures("obedient_decoder")


def read(path: Path) -> Read:
    stat = path.stat()
    return Read(str(path), stat.st_size, stat.st_mtime_ns)


def run(pool: DecodePool[str], *paths: Path, lanes: tuple[int, ...] = (0,)) -> dict[str, list[Message]]:
    """Bring some files to their end and give what was said of each, signs of life left out."""
    said: dict[str, list[Message]] = {path.name: [] for path in paths}
    waiting = list(paths)
    deadline = time.monotonic() + 60
    while waiting or pool.busy:
        assert time.monotonic() < deadline, said
        while waiting and pool.has_room:
            path = waiting.pop(0)
            pool.submit(path.name, read(path))
        heard = pool.next(0.1)
        if heard is None or isinstance(heard.message, Alive):
            continue
        said[heard.job].append(heard.message)
        if isinstance(heard.message, Digest):
            heard.answer(lanes)
    return said


def test_a_picture_is_hashed_decoded_and_ended(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "red.png", "red")
    with DecodePool[str]((DecodeOptions(image_size=16),), 1, PoolLimits()) as pool:
        digest, piece, lane, ended = run(pool, path)["red.png"]
    assert digest == Digest(xxhash.xxh3_128(path.read_bytes()).digest())
    assert isinstance(piece, Piece)
    assert piece.decoded.pixels.shape == (16, 21, 3)  # type: ignore[union-attr]
    assert (piece.decoded.pixels == (255, 0, 0)).all()  # type: ignore[union-attr]
    assert isinstance(lane, LaneEnded)
    assert (lane.lane, lane.failure) == (0, None)
    assert lane.info is not None
    assert (lane.info.width, lane.info.height) == (32, 24)
    assert ended == Ended()


def test_bytes_that_are_known_are_not_decoded(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "red.png", "red")
    with DecodePool[str]((DecodeOptions(),), 1, PoolLimits()) as pool:
        assert run(pool, path, lanes=())["red.png"][1:] == [Ended()]


@pytest.mark.parametrize(
    ("order", "code", "reason"),
    [
        ("HANG", FailureCode.TIMEOUT, "decoding it gave no sign of life for 1.5 s"),
        ("CRASH", FailureCode.CRASHED, "the decoder crashed on it (signal SIGSEGV)"),
        ("EXIT", FailureCode.CRASHED, "the decoder crashed on it (exit status 7)"),
        ("EXPLODE", FailureCode.MEMORY, "decoding it needs more memory than is allowed"),
    ],
)
def test_a_decoder_that_misbehaves_costs_one_file(tmp_path: Path, ordered, order: str, code: FailureCode, reason: str) -> None:
    bad = ordered("bad.png", order)
    good = [write_picture(tmp_path / f"{colour}.png", colour) for colour in ("red", "green", "blue")]
    limits = PoolLimits(silence_s=1.5, max_memory=256 * 1024**2)
    with DecodePool[str]((DecodeOptions(),), 1, limits) as pool:
        said = run(pool, good[0], bad, *good[1:])
    assert said["bad.png"][1:] == [Failed(code, reason)]
    for path in good:
        assert isinstance(said[path.name][-1], Ended)


def test_what_a_library_prints_does_not_garble_the_messages(tmp_path: Path, ordered) -> None:
    write_picture(tmp_path / "talk.real.png", "blue")
    talker = ordered("talk.png", "PRINT")
    with DecodePool[str]((DecodeOptions(),), 1, PoolLimits()) as pool:
        assert [type(message) for message in run(pool, talker)["talk.png"]] == [Digest, Piece, LaneEnded, Ended]


def test_files_that_are_not_what_the_walk_saw(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "red.png", "red")
    with DecodePool[str]((DecodeOptions(),), 1, PoolLimits()) as pool:
        for request, code in (
            (Read(str(path), 1, path.stat().st_mtime_ns), FailureCode.CHANGED),
            (Read(str(tmp_path / "gone.png"), 1, 1), FailureCode.VANISHED),
        ):
            pool.submit("job", request)
            heard = None
            while heard is None or isinstance(heard.message, Alive):
                heard = pool.next(5)
            assert isinstance(heard.message, Failed)
            assert heard.message.code is code


def test_no_process_outlives_the_pool_or_its_parent(tmp_path: Path, ordered) -> None:
    with DecodePool[str]((DecodeOptions(),), 2, PoolLimits()) as pool:
        pool.submit("hang", read(ordered("hang.png", "HANG")))
        pool.submit("fine", read(write_picture(tmp_path / "red.png", "red")))
        pool.next(5)
        children = psutil.Process().children()
        assert len(children) == 2
    assert not any(child.is_running() for child in children)

    script = (
        "import time; from anyseek.indexer.pool import *; from anyseek.indexer.messages import Read; from anyseek.media.protocol import *\n"
        "pool = DecodePool((DecodeOptions(),), 1, PoolLimits())\n"
        f"pool.submit('hang', Read({str(tmp_path / 'hang.png')!r}, {(tmp_path / 'hang.png').stat().st_size}, "
        f"{(tmp_path / 'hang.png').stat().st_mtime_ns}))\n"
        "while True:\n"
        "    said = pool.next(1)\n"
        "    if said and type(said.message).__name__ == 'Digest': said.answer((0,)); print('hanging', flush=True)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"hanging\n"
    (orphan,) = psutil.Process(parent.pid).children()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    orphan.wait(timeout=10)  # it sees that its parent is gone, even in the middle of a decode


def test_a_decoder_that_cannot_start_is_named_and_not_blamed_on_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text("import sys; sys.modules['anyseek.media.open'] = None")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    path = write_picture(tmp_path / "red.png", "red")
    with DecodePool[str]((DecodeOptions(),), 1, PoolLimits()) as pool, pytest.raises(AnyseekError, match="does not start"):
        run(pool, path)
