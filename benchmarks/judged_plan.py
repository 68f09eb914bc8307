"""What is cut together in each judged film, drawn at random from a seed: nothing is decoded or encoded here."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, pairwise
from typing import Literal

__all__ = ["LAYOUTS", "Cut", "FilmPlan", "plan_films"]

Move = Literal["still", "in", "out", "left", "right"]
MOVES: tuple[Move, ...] = ("in", "out", "left", "right")
SIZES = ((320, 240), (426, 240), (240, 426))
SHORTEST_MS, LONGEST_MS = 2000, 10_000
FADE_MS = 1000


@dataclass(frozen=True, slots=True)
class Cut:
    """A photo that is shown, or a sound that is played, from one time to another.

    Attributes:
        path: Of the photo or the sound, relative to the folder of media.
        start_ms: Where it begins; in a cross-fade, where half of it is there.
        end_ms: Where it ends, likewise.
        move: How the camera moves over a photo; a sound keeps still.
    """

    path: str
    start_ms: int
    end_ms: int
    move: Move = "still"


@dataclass(frozen=True, slots=True)
class FilmPlan:
    """A film to be made.

    Attributes:
        name: Of the file, without its ending.
        layout: One of `LAYOUTS`.
        size: Width and height in pixels.
        shown: Photos in order of time; black where there are none.
        played: Sounds in order of time, none over another; silence where there are none, and no track at all if there are none.
        fade_ms: How long each photo takes to pass into the next; 0 for hard cuts.
    """

    name: str
    layout: str
    size: tuple[int, int]
    shown: tuple[Cut, ...]
    played: tuple[Cut, ...]
    fade_ms: int = 0

    @property
    def duration_ms(self) -> int:
        """Until the last photo and the last sound have ended."""
        return max(cut.end_ms for cut in (*self.shown, *self.played))


LAYOUTS = ("slides", "one sound", "gaps", "fades", "moving", "off the cuts", "mute", "again")
"""Slides, each with a sound of its own; long sounds over several photos; black and silence between; cross-fades; a moving camera; sounds
that begin and end apart from the photos; no sound; photos and sounds that come back in the same film."""


def plan_films(photos: Sequence[str], sounds: Sequence[str], count: int, seed: int) -> list[FilmPlan]:
    """Plan films in which every photo and sound comes up about equally often, the layouts in turn.

    Args:
        photos: Relative paths.
        sounds: Relative paths; without any all films are mute.
        count: How many films.
        seed: Equal seeds give equal plans.
    """
    rng = random.Random(seed)
    next_photo, next_sound = _shuffled(photos, rng), _shuffled(sounds, rng)
    films = []
    for number in range(count):
        layout = LAYOUTS[number % len(LAYOUTS)]
        shown = _shown(layout, next_photo, rng)
        played = _played(layout, shown, next_sound, rng) if sounds and layout != "mute" else ()
        size = SIZES[(number // len(LAYOUTS) + number % len(LAYOUTS)) % len(SIZES)]
        films.append(FilmPlan(f"VID_{number + 1:04}", layout, size, shown, played, FADE_MS if layout == "fades" else 0))
    return films


def _shuffled(names: Sequence[str], rng: random.Random) -> Iterator[str]:
    """All names in random order, then all in another, without end."""
    while names:
        yield from rng.sample(list(names), len(names))


def _length(rng: random.Random) -> int:
    return rng.randrange(SHORTEST_MS, LONGEST_MS + 1, 40)


def _shown(layout: str, next_photo: Iterator[str], rng: random.Random) -> tuple[Cut, ...]:
    names = [next(next_photo) for _ in range(rng.randint(4, 7))]
    if layout == "again":
        names += [names[0], names[2]]
    cuts, at = [], 0
    for name in names:
        if layout == "gaps":
            at += rng.randrange(0, 4000, 40)
        end = at + _length(rng)
        cuts.append(Cut(name, at, end, rng.choice(MOVES) if layout in {"moving", "again"} else "still"))
        at = end
    return tuple(cuts)


def _played(layout: str, shown: Sequence[Cut], next_sound: Iterator[str], rng: random.Random) -> tuple[Cut, ...]:
    if layout in {"slides", "fades", "moving", "gaps"}:
        return tuple(Cut(next(next_sound), cut.start_ms, cut.end_ms) for cut in shown if rng.random() < 0.8)
    if layout == "one sound":
        ends = [cut.end_ms for cut in shown]
        bounds = [0, *ends[1::2], *([ends[-1]] if len(ends) % 2 else [])]
        return tuple(Cut(next(next_sound), start, end) for start, end in pairwise(bounds))
    heard = [next(next_sound) for _ in range(3)]
    names = cycle(heard) if layout == "again" else iter(lambda: next(next_sound), None)
    cuts, at, last = [], rng.randrange(0, 3000, 40), shown[-1].end_ms
    while at + SHORTEST_MS <= last:
        end = min(at + _length(rng), last)
        cuts.append(Cut(next(names), at, end))
        at = end + rng.randrange(0, 5000, 40)
    return tuple(cuts)
