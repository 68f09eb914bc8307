"""What belongs together, by hand and against a plain loop."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from anyseek.indexer.belonging import Belonging, Words, belonging, words_of
from anyseek.storage.catalog import ContentInfo
from anyseek.types import Annotation, AnnotationType, Kind, Modality, Segment

BARE = ContentInfo(1, Kind.IMAGE, "png", 1, *[None] * 4, False, *[None] * 8, ())
IMAGE, AUDIO, VIDEO, WHOLE = Modality.IMAGE, Modality.AUDIO, Modality.VIDEO, Modality.WHOLE

segments = st.builds(
    lambda modality, start, length, frame: Segment(modality, start, start + length, start if modality is IMAGE and frame else None),
    st.sampled_from([IMAGE, AUDIO, VIDEO]),
    st.integers(0, 40),
    st.integers(1, 15),
    st.booleans(),
)
texts = st.builds(
    lambda text, start, length: Words(text, start, start + length if length else 0), st.sampled_from("abc"), st.just(0), st.integers(0, 30)
)


def test_the_sound_of_a_shot_is_that_of_all_windows_in_it() -> None:
    film = [Segment(IMAGE, 0, 4000, 2000), Segment(IMAGE, 4000, 5000, 4500), *(Segment(AUDIO, at, at + 3000) for at in (0, 3000))]
    assert belonging(film, [Words("a caption of all"), Words("hello", 4200, 4300)]) == [
        Belonging(Segment(WHOLE, 0, 4000, 2000), {IMAGE: ((0, 4000),), AUDIO: ((2, 3000), (3, 1000))}, ()),
        Belonging(Segment(WHOLE, 4000, 5000, 4500), {IMAGE: ((1, 1000),), AUDIO: ((3, 1000),)}, ("hello",)),
    ]


def test_a_picture_belongs_to_its_words_and_is_alone_without_any() -> None:
    picture = [Segment(IMAGE)]
    assert belonging(picture, [Words("red"), Words("dusk"), Words("red")]) == [
        Belonging(Segment(WHOLE), {IMAGE: ((0, 1),)}, ("red", "dusk"))
    ]
    assert belonging(picture, []) == []
    assert belonging([], [Words("red")]) == []


def test_what_is_said_of_all_belongs_to_the_only_moment_there_is() -> None:
    one, two = Segment(AUDIO, 0, 3000), Segment(AUDIO, 3000, 5000)
    assert belonging([one], [Words("a blackbird")]) == [Belonging(Segment(WHOLE, 0, 3000), {AUDIO: ((0, 3000),)}, ("a blackbird",))]
    assert belonging([one, two], [Words("a blackbird")]) == []


def test_shots_as_a_whole_lead_where_there_are_no_frames() -> None:
    film = [Segment(AUDIO, 0, 3000), Segment(VIDEO, 0, 1000), Segment(VIDEO, 1000, 3000)]
    assert [(one.segment, dict(one.members)) for one in belonging(film, [])] == [
        (Segment(WHOLE, 0, 1000), {VIDEO: ((1, 1000),), AUDIO: ((0, 1000),)}),
        (Segment(WHOLE, 1000, 3000), {VIDEO: ((2, 2000),), AUDIO: ((0, 2000),)}),
    ]


@given(st.lists(segments, max_size=12, unique=True), st.lists(texts, max_size=4))
def test_it_is_what_a_plain_loop_finds(parts: list[Segment], words: list[Words]) -> None:
    leading = next((modality for modality in (IMAGE, VIDEO, AUDIO) if any(one.modality is modality for one in parts)), None)
    leaders = sorted((one for one in parts if one.modality is leading), key=lambda one: (one.start_ms, one.end_ms, one.frame_ms or 0))
    wanted = []
    for leader in leaders:
        members: dict[Modality, list[tuple[int, int]]] = {leader.modality: [(parts.index(leader), leader.end_ms - leader.start_ms)]}
        for (number, one), modality in itertools.product(enumerate(parts), (IMAGE, VIDEO, AUDIO)):
            common = len(set(range(leader.start_ms, leader.end_ms)) & set(range(one.start_ms, one.end_ms)))
            if one.modality is modality is not leading and common:
                members.setdefault(modality, []).append((number, common))
        said = [one.text for one in words if not one.end_ms and len(leaders) == 1]
        said += [one.text for one in words if one.end_ms > leader.start_ms and one.start_ms < leader.end_ms]
        if len(members) + bool(said) > 1:
            whole = Segment(WHOLE, leader.start_ms, leader.end_ms, leader.frame_ms)
            wanted.append((whole, {modality: tuple(found) for modality, found in members.items()}, tuple(dict.fromkeys(said))))
    assert [(one.segment, dict(one.members), one.texts) for one in belonging(parts, words)] == wanted


def test_a_film_of_three_hours_takes_no_minutes() -> None:
    film = [Segment(IMAGE, at, at + 2000, at) for at in range(0, 10_800_000, 2000)] + [
        Segment(AUDIO, at, at + 3000) for at in range(0, 10_800_000, 3000)
    ]
    started = time.monotonic()
    assert len(belonging(film, [Words(str(at), at, at + 1500) for at in range(0, 10_800_000, 4000)])) == 5400
    assert time.monotonic() - started < 10


def test_words_are_those_of_the_file_and_what_was_written_down_but_no_tags() -> None:
    info = replace(BARE, title="Dusk", keywords=("sea", "pier"))
    notes = [
        Annotation(AnnotationType.CAPTION, "me", "a pier at dusk"),
        Annotation(AnnotationType.SPEECH, "whisper", "look", 1000, 2000),
        Annotation(AnnotationType.TAG, "builtin/starter", "pier"),
        Annotation(AnnotationType.FUSED, "f00d", "1234 1"),
    ]
    assert words_of(info, notes) == [Words("Dusk"), Words("sea, pier"), Words("a pier at dusk"), Words("look", 1000, 2000)]
    assert words_of(BARE, []) == []
