"""Indexing is killed at random instants and gone on with: nothing is lost, nothing is wrong, next to nothing is done twice.

The kills are SIGKILL, to a process of its own (`logged_run`) that works on real files with real decoding processes. Only the encoder is
the one that can be computed by hand, slowed down so that a run is long enough to be hit everywhere.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import logged_run
import numpy as np
import psutil
import pytest
from fakes import WORDS, ColourEncoder
from films import film
from logged_run import PHASES
from PIL import Image
from samples import write_tone
from snapshots import Snapshot, answers_of, snapshot

from anyseek.library import Library

SEED = 20
KILLS = 30
BATCH_SIZE = 8
PAUSE_S = 0.03
IN_FLIGHT = BATCH_SIZE
"""What one kill can cost: the pipeline encodes one batch at a time and stores it in a transaction before it begins with the next, so that
there is never more than one batch whose vectors exist and are not stored."""

EXPECTED_FINDINGS = {"index_missing", "index_leftovers", "unused_contents", "faiss_missing"}
"""What the doctor may say of a library whose first run was killed: its index was not written yet, or not to its end, and contents are
there whose assets are not."""


@dataclass(frozen=True)
class Order:
    """When to kill: this long after a phase was entered for the nth time."""

    phase: str
    nth: int
    delay_s: float


@dataclass(frozen=True)
class Ending:
    """How a run ended: `embedded` is what its report says, None when it was killed in `phase`."""

    phase: str
    embedded: int | None


class Run:
    """One run of the indexer in a process of its own."""

    def __init__(self, media: Path, library: Path, log: Path, *, pause_s: float = PAUSE_S) -> None:
        arguments = [sys.executable, logged_run.__file__, media, library, log, str(BATCH_SIZE), str(pause_s)]
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        self.heard: Counter[str] = Counter()
        self.last = "start"

    def to_the_end(self) -> Ending:
        for _ in self.words():
            pass
        return self.ending()

    def until(self, order: Order) -> Ending:
        """Kill it as ordered, unless it has ended before."""
        for word in self.words():
            if word == order.phase and self.heard[word] == order.nth:
                time.sleep(order.delay_s)
                self.kill()
        return self.ending()

    def kill(self) -> None:
        """SIGKILL; the decoding processes are left alone and have to notice for themselves."""
        self.process.send_signal(signal.SIGSTOP)  # so that none is born between the look and the kill
        children = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        threading.Thread(target=self.process.wait, daemon=True).start()
        deadline = time.monotonic() + 10
        while lingering := [child for child in children if lives(child)]:
            assert time.monotonic() < deadline, f"decoding processes outlive their parent: {lingering}"
            time.sleep(0.005)

    def words(self) -> Iterator[str]:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.last = line.decode().strip()
                self.heard[self.last] += 1
                yield self.last

    def ending(self) -> Ending:
        code = self.process.wait(timeout=60)
        if code == -signal.SIGKILL:
            return Ending(self.last.partition(" ")[0], None)
        assert code == 0
        done, _, embedded = self.last.partition(" ")
        assert done == "done"
        return Ending(done, int(embedded))


def lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)  # nobody may be there to bury an orphan in a container
    except psutil.NoSuchProcess:
        return False


def in_blocks(number: int) -> np.ndarray:
    """(48, 64, 3) uint8: a pattern of twelve colours that no other number has."""
    colours = np.random.default_rng(number).integers(0, 256, (3, 4, 3), np.uint8)
    return colours.repeat(16, axis=0).repeat(16, axis=1)


def hiss(seconds: float, seed: int) -> np.ndarray:
    """(1, n) float32 at 8 kHz: noise, so that no two windows are alike."""
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (1, round(seconds * 8000))).astype(np.float32)


def cuts(path: Path, shots: int, seed: int) -> Path:
    """A film with a cut every two seconds, and noise all along."""
    return film(
        path,
        at=[number / 4 for number in range(shots * 8)],
        paint=lambda number: in_blocks(seed * 1000 + number // 8),
        rate=4,
        gop=4,
        sounds=[(hiss(shots * 2, seed), 8000, 0.0)],
    )


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """150 pictures, 20 tones, 3 films, some copies, two broken files."""
    root = tmp_path_factory.mktemp("crash") / "media"
    for folder in ("a pictures", "b sounds", "c films", "d copies"):
        (root / folder).mkdir(parents=True)
    for number in range(150):
        Image.fromarray(in_blocks(number)).save(root / "a pictures" / f"{number:03}.png")
    for number in range(20):
        write_tone(root / "b sounds" / f"{number:02}.wav", 100 + 150 * number, seconds=1.0)
    for number in range(3):
        cuts(root / "c films" / f"{number}.mp4", 6, seed=1 + number)
    for name in ("a pictures/007.png", "a pictures/149.png", "b sounds/03.wav", "c films/1.mp4"):
        shutil.copy(root / name, root / "d copies" / f"copy of {Path(name).name}")
    whole = (root / "a pictures" / "000.png").read_bytes()
    (root / "a pictures" / "broken.png").write_bytes(whole[: len(whole) // 2])
    (root / "a pictures" / "empty.png").touch()
    return root


@dataclass(frozen=True)
class Reference:
    """What an uninterrupted run leaves behind."""

    rows: Snapshot
    answers: dict[tuple[str, str], tuple[object, ...]]
    log: list[str]


QUESTIONS = [*WORDS, "red low", "something else"]


@pytest.fixture(scope="module")
def reference(media: Path) -> Reference:
    library, log = media.parent / "reference", media.parent / "reference.log"
    ending = Run(media, library, log, pause_s=0).to_the_end()
    rows = snapshot(library)
    digests = log.read_text().split()
    assert len(rows.assets) == 150 + 20 + 3 + 4 + 2
    assert Counter(row[2] for row in rows.assets.values()) == {"indexed": 177, "failed": 2}
    assert len(set(digests)) == len(digests) == len(rows.vectors) == ending.embedded
    return Reference(rows, answers_of(library, QUESTIONS, ColourEncoder()), digests)


def orders() -> list[Order]:
    """Where to kill: every phase in turn, the rest by chance."""
    chance = random.Random(SEED)
    phases = [*PHASES, *PHASES, *chance.choices(PHASES, [1, 4, 4, 4, 2], k=KILLS - 2 * len(PHASES))]
    chance.shuffle(phases)
    return [
        Order(
            phase,
            nth=chance.randint(1, 2 if phase in ("scan", "generation") else 8),
            delay_s=chance.uniform(0, 0.012 if phase == "commit" else PAUSE_S),
        )
        for phase in phases
    ]


def test_thirty_kills_change_nothing(media: Path, reference: Reference, tmp_path: Path) -> None:
    """Kill and go on until all is done, on one fresh library after the other until thirty kills were made.

    The final rows and answers are those of an uninterrupted run. Every input was encoded, and after each kill the log holds at most
    `IN_FLIGHT` more inputs than the catalog holds vectors, beyond those that former kills had cost.
    """
    print(f"seed {SEED}")  # noqa: T201 - pytest shows it where the test fails
    killed: Counter[str] = Counter()
    waiting = orders()
    place = 0
    while waiting:
        place += 1
        library, log = tmp_path / f"library {place}", tmp_path / f"{place}.log"
        wasted, kills, done = 0, 0, False
        while not done:
            order = waiting[0] if waiting else Order("none", 1, 0)
            ending = Run(media, library, log).until(order)
            stored = len(snapshot(library).vectors) if (library / "catalog.db").exists() else 0
            encoded = len(log.read_text().split()) if log.exists() else 0
            if ending.embedded is None:
                print(f"library {place}: killed in {ending.phase} as of {waiting.pop(0)}: {encoded} encoded, {stored} stored")  # noqa: T201
                killed[ending.phase] += 1
                kills += 1
                assert encoded - stored - wasted <= IN_FLIGHT
                wasted = encoded - stored
            done = ending.embedded is not None
            findings = {finding.code for finding in Library.examine(library).findings}
            assert findings <= ({"faiss_missing"} if done else EXPECTED_FINDINGS)
        assert snapshot(library) == reference.rows
        assert answers_of(library, QUESTIONS, ColourEncoder()) == reference.answers
        digests = log.read_text().split()
        assert set(digests) == set(reference.log)
        assert len(digests) - len(reference.log) == wasted <= kills * IN_FLIGHT
    assert sum(killed.values()) == KILLS
    assert set(killed) >= set(PHASES), "some phase was never hit: choose other orders"


def test_a_half_read_film_keeps_what_it_has(tmp_path: Path) -> None:
    """The film's frames are encoded while it is read; those that were stored when the kill came are not encoded again."""
    media, library, log = tmp_path / "media", tmp_path / "library", tmp_path / "log"
    media.mkdir()
    cuts(media / "long.mp4", 60, seed=9)
    whole = Run(media, tmp_path / "whole", tmp_path / "whole.log", pause_s=0).to_the_end()
    reached = Counter(key[1] for key in snapshot(tmp_path / "whole").vectors)
    assert reached["audio"] >= 30  # 120 s in windows of at most four
    assert reached["image"] >= 60  # at least a frame of each shot
    assert whole.embedded == reached.total()

    assert Run(media, library, log).until(Order("encode", 5, PAUSE_S / 2)).embedded is None
    before = log.read_text().split()
    half = snapshot(library)
    assert 0 < len(half.vectors) < whole.embedded
    assert [row[-1] for row in half.contents.values()] == ["partial"]
    assert not half.assets
    assert not answers_of(library, QUESTIONS, ColourEncoder())

    rest = Run(media, library, log).to_the_end()
    assert rest.embedded == whole.embedded - len(half.vectors)
    after = log.read_text().split()[len(before) :]
    assert len(after) == rest.embedded
    assert len(set(before) & set(after)) == len(before) - len(half.vectors) <= BATCH_SIZE
    assert snapshot(library) == snapshot(tmp_path / "whole")


def test_a_killed_run_leaves_no_lock_behind(media: Path, tmp_path: Path) -> None:
    """The kernel holds the lock: whoever comes next neither waits nor has to remove anything."""
    library, log = tmp_path / "library", tmp_path / "log"
    assert Run(media, library, log).until(Order("encode", 1, 0)).embedded is None
    assert (library / "writer.json").exists()
    with Library.open(library, encoder=ColourEncoder()) as opened:
        assert opened.index(os.fspath(media / "b sounds")).failed == 0
    assert not (library / "writer.json").exists()
