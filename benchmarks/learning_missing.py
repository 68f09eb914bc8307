"""A part that is missing: things that have a look, a sound and a name are asked for with all three, two, or one of them.

The look of each is its own, its sound it shares with others, and its name means nothing to the model. What is looked for are films of it:
the mean of what is seen and what is heard. The weights and the network are learnt by what ``anyseek train --method fusion`` learns with.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

import numpy as np

from anyseek.encoders.protocol import EncoderSettings
from anyseek.encoders.registry import load
from anyseek.fusion.early import EarlyFusion, Pieces
from anyseek.fusion.fitted import FittedWeights, FusionWeights
from anyseek.fusion.mean import WeightedMean
from anyseek.fusion.network import FusionNetwork, NetworkFusion
from anyseek.training.fitting import FitOptions, fit
from anyseek.training.problem import Edges, Parts, Problem
from anyseek.types import Modality

from .judged_queries import Subjects
from .learning_media import photographed, product_names, read_photo, read_sound, recorded
from .measure import Row

__all__ = ["missing_rows"]

LOOK, SOUND, NAME = Modality.IMAGE, Modality.AUDIO, Modality.TEXT
SIDES = (LOOK, SOUND, NAME)
WORDS = {LOOK: "look", SOUND: "sound", NAME: "name"}
GIVEN = ((LOOK, SOUND, NAME), (SOUND, NAME), (LOOK, NAME), (LOOK, SOUND))
TAUGHT, ASKED, FILMS = 10, 2, 3
TAKES = TAUGHT + ASKED + FILMS
MOST_FILMS = 4
BACKGROUNDS = 8, 2
SPACE = "these"
NOBODY = "something"


@dataclass(frozen=True, slots=True, eq=False)
class Things:
    """Things as a model has them.

    Attributes:
        looks: (things, takes, dim) float32 unit rows.
        sounds: (sounds, takes, dim) float32 unit rows.
        names: By seed, (things, dim) float32 unit rows.
        known: (things, dim) what people call them; rows of 0 where nobody said.
    """

    looks: np.ndarray
    sounds: np.ndarray
    names: Mapping[int, np.ndarray]
    known: np.ndarray

    def called_by_people(self) -> Things:
        """Those of the things that have a name which the model knows, under that name, whatever the seed."""
        rows = np.flatnonzero(self.known.any(axis=1))
        return replace(self, looks=self.looks[rows], names=dict.fromkeys(self.names, self.known[rows]), known=self.known[rows])


def missing_rows(media: Path, *, seeds: Sequence[int], strength: float, quick: bool) -> list[Row]:
    """Learn to join, and ask with parts missing.

    Args:
        media: Holds photos and sounds.
        seeds: Of names, of which thing has which sound, and of what training draws.
        strength: How different the photos of a thing are.
        quick: Fewer things.
    """
    things = _things(media, *((10, 4) if quick else (60, 18)), seeds, strength)
    rows = _rows("names that mean nothing", things, seeds)
    known = things.called_by_people()
    if not quick and len(known.looks):
        rows += _rows("names that mean nothing, 3 takes to learn from", things, seeds, 3)
        rows += _rows("names that the model knows", known, seeds)
    return rows


def _rows(names: str, things: Things, seeds: Sequence[int], taught: int = TAUGHT) -> list[Row]:
    runs = [_run(things, seed, taught) for seed in seeds]
    rows = []
    for given in GIVEN:
        what = " + ".join(WORDS[side] for side in given)
        missing = next((WORDS[side] for side in SIDES if side not in given), "nothing")
        best = [max(run.found[side,] for side in given) for run in runs]
        figures = {way: [run.joined[way][given] for run in runs] for way in ("mean", "weighted", "network")}
        shown = ", ".join(f"{way} {_shown(figures[way])}" for way in figures)
        met = all(one >= other for one, other in zip(figures["network"], best, strict=True))
        cost = f"; {mean(run.seconds for run in runs):.1f} s" if given == SIDES else ""
        told = f"missing: {missing} (asked with {what}), {len(things.looks)} things, {names}: R@10"
        rows.append(Row(told, shown + cost, f"best alone {_shown(best)}", "", "network ≥ best alone", met))
    return rows


@dataclass(frozen=True, slots=True)
class _Run:
    """One training.

    Attributes:
        joined: By way and by what is given, the recall.
        found: By what is given alone, the recall.
        seconds: Of the training.
    """

    joined: Mapping[str, Mapping[tuple[Modality, ...], float]]
    found: Mapping[tuple[Modality, ...], float]
    seconds: float


def _things(media: Path, looks: int, sounds: int, seeds: Sequence[int], strength: float) -> Things:
    encoder = load("starter", EncoderSettings(threads=1))
    chance = np.random.default_rng(0)
    paths = [sorted(path for path in (media / part).rglob("*.*") if path.suffix != ".csv") for part in ("photos", "sounds")]
    photos, heard = ([of[place] for place in chance.permutation(len(of))] for of in paths)
    pictures = [read_photo(path) for path in photos[: looks + BACKGROUNDS[0]]]
    clips = [read_sound(path) for path in heard[: sounds + BACKGROUNDS[1]]]
    before, behind = pictures[: BACKGROUNDS[0]], clips[: BACKGROUNDS[1]]
    seen = [
        encoder.encode_images([np.asarray(photographed(photo, before, chance, strength)) for _ in range(TAKES)])
        for photo in pictures[len(before) :]
    ]
    longest = encoder.sample_rate * encoder.max_audio_ms // 1000
    sung = [encoder.encode_audio([recorded(clip, behind, chance)[:longest] for _ in range(TAKES)]) for clip in clips[len(behind) :]]
    names = {seed: encoder.encode_text(product_names(len(seen), seed)) for seed in seeds}
    words = {media / path: text for text, answers in Subjects.of_demo().seen.items() for path in answers}
    known = [words.get(path) for path in photos[len(before) : len(before) + len(seen)]]
    told = encoder.encode_text([text or NOBODY for text in known]) * np.array([[text is not None] for text in known])
    return Things(np.stack(seen), np.stack(sung), names, told)


def _run(things: Things, seed: int, taught: int = TAUGHT) -> _Run:
    chance = np.random.default_rng([seed, 3])
    count = len(things.looks)
    sound_of = chance.permutation(np.arange(count) % len(things.sounds))
    looks = np.stack([of[chance.permutation(TAKES)] for of in things.looks])
    sounds = np.stack([things.sounds[number][chance.permutation(TAKES)] for number in sound_of])
    films = looks + sounds
    films /= np.linalg.norm(films, axis=2, keepdims=True)
    names = things.names[seed]

    def takes(first: int, last: int) -> list[dict[Modality, np.ndarray]]:
        return [{LOOK: looks[n, k], SOUND: sounds[n, k], NAME: names[n]} for n in range(count) for k in range(first, last)]

    started = time.perf_counter()
    arrays = fit(_problem(takes(0, taught), films[:, :taught], seed), FitOptions(method="fusion", rank=64, seed=seed)).arrays
    seconds = time.perf_counter() - started
    network = FusionNetwork.from_arrays(_under("network.", arrays))
    weights = FusionWeights({Modality(name): float(value) for name, value in _under("weights.", arrays).items()})
    ways: dict[str, EarlyFusion] = {
        "mean": WeightedMean(),
        "weighted": FittedWeights({SPACE: weights}),
        "network": NetworkFusion({SPACE: network}),
    }
    asked, wanted = takes(TAUGHT, TAUGHT + ASKED), films[:, TAUGHT + ASKED :]
    joined = {name: {given: _recall(asked, wanted, given, way) for given in GIVEN} for name, way in ways.items()}
    return _Run(joined, {(side,): _recall(asked, wanted, (side,), ways["mean"]) for side in SIDES}, seconds)


def _problem(takes: Sequence[Mapping[Modality, np.ndarray]], films: np.ndarray, seed: int) -> Problem:
    """Each take is asked for some other films of its thing; a sixth of the films tells when to stop."""
    count, each, dim = films.shape
    owner = np.arange(count * each) // each
    chance = np.random.default_rng([seed, 4])
    others = [np.setdiff1d(np.flatnonzero(owner == of), take) for take, of in enumerate(owner.tolist())]
    pairs = [(take, int(film)) for take, of in enumerate(others) for film in chance.permutation(of)[:MOST_FILMS]]
    kept_back = np.zeros(len(owner), bool)
    for thing in range(count):
        kept_back[chance.choice(np.flatnonzero(owner == thing), max(1, each // 6), replace=False)] = True
    train = [(take, film) for take, film in pairs if not kept_back[take] and not kept_back[film]]
    validation = [(take, film) for take, film in pairs if kept_back[film] and not kept_back[take]]
    parts = Parts(
        np.repeat(np.arange(len(takes)), len(SIDES)),
        np.stack([take[side] for take in takes for side in SIDES]).astype(np.float32),
        SIDES * len(takes),
        np.ones(len(takes) * len(SIDES), np.float32),
    )
    return Problem(
        parts.vectors[:: len(SIDES)],
        (LOOK,) * len(takes),
        films.reshape(-1, dim).astype(np.float32),
        (Modality.VIDEO,) * len(owner),
        Edges.of(*zip(*train, strict=True)),
        Edges.of(*zip(*validation, strict=True)),
        SIDES,
        query_parts=parts,
    )


def _recall(asked: Sequence[Mapping[Modality, np.ndarray]], films: np.ndarray, given: tuple[Modality, ...], way: EarlyFusion) -> float:
    """R@10: the share of a thing's films among the ten that are nearest to what the given parts become."""
    count, each, dim = films.shape
    vectors = [way.fuse(Pieces(np.stack([take[side] for side in given]), (1.0,) * len(given), given, SPACE)).vector for take in asked]
    scores = np.stack(vectors) @ films.reshape(-1, dim).T
    first = np.argsort(-scores, axis=1, kind="stable")[:, :10] // each
    owner = np.arange(len(asked)) // (len(asked) // count)
    return float(((first == owner[:, None]).sum(axis=1) / each).mean())


def _under(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _shown(values: Iterable[float]) -> str:
    of = list(values)
    return f"{mean(of):.3f}" + (f" [{min(of):.3f}, {max(of):.3f}]" if len(of) > 1 else "")
