"""Small problems that can be learnt: classes of pictures, and words for them that mean nothing to the space yet."""

from __future__ import annotations

import numpy as np

from anyseek.training.problem import Candidates, Edges, Parts, Pivot, Problem
from anyseek.types import Modality

TEXT, IMAGE, AUDIO = Modality.TEXT, Modality.IMAGE, Modality.AUDIO
DIM = 24


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def shifted_vocabulary(seed: int = 0, *, classes: int = 6, train: int = 6, held_out: int = 4, others: int = 60) -> Problem:
    """A word for each class that lies anywhere, pictures around the class's own place, captions that are to stay, other pictures."""
    chance = np.random.default_rng(seed)
    words, places = unit(chance.standard_normal((classes, DIM))), unit(chance.standard_normal((classes, DIM)))
    per = train + held_out
    pictures = unit(np.repeat(places, per, axis=0) + 0.12 * chance.standard_normal((classes * per, DIM)))
    query, number = np.repeat(np.arange(classes), per), np.tile(np.arange(per), classes)
    rows = np.arange(len(pictures))
    return Problem(
        query_vectors=words,
        query_modalities=(TEXT,) * classes,
        target_vectors=pictures,
        target_modalities=(IMAGE,) * len(pictures),
        train=Edges.of(query[number < train], rows[number < train]),
        validation=Edges.of(query[number >= train], rows[number >= train]),
        anchors={TEXT: unit(chance.standard_normal((200, DIM)))},
        candidates=Candidates(unit(chance.standard_normal((others, DIM))), (IMAGE,) * others),
    )


def parts_that_complete_each_other(seed: int = 0, *, classes: int = 8, per: int = 12) -> Problem:
    """Queries of a text and a sound, pictures as targets: the text is right, the sound of a class is always a quarter turn beside it."""
    chance = np.random.default_rng(seed)
    places, sounds = unit(chance.standard_normal((classes, DIM))), unit(chance.standard_normal((classes, DIM)))
    count = classes * per
    of = np.repeat(np.arange(classes), per)
    texts = unit(places[of] + 0.2 * chance.standard_normal((count, DIM)))
    heard = unit(sounds[of] + 0.2 * chance.standard_normal((count, DIM)))
    pictures = unit(places[of] + 0.2 * chance.standard_normal((count, DIM)))
    rows, held_out = np.arange(count), np.tile(np.arange(per), classes) >= per - 4
    parts = Parts(
        np.repeat(rows, 2), np.stack([texts, heard], axis=1).reshape(-1, DIM), (TEXT, AUDIO) * count, np.ones(2 * count, np.float32)
    )
    pairs = np.argwhere(of[:, None] == of[None, :])
    learnt = Edges.of(*pairs[~held_out[pairs].any(axis=1)].T)
    asked = Edges.of(*pairs[held_out[pairs[:, 0]]].T)
    return Problem(texts, (TEXT,) * count, pictures, (IMAGE,) * count, learnt, asked, query_parts=parts)


def two_spaces(seed: int = 0, *, texts: int = 150, media: int = 80, pairs: int = 24) -> Problem:
    """Sounds of one space and pictures of another that show the same; texts lie on both sides of a gap from what they describe."""
    chance = np.random.default_rng(seed)
    there, tilt = 16, chance.standard_normal((DIM, 16)) / np.sqrt(DIM)
    meant = chance.standard_normal((texts, DIM))
    heard = chance.standard_normal((media, DIM))
    gap, their_gap = 2 * chance.standard_normal(DIM), 2 * chance.standard_normal(there)
    source, target = unit(meant), unit(meant @ tilt)
    sounds, pictures = unit(heard + gap), unit(heard @ tilt + their_gap)
    half = pairs // 2
    rows = np.arange(pairs)
    return Problem(
        query_vectors=sounds[:pairs],
        query_modalities=(AUDIO,) * pairs,
        target_vectors=pictures,
        target_modalities=(IMAGE,) * media,
        train=Edges.of(rows[:half], rows[:half]),
        validation=Edges.of(rows[half:], rows[half:]),
        pivot=Pivot(source, target, sounds, (AUDIO,) * media),
    )
