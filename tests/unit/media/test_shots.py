"""Shots and the frames that stand for them, on films whose cuts are known."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from films import film
from hypothesis import given, settings
from hypothesis import strategies as st

from anyseek.media.clips import pictures_and_clips
from anyseek.media.frames_pyav import PyavFrames
from anyseek.media.protocol import Frame, Limits
from anyseek.media.shots import difference, marked, pictures, sketch
from anyseek.types import Clip, Modality, Picture

HEIGHT, WIDTH = 96, 128


@cache
def scene(seed: int) -> np.ndarray:
    """(240, 480, 3) uint8: a landscape of soft patches in colours of its own, larger than a frame."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (6, 12, 3)).astype(np.float32) * 0.6 + rng.integers(0, 256, 3) * 0.4
    rows, columns = np.linspace(0, 4.999, 240), np.linspace(0, 10.999, 480)
    y, x = rows.astype(int)[:, None], columns.astype(int)[None, :]
    down, right = (rows[:, None] - y)[..., None], (columns[None, :] - x)[..., None]
    top = coarse[y, x] * (1 - right) + coarse[y, x + 1] * right
    bottom = coarse[y + 1, x] * (1 - right) + coarse[y + 1, x + 1] * right
    return np.clip(top * (1 - down) + bottom * down, 0, 255).astype(np.uint8)


def view(seed: int, x: float = 0) -> np.ndarray:
    return scene(seed)[60 : 60 + HEIGHT, int(x) : int(x) + WIDTH]


def mixed(one: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
    return (one * (1 - share) + other * share).astype(np.uint8)


def noisy(pixels: np.ndarray, number: int, strength: int = 12) -> np.ndarray:
    noise = np.random.default_rng(number).integers(-strength, strength + 1, pixels.shape)
    return np.clip(pixels.astype(int) + noise, 0, 255).astype(np.uint8)


BLACK, WHITE = np.zeros((HEIGHT, WIDTH, 3), np.uint8), np.full((HEIGHT, WIDTH, 3), 255, np.uint8)


def sampled(*views: np.ndarray, every_ms: int = 1000) -> list[Frame]:
    return [Frame(number * every_ms, pixels) for number, pixels in enumerate(views)]


def cuts(frames: list[Frame]) -> list[int]:
    return [item.frame.at_ms for item in marked(frames) if item.cut]


def segments(frames: list[Frame], end_ms: int | None = None, min_shot_ms: int = 1000, max_shot_ms: int = 30_000) -> list[Picture]:
    end = end_ms if end_ms is not None else frames[-1].at_ms + 1000
    return list(pictures(frames, end_ms=lambda: end, min_shot_ms=min_shot_ms, max_shot_ms=max_shot_ms))


def spans(found: list[Picture]) -> list[tuple[int, int, int | None]]:
    return [(p.segment.start_ms, p.segment.end_ms, p.segment.frame_ms) for p in found]


def test_hard_cuts_are_found_midway_between_two_frames() -> None:
    frames = sampled(*[view(1)] * 4, *[view(2)] * 3, *[view(3)] * 5)
    assert cuts(frames) == [4000, 7000]
    assert spans(segments(frames)) == [(0, 3500, 0), (3500, 6500, 4000), (6500, 12_000, 7000)]
    assert all(p.segment.modality is Modality.IMAGE for p in segments(frames))
    assert [p.pixels.tobytes() for p in segments(frames)] == [view(n).tobytes() for n in (1, 2, 3)]


@pytest.mark.parametrize("rows", [True, False])
def test_cuts_between_pictures_in_wide_black_bars_are_found(rows: bool) -> None:
    """A wide picture in an upright film, as phones make them: two thirds of every frame are the same."""

    def framed(seed: int) -> np.ndarray:
        bar = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        return np.concatenate([bar, noisy(view(seed), seed), bar], axis=0 if rows else 1)

    frames = sampled(*(framed(seed) for seed in range(12)))
    assert cuts(frames) == [number * 1000 for number in range(1, 12)]


def test_flat_colours_are_cut_too() -> None:
    colours = [(200, 30, 40), (10, 20, 220), (20, 200, 30)]
    frames = sampled(*(np.full((HEIGHT, WIDTH, 3), colour, np.uint8) for colour in colours for _ in range(3)))
    assert cuts(frames) == [3000, 6000]


def test_a_slow_pan_is_no_cut() -> None:
    assert cuts(sampled(*(view(seed, x) for seed in (4,) for x in range(0, 350, 12)))) == []


def test_noise_on_a_still_scene_is_no_cut_and_needs_one_picture() -> None:
    frames = sampled(*(noisy(view(5), number) for number in range(25)))
    assert cuts(frames) == []
    assert spans(segments(frames)) == [(0, 25_000, 0)]


@pytest.mark.parametrize("flash", [WHITE, BLACK])
def test_a_flash_cuts_nothing(flash: np.ndarray) -> None:
    frames = sampled(*[view(6)] * 3, flash, *[view(6)] * 3)
    assert cuts(frames) == []
    assert spans(segments(frames)) == [(0, 7000, 0)]


def test_a_dip_to_black_between_two_scenes_is_one_cut() -> None:
    frames = sampled(*[view(7)] * 3, BLACK, *[view(8)] * 3)
    assert cuts(frames) == [4000]
    assert [frame_ms for _, _, frame_ms in spans(segments(frames))] == [0, 4000]


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_cross_fade_is_one_cut_and_no_half_mixture_stands_for_anything(steps: int) -> None:
    for seed in range(10, 20):
        fade = [mixed(view(seed), view(seed + 50), (n + 1) / (steps + 1)) for n in range(steps)]
        frames = sampled(*[view(seed)] * 4, *fade, *[view(seed + 50)] * 4)
        found = segments(frames)
        assert 2 <= len(found) <= 3
        assert found[0].pixels.tobytes() == view(seed).tobytes()
        assert difference(sketch(found[-1].pixels), sketch(view(seed + 50))) < 0.2


def test_out_of_the_black_the_picture_that_stands_for_the_shot_is_a_bright_one() -> None:
    frames = sampled(BLACK, BLACK, mixed(BLACK, view(9), 0.2), mixed(BLACK, view(9), 0.6), *[view(9)] * 4)
    (only,) = segments(frames)
    assert (only.segment.start_ms, only.segment.end_ms) == (0, 8000)
    assert only.pixels.std() > 0.6 * view(9).std()


def test_a_film_of_nothing_but_black_still_has_a_picture() -> None:
    assert spans(segments(sampled(*[BLACK] * 5))) == [(0, 5000, 0)]


def test_a_shot_that_comes_to_look_different_gets_more_pictures() -> None:
    found = segments(sampled(*(view(21, x) for x in range(0, 350, 14))))
    assert 2 <= len(found) <= 8
    assert all(difference(sketch(a.pixels), sketch(b.pixels)) > 0.3 for a, b in pairwise(found))


def test_a_long_shot_is_cut_at_the_limit() -> None:
    found = spans(segments(sampled(*[view(22)] * 70), max_shot_ms=30_000))
    assert found == [(0, 29_500, 0), (29_500, 58_500, 30_000), (58_500, 70_000, 59_000)]


def test_a_picture_that_is_shown_for_minutes_is_cut_at_the_limit_and_stays_what_it_is() -> None:
    frames = [Frame(0, view(23)), Frame(70_000, view(24))]
    found = segments(frames, end_ms=75_000)
    assert spans(found) == [(0, 30_000, 0), (30_000, 60_000, 30_000), (60_000, 75_000, 70_000)]
    assert found[0].pixels.tobytes() == view(23).tobytes()
    assert found[-1].pixels.tobytes() == view(24).tobytes()


def test_a_glimpse_gets_the_shortest_length_and_no_less() -> None:
    frames = sampled(*[view(25)] * 10, view(26), *[view(25)] * 10, every_ms=200)
    assert spans(segments(frames, end_ms=4200)) == [(0, 1900, 0), (1900, 2900, 2000), (2900, 4200, 3000)]


def test_an_ending_that_is_too_short_joins_what_was_before() -> None:
    ending = sampled(*[view(25)] * 10, *[view(26)] * 2, every_ms=200)
    assert spans(segments(ending, end_ms=2400)) == [(0, 2400, 0)]


def test_no_frames_no_pictures() -> None:
    assert segments([], end_ms=0) == []


def test_one_frame_is_one_picture_of_some_length() -> None:
    assert spans(segments([Frame(0, view(1))], end_ms=0)) == [(0, 1, 0)]


def test_it_streams() -> None:
    held = 0

    def frames() -> Iterator[Frame]:
        nonlocal held
        for number in range(60):
            held += 1
            yield Frame(number * 1000, view(number // 5))

    found = pictures(frames(), end_ms=lambda: 60_000, min_shot_ms=1000, max_shot_ms=30_000)
    assert max(held - picture.segment.end_ms / 1000 for picture in found) < 8  # a shot is held back until the next has ended


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.tuples(st.integers(40, 9000), st.integers(0, 5)), min_size=1, max_size=40),
    tail=st.integers(0, 5000),
    min_shot_ms=st.sampled_from([500, 1000, 3000]),
    max_shot_ms=st.sampled_from([7000, 30_000]),
)
def test_segments_cover_a_film_without_gaps_and_keep_the_limits(
    steps: list[tuple[int, int]], tail: int, min_shot_ms: int, max_shot_ms: int
) -> None:
    looks = [view(1), view(2), BLACK, WHITE, mixed(view(1), view(2), 0.5), view(3, 40)]
    at, frames = 0, []
    for step, look in steps:
        frames.append(Frame(at, looks[look]))
        at += step
    end_ms = frames[-1].at_ms + tail
    found = segments(frames, end_ms=end_ms, min_shot_ms=min_shot_ms, max_shot_ms=max_shot_ms)
    assert found[0].segment.start_ms == 0
    assert found[-1].segment.end_ms == max(end_ms, frames[-1].at_ms + 1)
    assert all(a.segment.end_ms == b.segment.start_ms for a, b in pairwise(found))
    for picture in found:
        assert picture.segment.start_ms <= (picture.segment.frame_ms or 0) < picture.segment.end_ms
        assert picture.segment.end_ms - picture.segment.start_ms <= max_shot_ms
    if len(found) > 1 and max_shot_ms == 30_000:
        assert sum(p.segment.end_ms - p.segment.start_ms < min_shot_ms for p in found) <= 1


SCENES: dict[str, tuple[Callable[[int], np.ndarray], list[float]]] = {
    "hard cuts": (lambda n: noisy(view(n // 65 + 30, 0.4 * (n % 65)), n, 6), [2.6, 5.2, 7.8]),
    "pan": (lambda n: noisy(view(40, 0.3 * n), n, 6), []),
    "still": (lambda n: noisy(view(41), n), []),
}


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("interval_ms", [1000, 2000])
@pytest.mark.parametrize("gop", [25, 250])
def test_in_a_film_cuts_are_found_within_an_interval(tmp_path: Path, name: str, interval_ms: int, gop: int) -> None:
    paint, true = SCENES[name]
    path = film(tmp_path / "f.mp4", at=[n / 25 for n in range(260)], paint=paint, gop=gop, codec_options={"preset": "ultrafast"})
    reader = PyavFrames()
    frames = list(reader.frames(path, interval_ms=interval_ms, image_size=320, limits=Limits(), tick=lambda: None))
    before = {after.at_ms: frame.at_ms for frame, after in pairwise(frames)}
    found = [(at + before[at]) / 2000 for at in cuts(frames)]
    assert len(found) == len(true)
    assert all(abs(one - other) <= interval_ms / 1000 for one, other in zip(found, true, strict=True))


def shots(frames: list[Frame], end_ms: int | None = None, max_clip_frames: int = 32, max_shot_ms: int = 30_000) -> list[Clip]:
    """The shots as a whole; what comes with them must be the pictures of the film, each before its shot is told."""
    end = end_ms if end_ms is not None else frames[-1].at_ms + 1000
    limits = {"end_ms": lambda: end, "min_shot_ms": 1000, "max_shot_ms": max_shot_ms}
    both = list(pictures_and_clips(frames, **limits, max_clip_frames=max_clip_frames))
    alone = [item for item in both if isinstance(item, Picture)]
    assert [p.segment for p in alone] == [p.segment for p in pictures(frames, **limits)]
    told_ms = 0
    for item in both:
        told_ms = max(told_ms, item.segment.end_ms) if isinstance(item, Picture) else told_ms
        assert item.segment.end_ms <= told_ms
    return [item for item in both if isinstance(item, Clip)]


def reach(clips: list[Clip]) -> list[tuple[int, int, list[int]]]:
    return [(c.segment.start_ms, c.segment.end_ms, c.times_ms.tolist()) for c in clips]


def test_a_shot_as_a_whole_reaches_from_cut_to_cut_and_has_all_of_its_frames() -> None:
    found = shots(sampled(*[view(1)] * 4, *[view(2)] * 3, *[view(3)] * 5))
    assert reach(found) == [
        (0, 3500, [0, 1000, 2000, 3000]),
        (3500, 6500, [4000, 5000, 6000]),
        (6500, 12_000, [7000, 8000, 9000, 10_000, 11_000]),
    ]
    assert all((c.segment.modality, c.segment.frame_ms) == (Modality.VIDEO, None) for c in found)
    assert [c.frames.shape for c in found] == [(n, HEIGHT, WIDTH, 3) for n in (4, 3, 5)]
    assert [np.unique(c.frames, axis=0).tobytes() for c in found] == [view(n).tobytes() for n in (1, 2, 3)]


def test_a_shot_that_comes_to_look_different_is_one_shot_of_several_pictures() -> None:
    frames = sampled(*(view(21, x) for x in range(0, 350, 14)), *[view(2)] * 3)
    assert len(segments(frames)) > 3
    assert reach(shots(frames)) == [(0, 24_500, [1000 * n for n in range(25)]), (24_500, 28_000, [25_000, 26_000, 27_000])]


def test_a_shot_that_is_longer_than_the_limit_is_several_of_whole_pictures() -> None:
    found = shots(sampled(*[view(22)] * 70))
    assert [(c.segment.start_ms, c.segment.end_ms, len(c.frames)) for c in found] == [
        (0, 29_500, 30),
        (29_500, 58_500, 29),
        (58_500, 70_000, 11),
    ]


def test_of_more_frames_than_may_be_as_many_are_taken_evenly() -> None:
    (found,) = shots(sampled(*(noisy(view(5), number) for number in range(25))), max_clip_frames=7)
    assert found.times_ms.tolist() == [0, 4000, 8000, 12_000, 16_000, 20_000, 24_000]
    assert [frame.tobytes() for frame in found.frames] == [noisy(view(5), number).tobytes() for number in range(0, 25, 4)]
    (one,) = shots(sampled(*[view(5)] * 9), max_clip_frames=1)
    assert one.times_ms.tolist() == [0]


def test_a_glimpse_is_no_shot_but_what_follows_it_is_another_one() -> None:
    frames = sampled(*[view(25)] * 10, view(26), *[view(25)] * 10, every_ms=200)
    assert [(start, end) for start, end, _ in reach(shots(frames, end_ms=4200))] == [(0, 1900), (1900, 2900), (2900, 4200)]


def test_a_still_frame_goes_on_being_shown_in_the_shots_that_follow() -> None:
    found = shots([Frame(0, view(23)), Frame(70_000, view(24))], end_ms=75_000)
    assert reach(found) == [(0, 30_000, [0]), (30_000, 60_000, [30_000]), (60_000, 75_000, [70_000])]
    assert found[1].frames.tobytes() == view(23).tobytes()


def test_frames_of_another_size_are_left_out_of_the_shot() -> None:
    half = view(1)[::2, ::2]
    (found,) = shots(sampled(view(1), half, view(1), half))
    assert found.times_ms.tolist() == [0, 2000]
    assert shots([], end_ms=0) == []


def test_what_is_held_are_a_few_shots_and_not_the_film() -> None:
    handed: list[weakref.ref[np.ndarray]] = []
    most = 0

    def frames() -> Iterator[Frame]:
        nonlocal most
        for number in range(300):
            pixels = view(1 + number // 10 % 2).copy()
            handed.append(weakref.ref(pixels))
            yield Frame(number * 1000, pixels)
            del pixels
            most = max(most, sum(frame() is not None for frame in handed))

    found = pictures_and_clips(frames(), end_ms=lambda: 300_000, min_shot_ms=1000, max_shot_ms=30_000, max_clip_frames=32)
    assert sum(isinstance(item, Clip) for item in found) == 30
    assert most <= 3 * 10 + 2  # the shot told next, the one held back, the one that is being read; a frame is looked ahead
