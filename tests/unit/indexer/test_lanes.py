"""Runs that fill several spaces at once: what each gets, what they cost each other, and how one is built beside another."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from fakes import ColourEncoder, MovementEncoder
from films import film, flat, sound, tone
from indexing import Bench, Key, counts
from samples import write_picture, write_tone

from anyseek.errors import EncoderFailed, FailureCode
from anyseek.indexer.lanes import Lane, fitted
from anyseek.indexer.report import FileDone, IndexReport, Outcome, WorkFound
from anyseek.media.protocol import DecodeOptions
from anyseek.storage.catalog import SpaceRow
from anyseek.types import ENCODED, Modality, Segment

SEES, HEARS = frozenset({Modality.TEXT, Modality.IMAGE}), frozenset({Modality.TEXT, Modality.AUDIO})
RED, GREEN = (255, 0, 0), (0, 255, 0)
FRAMES_AT = [number / 25 for number in range(150)]


class Large(ColourEncoder):
    """Wants larger pictures, and sound in other windows at another rate."""

    image_size = 24
    sample_rate = 16_000
    window_ms = 2000


def seeing(spec: str = "seeing") -> ColourEncoder:
    return ColourEncoder(spec, modalities=SEES)


def hearing(spec: str = "hearing") -> ColourEncoder:
    return ColourEncoder(spec, modalities=HEARS)


def write_film(path: Path, *, loudness: float = 0.5, sound_s: float = 6, seconds: float = 6) -> Path:
    """Half of it red, half of it green, with a tone of 1000 Hz."""
    at = FRAMES_AT[: int(seconds * 25)]
    samples = tone(sound_s, rate=48_000, loudness=loudness)[None]
    return film(path, at=at, paint=flat(RED, GREEN, frames_each=len(at) // 2), sounds=[(samples, 48_000, 0.0)])


def fill(media: Path) -> None:
    """A picture, a sound and a film: 3 pictures and 4 windows of 3 s, the film's last but an instant after it included or not."""
    write_picture(media / "red.png", "red")
    write_tone(media / "low.wav", 200, seconds=5)
    write_film(media / "film.mp4")


def names(found: dict[Key, np.ndarray]) -> list[tuple[str, str, int]]:
    return sorted((name, segment.modality.value, segment.start_ms) for name, segment in found)


def assert_equal_bits(one: dict[Key, np.ndarray], other: dict[Key, np.ndarray]) -> None:
    assert one
    assert one.keys() == other.keys()
    for key, vector in one.items():
        assert vector.tobytes() == other[key].tobytes(), key


def refusals(report: IndexReport) -> list[tuple[str, str, str, str]]:
    return sorted((refusal.path.name, refusal.spec, refusal.code.value, refusal.reason) for refusal in report.refused)


def failures(report: IndexReport) -> list[tuple[str, str, str]]:
    return sorted((failure.path.name, failure.code.value, failure.reason) for failure in report.failures)


def ids(bench: Bench) -> dict[str, int]:
    """The assets that are indexed, by path."""
    with bench.catalog() as catalog:
        return {path: row.id for path, row in catalog.assets(1).items() if row.state == "indexed"}


def test_each_space_gets_what_its_encoder_understands_and_nothing_fails(tmp_path: Path) -> None:
    bench = Bench(tmp_path, seeing(), hearing())
    fill(bench.media)
    report = bench.index()
    seen, heard = bench.vectors("seeing"), bench.vectors("hearing")
    assert counts(report) == {"new": 3, "embedded": len(seen) + len(heard)}
    assert names(seen) == [("film.mp4", "image", 0), ("film.mp4", "image", 2500), ("red.png", "image", 0)]
    assert {name for name, _ in heard} == {"low.wav", "film.mp4"}
    assert {segment.modality for _, segment in heard} == {Modality.AUDIO}
    np.testing.assert_allclose(seen["red.png", Segment(Modality.IMAGE, frame_ms=0)], np.eye(8)[0], atol=1e-3)
    np.testing.assert_allclose(heard["low.wav", Segment(Modality.AUDIO, 0, 3000)], np.eye(8)[0], atol=1e-3)
    for name in ("red.png", "low.wav", "film.mp4"):
        assert bench.covered(name) == {"seeing": "complete", "hearing": "complete"}
    assert (report.refused, report.failures) == ([], [])
    assert counts(bench.index()) == {"unchanged": 3}


def test_a_vector_does_not_depend_on_which_other_spaces_there_are(tmp_path: Path) -> None:
    encoders = [ColourEncoder(), Large("large"), hearing(), MovementEncoder(modalities=frozenset({Modality.IMAGE, Modality.VIDEO}))]
    (tmp_path / "all").mkdir()
    together = Bench(tmp_path / "all", *encoders)
    fill(together.media)
    together.index(batch_size=2, jobs=2)
    for encoder in encoders:
        spec = encoder.space.spec
        (tmp_path / spec).mkdir()
        alone = Bench(tmp_path / spec, type(encoder)(spec, modalities=encoder.modalities))
        shutil.copytree(together.media, alone.media, dirs_exist_ok=True)
        alone.index()
        assert_equal_bits(together.vectors(spec), alone.vectors(spec))


def test_a_space_is_built_beside_another_which_embeds_nothing_again(tmp_path: Path) -> None:
    old, new = ColourEncoder("old"), Large("new")
    bench = Bench(tmp_path, old)
    fill(bench.media)
    bench.index()
    before, encoded = bench.vectors("old"), dict(old.encoded)
    bench.encoders = (old, new)
    report = bench.run()
    assert counts(report) == {"filled": 3, "embedded": len(bench.vectors("new"))}
    assert report.filled_in == {"new": 3}
    assert [event for event in bench.heard if isinstance(event, WorkFound)] == [WorkFound(files=3, known=3)]
    assert [event.outcome for event in bench.heard if isinstance(event, FileDone)] == [Outcome.FILLED] * 3
    assert dict(old.encoded) == encoded
    assert_equal_bits(bench.vectors("old"), before)
    assert counts(bench.run()) == {"unchanged": 3}


def test_a_space_that_has_nothing_for_a_file_leaves_it_as_it_is(tmp_path: Path) -> None:
    bench = Bench(tmp_path, seeing())
    write_picture(bench.media / "red.png", "red")
    bench.index()
    bench.encoders = (*bench.encoders, hearing())
    report = bench.run()
    assert counts(report) == {"unchanged": 1}
    assert report.filled_in == {}
    assert bench.covered("red.png") == {"seeing": "complete", "hearing": "complete"}


class Stopper(ColourEncoder):
    """Stops a run while it encodes its nth batch."""

    bench: Bench
    stop_at = 0

    def _finish(self, rows: list[np.ndarray], modality: Modality) -> np.ndarray:
        self.stop_at -= 1
        if self.stop_at == 0:
            self.bench.stop.set()
        return super()._finish(rows, modality)


def test_a_run_that_was_stopped_in_the_middle_of_the_second_space_goes_on_there(tmp_path: Path) -> None:
    first, second = seeing(), Stopper("second")
    bench = second.bench = Bench(tmp_path, first, second)
    write_film(bench.media / "film.mp4")
    write_tone(bench.media / "low.wav", 200, seconds=60)
    second.stop_at = 4
    assert bench.index(batch_size=1).interrupted
    assert 4 <= second.encoded.total() < 22
    stored = first.encoded.total()
    bench.stop.clear()
    assert not bench.index(batch_size=1).interrupted
    assert first.encoded.total() == 2 >= stored
    assert second.encoded.total() == len(bench.vectors("second"))
    assert {bench.covered(name)["second"] for name in ("film.mp4", "low.wav")} == {"complete"}


def test_building_beside_goes_on_where_it_was_stopped_and_the_old_space_is_whole_meanwhile(tmp_path: Path) -> None:
    old, new = ColourEncoder("old"), Stopper("new")
    bench = new.bench = Bench(tmp_path, old)
    write_tone(bench.media / "low.wav", 200, seconds=60)
    for number in range(6):
        write_picture(bench.media / f"{number}.png", "red", size=(20 + number, 20))
    bench.index()
    before, encoded = bench.vectors("old"), dict(old.encoded)
    bench.encoders, new.stop_at = (old, new), 9
    report = bench.run(batch_size=1)
    assert report.interrupted
    assert counts(report) | {"filled": 0} == {"filled": 0, "embedded": report.embedded}
    assert_equal_bits(bench.vectors("old"), before)
    bench.stop.clear()
    assert counts(bench.run(batch_size=1)) == {
        "unchanged": report.filled,
        "filled": 7 - report.filled,
        "embedded": 26 - report.embedded,
    }
    assert new.encoded.total() == 26
    assert dict(old.encoded) == encoded
    assert_equal_bits(bench.vectors("new"), before)


class Picky(ColourEncoder):
    """Takes no picture that is mostly green."""

    def encode_images(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        if any(pixels[..., 1].mean() > 200 > pixels[..., 0].mean() for pixels in pictures):
            raise RuntimeError("no green, please")
        return super().encode_images(pictures)


NO_GREEN = "the encoder does not take it: RuntimeError: no green, please"


@pytest.mark.parametrize("beside", [False, True])
def test_what_one_encoder_refuses_stays_in_the_library_and_is_told_once(tmp_path: Path, beside: bool) -> None:
    bench = Bench(tmp_path, ColourEncoder())
    for colour in ("red", "green", "blue"):
        write_picture(bench.media / f"{colour}.png", colour)
    if beside:
        bench.index()
    bench.encoders = (*bench.encoders, Picky("picky"))
    report = bench.index()
    assert counts(report) == ({"filled": 2, "unchanged": 1, "embedded": 2} if beside else {"new": 3, "embedded": 5})
    assert refusals(report) == [("green.png", "picky", "not_encoded", NO_GREEN)]
    assert bench.covered("green.png") == {"colour": "complete", "picky": "refused"}
    assert {name for name, _ in bench.vectors("picky")} == {"red.png", "blue.png"}
    assert {name for name, _ in bench.vectors("colour")} == {"red.png", "green.png", "blue.png"}
    again = bench.index()
    assert (counts(again), again.refused) == ({"unchanged": 3}, [])


def test_a_retry_asks_again_about_what_one_encoder_refused_and_about_nothing_else(tmp_path: Path) -> None:
    picky = Picky("picky")
    bench = Bench(tmp_path, ColourEncoder(), picky)
    write_picture(bench.media / "red.png", "red")
    write_picture(bench.media / "green.png", "green")
    bench.index()
    write_picture(bench.media / "new.png", "blue")
    report = bench.index(retry=True)
    assert (counts(report), refusals(report)) == ({"unchanged": 1}, [("green.png", "picky", "not_encoded", NO_GREEN)])
    bench.encoders = (ColourEncoder(), mended := ColourEncoder("picky"))
    report = bench.index(retry=True)
    assert (counts(report), report.filled_in, report.refused) == ({"filled": 1, "embedded": 1}, {"picky": 1}, [])
    assert mended.encoded.total() == 1
    assert counts(bench.index(retry=True)) == {}


def test_what_every_encoder_refuses_fails_until_one_comes_that_takes_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Picky("one"), Picky("two"))
    write_picture(bench.media / "green.png", "green")
    write_picture(bench.media / "red.png", "red")
    report = bench.index()
    assert (counts(report), report.refused) == ({"new": 1, "failed": 1, "embedded": 2}, [])
    assert failures(report) == [("green.png", "not_encoded", NO_GREEN)]
    assert counts(bench.index()) == {"unchanged": 1, "still_failed": 1}
    bench.encoders = (Picky("one"), ColourEncoder("three"))
    report = bench.index()
    assert counts(report) == {"changed": 1, "filled": 1, "embedded": 2}
    assert bench.covered("green.png") == {"one": "refused", "two": "refused", "three": "complete"}
    assert counts(bench.index()) == {"unchanged": 2}


def test_a_sound_that_a_library_of_pictures_could_not_use_is_tried_when_it_learns_to_hear(tmp_path: Path) -> None:
    bench = Bench(tmp_path, seeing())
    write_tone(bench.media / "low.wav", 200)
    report = bench.index()
    assert failures(report) == [("low.wav", "no_content", "it holds nothing that this library's encoder understands")]
    assert counts(bench.index()) == {"still_failed": 1}
    bench.encoders = (seeing(), hearing())
    assert counts(bench.index()) == {"changed": 1, "embedded": 1}
    assert bench.covered("low.wav") == {"seeing": "complete", "hearing": "complete"}


def test_what_failed_before_is_not_lost_sight_of_when_the_run_that_tries_it_again_is_stopped(tmp_path: Path) -> None:
    bench = Bench(tmp_path, seeing())
    write_tone(bench.media / "low.wav", 200, seconds=60)
    bench.index()
    hears = Stopper("hearing", modalities=HEARS)
    hears.bench, hears.stop_at, bench.encoders = bench, 5, (seeing(), hears)
    report = bench.index(batch_size=1)
    assert report.interrupted
    assert 5 <= report.embedded < 20
    bench.stop.clear()
    assert counts(bench.index(batch_size=1)) == {"changed": 1, "embedded": 20 - report.embedded}
    assert counts(bench.index()) == {"unchanged": 1}


def test_silence_costs_a_film_nothing_and_a_sound_everything(tmp_path: Path) -> None:
    bench = Bench(tmp_path, seeing(), hearing())
    write_film(bench.media / "film.mp4", loudness=0)
    sound(bench.media / "quiet.wav", tone(2, loudness=0)[None])
    report = bench.index()
    assert counts(report) == {"new": 1, "failed": 1, "embedded": 2}
    assert failures(report) == [("quiet.wav", "no_content", "nothing but silence")]
    assert (report.refused, bench.covered("film.mp4")) == ([], {"seeing": "complete", "hearing": "complete"})
    assert counts(bench.index()) == {"unchanged": 1, "still_failed": 1}


def test_an_encoder_that_takes_nothing_is_named(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ColourEncoder(), Picky("picky"))
    for number in range(4):
        write_picture(bench.media / f"{number}.png", "green", size=(20 + number, 20))
    with pytest.raises(EncoderFailed, match=r"'picky' fails on everything .*no green"):
        bench.index(batch_size=4)


def test_copies_and_moves_embed_nothing_in_any_space(tmp_path: Path) -> None:
    one, two = ColourEncoder("one"), ColourEncoder("two")
    bench = Bench(tmp_path, one, two)
    original = write_picture(bench.media / "0.png", "red")
    shutil.copy(original, bench.media / "1.png")
    assert counts(bench.index()) == {"new": 1, "copied": 1, "embedded": 2}
    original.rename(bench.media / "2.png")
    shutil.copy(bench.media / "1.png", bench.media / "3.png")
    assert counts(bench.index()) == {"moved": 1, "copied": 1, "unchanged": 1}
    three = ColourEncoder("three")
    bench.encoders = (one, three)
    before = ids(bench)
    (bench.media / "2.png").rename(bench.media / "4.png")
    report = bench.index()
    assert (counts(report), three.encoded.total()) == ({"moved": 1, "filled": 1, "unchanged": 1, "embedded": 1}, 1)
    assert {name for name, _ in bench.vectors("three")} == {"1.png", "3.png", "4.png"}
    assert ids(bench) == {"1.png": before["1.png"], "3.png": before["3.png"], "4.png": before["2.png"]}


def test_a_file_whose_old_bytes_were_moved_is_told_from_a_copy_while_a_space_is_built(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ColourEncoder())
    old, other = write_tone(bench.media / "z.wav", 200), write_picture(bench.media / "a.png", "green")
    bench.index()
    before = ids(bench)
    old.rename(bench.media / "b.wav")
    other.rename(bench.media / "z.png")
    write_tone(old, 3000, seconds=300)  # what lies at the path now takes longer to read than what was there
    bench.encoders = (*bench.encoders, ColourEncoder("new"))
    assert counts(bench.index(jobs=2)) == {"moved": 2, "changed": 1, "embedded": 202}
    after = ids(bench)
    assert (after["b.wav"], after["z.png"]) == (before["z.wav"], before["a.png"])
    assert after["z.wav"] not in before.values()


DEAF_DECODER = '''
"""Stands in for a decoder that crashes on a film's sound, and for a disk whose file changes meanwhile, which no file does on command."""
import os, signal
import anyseek.media.open as media

real = media.open_media

def open_media(path, options):
    if "IMAGE" not in {modality.name for modality in options.modalities}:
        if path.name.startswith("crash"):
            os.kill(os.getpid(), signal.SIGSEGV)
        if path.name.startswith("touch"):
            os.utime(path, ns=(1, 1))
    return real(path, options)

media.open_media = open_media
'''


@pytest.fixture
def deaf_decoder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a lane wants nothing but sound, files called crash… kill the decoder and files called touch… change under its hands."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "sitecustomize.py").write_text(DEAF_DECODER)
    monkeypatch.setenv("PYTHONPATH", os.fspath(folder))


@pytest.mark.usefixtures("deaf_decoder")
@pytest.mark.parametrize("beside", [False, True])
def test_a_file_that_can_be_read_for_one_space_only_serves_that_one(tmp_path: Path, beside: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path, seeing())
    write_film(bench.media / "crash.mp4")
    write_tone(bench.media / "low.wav", 200)
    if beside:
        bench.index()
    bench.encoders = (*bench.encoders, hearing())
    report = bench.index()
    assert counts(report) == ({"changed": 1, "unchanged": 1, "embedded": 1} if beside else {"new": 2, "embedded": 3})
    crashed = ("crash.mp4", "hearing", "crashed", "the decoder crashed on it (signal SIGSEGV)")
    assert refusals(report) == [crashed]
    assert len(bench.vectors("seeing")) == 2
    assert bench.covered("crash.mp4") == {"seeing": "complete", "hearing": "refused"}
    assert counts(bench.index()) == {"unchanged": 2}
    monkeypatch.delenv("PYTHONPATH")
    assert counts(bench.index(retry=True))["filled"] == 1
    assert bench.covered("crash.mp4") == {"seeing": "complete", "hearing": "complete"}


@pytest.mark.usefixtures("deaf_decoder")
def test_a_file_that_changes_while_it_is_read_for_the_second_space_keeps_the_vectors_of_the_first(tmp_path: Path) -> None:
    first = seeing()
    bench = Bench(tmp_path, first)
    path = write_film(bench.media / "touch.mp4")
    bench.index()
    before = bench.vectors("seeing")
    bench.encoders = (first, hearing())
    report = bench.index()
    assert [(failure.path, failure.code) for failure in report.failures] == [(path, FailureCode.CHANGED)]
    assert bench.covered("touch.mp4") == {"seeing": "complete"}
    report = bench.index()  # it is what it was, and its time is not changed by more of the same
    assert (counts(report), first.encoded.total()) == ({"filled": 1, "embedded": len(bench.vectors("hearing"))}, 2)
    assert_equal_bits(bench.vectors("seeing"), before)


def test_a_film_lasts_as_long_as_the_space_that_got_furthest_says(tmp_path: Path) -> None:
    def duration_ms(name: str) -> int | None:
        with bench.catalog() as catalog:
            asset = catalog.find_asset(bench.media / name)
            assert asset is not None
            assert asset.content_id is not None
            return catalog.content_info([asset.content_id])[asset.content_id].duration_ms

    bench = Bench(tmp_path, seeing(), hearing())
    write_film(bench.media / "one.mp4", sound_s=2)
    bench.index()
    bench.encoders = (seeing(),)
    write_film(bench.media / "two.mp4", sound_s=2, seconds=5)
    bench.index()
    bench.encoders = (seeing(), hearing(), hearing("also hearing"))
    bench.index()
    assert (duration_ms("one.mp4"), duration_ms("two.mp4")) == (6000, 5000)


def test_shots_as_a_whole_are_embedded_beside_their_pictures(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ColourEncoder(), MovementEncoder())
    fades = film(bench.media / "fade.mp4", at=FRAMES_AT, paint=lambda n: np.full((48, 64, 3), (180 - n // 3, 70 + n // 3, 20), np.uint8))
    write_film(bench.media / "still.mp4")
    write_picture(bench.media / "red.png", "red")
    bench.index(batch_size=2)
    found = bench.vectors("movement")
    assert names(found) == [("fade.mp4", "video", 0), ("still.mp4", "video", 0), ("still.mp4", "video", 2500)]
    assert {segment.frame_ms for _, segment in found} == {None}
    np.testing.assert_allclose(found[fades.name, Segment(Modality.VIDEO, 0, 6000)][:4], [-(0.5**0.5), 0.5**0.5, 0, 0], atol=0.02)
    np.testing.assert_allclose(found["still.mp4", Segment(Modality.VIDEO, 0, 2500)], np.eye(8)[3], atol=1e-3)
    assert not any(segment.modality is Modality.VIDEO for _, segment in bench.vectors("colour"))
    with bench.catalog() as catalog:
        assert catalog.counts().segments[Modality.VIDEO] == 3


def test_a_lane_decodes_what_its_encoder_takes() -> None:
    options = DecodeOptions(max_clip_frames=3)
    encoder = MovementEncoder(modalities=frozenset(ENCODED))
    row = SpaceRow(1, encoder.space, "serving")
    made = Lane(row, encoder).decode(options)
    assert made.modalities == frozenset(ENCODED) - {Modality.TEXT}
    assert (made.image_size, made.sample_rate, made.window_ms, made.max_clip_frames) == (16, 8000, 3000, 3)
    assert Lane(row, encoder).decode(DecodeOptions()).max_clip_frames == 4
    assert fitted(options, encoder).modalities == {Modality.IMAGE, Modality.AUDIO}
    assert Lane(row, hearing()).decode(DecodeOptions(modalities=frozenset({Modality.IMAGE}))).modalities == frozenset()
    assert Lane(row, encoder).batch_size == 16
    encoder.batch_size = 5  # type: ignore[attr-defined]
    assert Lane(row, encoder).batch_size == 5
