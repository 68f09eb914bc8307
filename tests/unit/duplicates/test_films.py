import numpy as np
import pytest
from lives import live

from anyseek.duplicates.films import Match, Track, match, near_films
from anyseek.types import Kind

FRAMES_PER_S, HEARD_PER_S = 2, 1000 / 64


class Studio:
    """Films whose every half second has random hashes, and sounds."""

    def __init__(self, seed: int = 1) -> None:
        self.random = np.random.default_rng(seed)

    def frames(self, seconds: float) -> np.ndarray:
        return self.random.integers(1, 2**64, round(seconds * FRAMES_PER_S), dtype=np.uint64)

    def sound(self, seconds: float) -> np.ndarray:
        return self.random.integers(1, 2**32, round(seconds * HEARD_PER_S), dtype=np.uint32)


def track(name: str, seen: np.ndarray | None = None, heard: np.ndarray | None = None, **known: object) -> Track:
    seen = np.zeros(0, np.uint64) if seen is None else seen
    heard = np.zeros(0, np.uint32) if heard is None else heard
    kind = Kind.VIDEO if len(seen) else Kind.AUDIO
    ms = len(seen) * 500 if len(seen) else len(heard) * 64
    stored = b"\1" + len(seen).to_bytes(4, "little") + seen.astype("<u8").tobytes() + heard.astype("<u4").tobytes()
    return Track.read(live(name, kind, **{"duration_ms": ms, **known}), stored)


@pytest.fixture
def studio() -> Studio:
    return Studio()


def test_a_clip_is_found_in_a_film_by_its_frames(studio: Studio) -> None:
    seen = studio.frames(60)
    found = match(track("film", seen), track("clip", seen[24:60]))
    assert found is not None
    assert (found.offset_ms, found.whole) == (12_000, False)
    assert found.agreement == pytest.approx(1.0)


def test_the_sound_says_where_a_clip_belongs_more_exactly(studio: Studio) -> None:
    seen, heard = studio.frames(60), studio.sound(60)
    clip = track("clip", seen[24:60], heard[190:450])
    assert match(track("film", seen, heard), clip) == Match(190 * 64, pytest.approx(1.0), whole=False)


def test_other_pictures_to_the_same_sound_are_another_film(studio: Studio) -> None:
    heard = studio.sound(20)
    assert match(track("one", studio.frames(20), heard), track("other", studio.frames(20), heard)) is None


def test_the_same_pictures_to_another_sound_are_another_film(studio: Studio) -> None:
    seen = studio.frames(20)
    assert match(track("one", seen, studio.sound(20)), track("other", seen, studio.sound(20))) is None


def test_a_film_without_sound_is_the_one_with_it(studio: Studio) -> None:
    seen = studio.frames(20)
    found = match(track("loud", seen, studio.sound(20)), track("mute", seen))
    assert found is not None
    assert found.whole


def test_a_shot_that_stands_still_is_no_part_of_another_one(studio: Studio) -> None:
    still = np.repeat(studio.frames(0.5), 40)
    assert match(track("long", still), track("short", still[:30])) is None
    assert match(track("long", still), track("as long", still)) == Match(0, pytest.approx(1.0), whole=True)
    almost = still ^ np.uint64(0b1111)
    assert match(track("long", still), track("as long, and another", almost)) is None


def test_films_that_share_an_end_only_are_not_near(studio: Studio) -> None:
    seen = studio.frames(40)
    assert match(track("one", seen[:60]), track("other", seen[30:])) is None


def test_a_sound_within_a_longer_one(studio: Studio) -> None:
    heard = studio.sound(60)
    assert match(track("long", heard=heard), track("part", heard=heard[300:400])) == Match(19_200, pytest.approx(1.0), whole=False)
    assert match(track("long", heard=heard), track("other", heard=studio.sound(10))) is None


def test_half_of_the_bits_are_enough_in_each_part_but_not_in_half_of_them(studio: Studio) -> None:
    heard = studio.sound(30)
    turned = heard ^ np.uint32(0x00FF)
    found = match(track("one", heard=heard), track("hissing", heard=turned))
    assert found is not None
    assert found.agreement == pytest.approx(0.5)
    half = np.concatenate([heard[:234], studio.sound(15)])
    assert match(track("one", heard=heard), track("half", heard=half)) is None


def test_a_film_and_a_sound_are_not_compared(studio: Studio) -> None:
    heard = studio.sound(20)
    assert match(track("film", studio.frames(20), heard), track("sound", heard=heard)) is None


def grouped(*tracks: Track, likely: list[tuple[int, int]] | None = None) -> list[tuple[str, list[tuple[str, int | None, bool]]]]:
    """Names by number in `likely`; all pairs unless told."""
    ids = [one.content.id for one in tracks]
    pairs = likely if likely is not None else [(one, other) for one in range(len(ids)) for other in range(one + 1, len(ids))]
    found = near_films({one.content.id: one for one in tracks}, [(ids[one], ids[other]) for one, other in pairs])
    return [
        (kept.path, [(one.content.path, None if one.match.whole else one.match.offset_ms, one.keep) for one in others])
        for kept, others in found
    ]


def test_the_best_of_those_that_are_as_long_is_kept_and_holds_the_parts(studio: Studio) -> None:
    seen = studio.frames(60)
    small, large = track("small", seen, width=320, height=180, duration_ms=60_100), track("large", seen)
    parts = [track("late", seen[80:100], width=320, height=180), track("early", seen[20:50], width=640, height=480)]
    assert grouped(small, large, *parts) == [("large", [("small", None, False), ("early", 10_000, True), ("late", 40_000, False)])]


def test_pairs_that_nobody_proposed_are_compared_where_others_lead_to_them(studio: Studio) -> None:
    seen = studio.frames(30)
    best, middle, last = track("best", seen, size=9_000), track("middle", seen, size=5_000), track("last", seen)
    assert grouped(last, middle, best, likely=[(0, 1), (1, 2)]) == [("best", [("last", None, False), ("middle", None, False)])]


def test_what_is_part_of_a_part_is_not_lost(studio: Studio) -> None:
    first, second = studio.frames(20), studio.frames(20)
    long, half, piece = track("long", np.concatenate([first, second])), track("half", second), track("piece", second[10:30])
    assert grouped(piece, half, long, likely=[(0, 1), (1, 2)]) == [("long", [("half", 20_000, False), ("piece", 25_000, False)])]


def test_it_can_be_left_off(studio: Studio) -> None:
    seen = studio.frames(20)
    tracks = {one.content.id: one for one in (track("a", seen), track("b", seen), track("c", seen))}
    one, other, third = tracks
    asked = []

    def go_on(done: int) -> bool:
        asked.append(done)
        return False

    (found,) = near_films(tracks, [(one, other), (other, third)], go_on)
    assert asked == [1]
    assert len(found[1]) == 1
