"""Whole runs on real folders with an encoder that can be computed by hand: what is new, moved, copied, gone, broken."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from fakes import ColourEncoder
from indexing import Bench, counts
from samples import write_picture, write_tone

from anyseek.errors import BadInput, EncoderFailed
from anyseek.indexer.pool import PoolLimits
from anyseek.indexer.report import FileDone, Outcome
from anyseek.media.protocol import DecodeOptions
from anyseek.types import Kind, Modality, Segment


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_first_run_embeds_all_and_a_second_nothing(bench: Bench) -> None:
    write_picture(bench.media / "a" / "red.png", "red")
    write_tone(bench.media / "low.wav", 200)
    (bench.media / "notes.txt").write_text("no media")
    assert counts(bench.index()) == {"new": 2, "embedded": 2}
    assert bench.search("red") == ["low.wav", "red.png"]
    before = bench.embedded()
    assert counts(bench.index()) == {"unchanged": 2}
    assert bench.embedded() == before


def test_renamed_moved_and_copied_files_embed_nothing_and_keep_their_ids(bench: Bench) -> None:
    for colour in ("red", "green", "blue"):
        write_picture(bench.media / f"{colour}.png", colour)
    bench.index()
    with bench.catalog() as catalog:
        before = {row.id: path for path, row in catalog.assets(1).items()}
    (bench.media / "red.png").rename(bench.media / "rouge.png")
    (bench.media / "deep").mkdir()
    (bench.media / "green.png").rename(bench.media / "deep" / "green.png")
    shutil.copy(bench.media / "blue.png", bench.media / "bleu.png")
    assert counts(bench.index()) == {"moved": 2, "copied": 1, "unchanged": 1}
    with bench.catalog() as catalog:
        after = {row.id: path for path, row in catalog.assets(1).items()}
    moved = {"red.png": "rouge.png", "green.png": "deep/green.png"}
    assert {id_: moved.get(path, path) for id_, path in before.items()} == {id_: after[id_] for id_ in before}
    assert bench.embedded() == 3
    assert bench.search("blue") == ["bleu.png", "blue.png"]


def ids_by_content(bench: Bench) -> dict[int, tuple[int, str]]:
    """Content to the asset that has it and where that lies."""
    with bench.catalog() as catalog:
        return {row.content_id: (row.id, path) for path, row in catalog.assets(1).items() if row.state == "indexed"}


def test_files_that_swap_or_hand_on_their_names_are_moved_and_keep_their_ids(bench: Bench) -> None:
    for number, colour in enumerate(("red", "green", "blue")):
        write_picture(bench.media / f"{number}.png", colour)
    bench.index()
    before = ids_by_content(bench)
    (bench.media / "0.png").rename(bench.media / "x")
    (bench.media / "1.png").rename(bench.media / "0.png")
    (bench.media / "x").rename(bench.media / "1.png")
    assert counts(bench.index()) == {"moved": 2, "unchanged": 1}
    for number in (2, 1, 0):
        (bench.media / f"{number}.png").rename(bench.media / f"{number + 1}.png")
    assert counts(bench.index()) == {"moved": 3}
    after = ids_by_content(bench)
    assert {content: asset for content, (asset, _) in after.items()} == {content: asset for content, (asset, _) in before.items()}
    assert bench.search("red") == ["2.png"]
    assert bench.embedded() == 3


def test_a_file_moved_over_another_is_moved_and_the_other_gone(bench: Bench) -> None:
    write_picture(bench.media / "a.png", "red")
    write_picture(bench.media / "b.png", "green")
    bench.index()
    (bench.media / "a.png").replace(bench.media / "b.png")
    assert counts(bench.index()) == {"moved": 1, "removed": 1}
    assert (bench.search("red"), bench.search("green")) == (["b.png"], [])


def test_a_backup_under_another_name_leaves_the_edited_file_its_id(bench: Bench) -> None:
    path = write_picture(bench.media / "x.png", "red")
    bench.index()
    with bench.catalog() as catalog:
        before = catalog.assets(1)["x.png"].id
    shutil.copy(path, bench.media / "z backup.png")
    write_picture(path, "green", size=(40, 20))
    assert counts(bench.index()) == {"changed": 1, "new": 1, "embedded": 1}
    with bench.catalog() as catalog:
        assert catalog.assets(1)["x.png"].id == before


def test_what_comes_back_to_its_place_is_itself_and_not_its_copy(bench: Bench) -> None:
    path = write_picture(bench.media / "x.png", "red")
    shutil.copy(path, bench.media / "y.png")
    write_picture(bench.media / "z.png", "green")
    bench.index()
    with bench.catalog() as catalog:
        before = {path: row.id for path, row in catalog.assets(1).items()}
    kept = path.read_bytes()
    path.unlink()
    (bench.media / "y.png").unlink()
    assert counts(bench.index()) == {"removed": 2, "unchanged": 1}
    (bench.media / "y.png").write_bytes(kept)
    assert counts(bench.index()) == {"new": 1, "unchanged": 1}
    with bench.catalog() as catalog:
        assert {path: row.id for path, row in catalog.assets(1).items()} == before


def test_copies_in_one_run_are_decoded_once(bench: Bench) -> None:
    original = write_picture(bench.media / "0.png", "red")
    for number in range(1, 9):
        shutil.copy(original, bench.media / f"{number}.png")
    assert counts(bench.index()) == {"new": 1, "copied": 8, "embedded": 1}
    assert len(bench.search("red")) == 9


def test_a_changed_file_answers_with_what_it_shows_now(bench: Bench) -> None:
    path = write_picture(bench.media / "x.png", "red")
    bench.index()
    write_picture(path, "green", size=(40, 20))
    assert counts(bench.index()) == {"changed": 1, "embedded": 1}
    assert bench.search("red") == []
    assert bench.search("green") == ["x.png"]


def test_a_touched_file_is_unchanged_and_not_read_twice_more(bench: Bench) -> None:
    path = write_picture(bench.media / "x.png", "red")
    bench.index()
    os.utime(path, ns=(1, 1))
    assert counts(bench.index()) == {"unchanged": 1}
    assert counts(bench.index()) == {"unchanged": 1}


def test_deleted_files_leave_the_results_at_once_and_come_back_for_nothing(bench: Bench) -> None:
    path = write_picture(bench.media / "x.png", "red")
    write_picture(bench.media / "y.png", "green")
    bench.index()
    kept = path.read_bytes()
    path.unlink()
    assert counts(bench.index()) == {"removed": 1, "unchanged": 1}
    assert bench.search("red") == []
    path.write_bytes(kept)
    assert counts(bench.index()) == {"new": 1, "unchanged": 1}
    assert bench.search("red") == ["x.png"]
    assert bench.embedded() == 2


def test_a_source_that_is_gone_or_suddenly_empty_loses_nothing_without_prune(bench: Bench) -> None:
    write_picture(bench.media / "x.png", "red")
    bench.index()
    away = bench.media.rename(bench.media.with_name("away"))
    report = bench.index()
    assert report.unavailable == [bench.media]
    bench.media.mkdir()
    assert bench.index().unavailable == [bench.media]
    assert bench.search("red") == ["x.png"]
    assert counts(bench.index(prune=True)) == {"removed": 1, "purged": 1}
    assert bench.search("red") == []
    bench.media.rmdir()
    away.rename(bench.media)
    assert counts(bench.index()) == {"new": 1, "embedded": 1}


def test_excluded_files_leave_and_other_kinds_stay(bench: Bench) -> None:
    write_picture(bench.media / "private" / "x.png", "red")
    write_picture(bench.media / "y.png", "green")
    write_tone(bench.media / "low.wav", 200)
    bench.index()
    assert counts(bench.index(exclude=("private",))) == {"removed": 1, "unchanged": 2}
    assert counts(bench.index(exclude=("private",), kinds=frozenset({Kind.IMAGE}))) == {"unchanged": 1, "kept": 1}
    assert bench.search("red") == ["low.wav"]


def test_a_folder_remembers_what_it_excludes_until_told_otherwise(bench: Bench) -> None:
    write_picture(bench.media / "private" / "x.png", "red")
    write_picture(bench.media / "y.png", "green")
    report = bench.index(exclude=("private", "*.bmp"))
    assert counts(report) == {"new": 1, "embedded": 1}
    assert report.notes == [f"nothing below {bench.media} is like the excluded '*.bmp'"]
    assert counts(bench.index()) == {"unchanged": 1}
    assert counts(bench.index(retry=True)) == {}
    assert counts(bench.index(exclude=())) == {"new": 1, "unchanged": 1, "embedded": 1}


def test_only_a_walk_that_saw_nothing_is_suspicious(bench: Bench) -> None:
    write_picture(bench.media / "y.png", "green")
    path = write_tone(bench.media / "low.wav", 200)
    bench.index()
    path.unlink()
    assert counts(bench.index(kinds=frozenset({Kind.AUDIO}))) == {"removed": 1, "kept": 1}
    assert counts(bench.index(exclude=("*",))) == {"removed": 1}


def test_pruning_forgets_a_source_that_is_gone(bench: Bench) -> None:
    write_picture(bench.media / "a" / "x.png", "red")
    write_picture(bench.media / "b" / "y.png", "green")
    bench.index(bench.media / "a", bench.media / "b")
    shutil.rmtree(bench.media / "a")
    report = bench.run()
    assert report.unavailable == [bench.media / "a"]
    assert bench.run(prune=True).unavailable == [bench.media / "a"]  # what is not named is not believed
    assert counts(bench.run(bench.media / "a", prune=True)) == {"removed": 1, "purged": 1}
    assert bench.run().unavailable == []


def test_a_part_of_a_source_is_indexed_alone(bench: Bench) -> None:
    write_picture(bench.media / "a" / "x.png", "red")
    bench.index()
    write_picture(bench.media / "a" / "z.png", "blue")
    write_picture(bench.media / "b" / "y.png", "green")
    (bench.media / "a" / "x.png").unlink()
    assert counts(bench.index(bench.media / "b")) == {"new": 1, "embedded": 1}
    assert counts(bench.index(bench.media / "a" / "z.png")) == {"new": 1, "embedded": 1}
    assert bench.search("red") == ["x.png"]
    assert counts(bench.index(bench.media / "a")) == {"removed": 1, "unchanged": 1}


def test_a_single_file_outside_any_source(bench: Bench) -> None:
    path = write_picture(bench.media / "x.png", "red")
    write_picture(bench.media / "y.png", "green")
    assert counts(bench.index(path)) == {"new": 1, "embedded": 1}
    assert bench.search("red") == ["x.png"]


def test_a_single_file_does_not_invite_its_neighbours(bench: Bench) -> None:
    path = write_picture(bench.media / "x.png", "red")
    write_picture(bench.media / "y.png", "green")
    bench.index(path)
    assert counts(bench.run()) == {"unchanged": 1}
    path.unlink()
    assert counts(bench.run()) == {"removed": 1}
    assert counts(bench.index()) == {"new": 1, "embedded": 1}


def test_a_whole_folder_stays_whole_beside_single_files_above_it(bench: Bench) -> None:
    write_picture(bench.media / "a" / "1.png", "red")
    single = write_picture(bench.media / "x.png", "green")
    write_picture(bench.media / "neighbour.png", "black")
    bench.index(bench.media / "a")
    bench.index(single)
    write_picture(bench.media / "a" / "2.png", "blue")
    assert counts(bench.run()) == {"new": 1, "unchanged": 2, "embedded": 1}


def test_a_folder_named_after_single_files_of_it_or_above_it_has_them_once(bench: Bench) -> None:
    inner = write_picture(bench.media / "a" / "1.png", "red")
    outer = write_picture(bench.media / "x.png", "green")
    bench.index(outer, inner)
    write_picture(bench.media / "a" / "2.png", "blue")
    assert counts(bench.index(bench.media / "a")) == {"new": 1, "unchanged": 1, "embedded": 1}
    assert counts(bench.run()) == {"unchanged": 3}
    with bench.catalog() as catalog:
        assert catalog.counts().assets == {"indexed": 3}


def test_a_folder_and_one_above_it_may_be_named_together(bench: Bench) -> None:
    write_picture(bench.media / "a" / "x.png", "red")
    write_picture(bench.media / "y.png", "green")
    assert counts(bench.index(bench.media / "a", bench.media)) == {"new": 2, "embedded": 2}
    with bench.catalog() as catalog:
        assert [source.root for source in catalog.sources()] == [bench.media]


def test_stopping_in_the_middle_of_a_walk_concludes_nothing(bench: Bench) -> None:
    write_picture(bench.media / "a" / "x.png", "red")
    path = write_picture(bench.media / "b" / "y.png", "green")
    bench.index()
    path.unlink()
    bench.stop.set()
    report = bench.index()
    assert report.interrupted
    assert counts(report) == {}
    assert bench.search("green") == ["y.png"]


def test_a_first_run_that_was_stopped_goes_on_without_naming_the_folder_again(bench: Bench) -> None:
    write_picture(bench.media / "x.png", "red")
    bench.stop.set()
    assert bench.index().interrupted
    bench.stop.clear()
    assert counts(bench.run()) == {"new": 1, "embedded": 1}


def test_a_folder_above_a_source_takes_it_in(bench: Bench) -> None:
    write_picture(bench.media / "a" / "x.png", "red")
    write_picture(bench.media / "y.png", "green")
    bench.index(bench.media / "a")
    with bench.catalog() as catalog:
        (asset,) = catalog.assets(1).values()
    assert counts(bench.index()) == {"new": 1, "unchanged": 1, "embedded": 1}
    with bench.catalog() as catalog:
        (source,) = catalog.sources()
        assert source.root == bench.media
        assert catalog.assets(source.id)["a/x.png"].id == asset.id
    assert bench.search("red") == ["x.png"]


def test_moving_between_sources_is_a_move(bench: Bench) -> None:
    path = write_picture(bench.media / "a" / "x.png", "red")
    write_picture(bench.media / "a" / "stays.png", "blue")
    write_picture(bench.media / "b" / "y.png", "green")
    bench.index(bench.media / "a", bench.media / "b")
    path.rename(bench.media / "b" / "x.png")
    assert counts(bench.index(bench.media / "a", bench.media / "b")) == {"moved": 1, "unchanged": 2}
    assert bench.embedded() == 3


def test_without_a_path_all_sources_are_brought_up_to_date(bench: Bench) -> None:
    write_picture(bench.media / "a" / "x.png", "red")
    write_picture(bench.media / "b" / "y.png", "green")
    bench.index(bench.media / "a", bench.media / "b")
    write_picture(bench.media / "b" / "z.png", "blue")
    assert counts(bench.run()) == {"new": 1, "unchanged": 2, "embedded": 1}


def test_nothing_named_and_nothing_known_is_an_error_with_a_remedy(bench: Bench) -> None:
    with pytest.raises(BadInput, match="anyseek index FOLDER"):
        bench.run()


def test_a_path_that_does_not_exist_is_named(bench: Bench) -> None:
    with pytest.raises(BadInput, match="nowhere: no such file or folder"):
        bench.index(bench.media / "nowhere")


def test_broken_files_are_rows_that_cost_one_try_and_can_be_retried(bench: Bench) -> None:
    good = write_picture(bench.media / "good.png", "red")
    broken = bench.media / "broken.png"
    broken.write_bytes(good.read_bytes()[:40])
    shutil.copy(broken, bench.media / "copy of broken.png")
    report = bench.index()
    assert counts(report) == {"new": 1, "failed": 2, "embedded": 1}
    assert {(failure.path.name, failure.code.value) for failure in report.failures} == {
        ("broken.png", "damaged"),
        ("copy of broken.png", "damaged"),
    }
    assert counts(bench.index()) == {"unchanged": 1, "still_failed": 2}
    assert counts(bench.index(retry=True)) == {"failed": 2}
    with bench.catalog() as catalog:
        assert [row.path.name for row in catalog.failures()] == ["broken.png", "copy of broken.png"]
    write_picture(broken, "green")
    assert counts(bench.index()) == {"changed": 1, "unchanged": 1, "still_failed": 1, "embedded": 1}


@pytest.mark.usefixtures("obedient_decoder")
def test_a_failure_that_was_not_the_contents_fault_is_healed_by_a_retry(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    (bench.media / "x.png").write_bytes(b"CRASH")
    assert counts(bench.index(limits=PoolLimits(silence_s=5))) == {"failed": 1}
    monkeypatch.delenv("PYTHONPATH")
    write_picture(bench.media / "other.png", "red")
    assert counts(bench.index(retry=True)) == {"failed": 1}  # and other.png is not touched
    with bench.catalog() as catalog:
        assert [row.code for row in catalog.failures()] == ["not_media"]


class Picky(ColourEncoder):
    """Takes no picture that is mostly green, and gives vectors that are no numbers for blue ones."""

    def encode_images(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        if any(pixels[..., 1].mean() > 200 > pixels[..., 0].mean() for pixels in pictures):
            raise RuntimeError("no green, please")
        vectors = super().encode_images(pictures)
        vectors[[bool(pixels[..., 2].mean() > 200 > pixels[..., 0].mean()) for pixels in pictures]] = np.nan
        return vectors


def test_a_picture_that_the_encoder_does_not_take_costs_itself_alone(bench: Bench) -> None:
    bench.encoder = Picky()
    for number, colour in enumerate(("red", "green", "white", "blue", "black")):
        write_picture(bench.media / f"{number}.png", colour)
    report = bench.index()
    assert counts(report) == {"new": 3, "failed": 2, "embedded": 3}
    assert {(failure.path.name, failure.code.value, failure.reason) for failure in report.failures} == {
        ("1.png", "not_encoded", "the encoder does not take it: RuntimeError: no green, please"),
        ("3.png", "not_encoded", "the encoder does not take it: it has no finite vector"),
    }
    assert counts(bench.index()) == {"unchanged": 3, "still_failed": 2}


def test_an_encoder_that_takes_nothing_ends_the_run_and_blames_no_file(bench: Bench) -> None:
    bench.encoder = Picky()
    for number in range(4):
        write_picture(bench.media / f"{number}.png", "green", size=(20 + number, 20))
    with pytest.raises(EncoderFailed, match=r"'colour' fails on everything .*no green"):
        bench.index()
    with bench.catalog() as catalog:
        assert catalog.failures() == []


class Slow(ColourEncoder):
    """Takes its time."""

    def encode_images(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        time.sleep(0.8)
        return super().encode_images(pictures)


def test_a_slow_encoder_is_not_taken_for_a_hanging_decoder(bench: Bench) -> None:
    bench.encoder = Slow()
    for number in range(10):
        write_picture(bench.media / f"{number}.png", "red", size=(20 + number, 20))
    report = bench.index(batch_size=2, limits=PoolLimits(silence_s=0.6))
    assert counts(report) == {"new": 10, "embedded": 10}


def test_vectors_of_bytes_that_changed_meanwhile_are_not_kept_under_the_first_hash(bench: Bench) -> None:
    path = write_tone(bench.media / "x.wav", 200, seconds=600)  # more windows than the queue and the pipe hold: it is being read still
    first = path.read_bytes()

    class Meddler(ColourEncoder):
        def encode_audio(self, windows: Sequence[np.ndarray]) -> np.ndarray:
            if path.read_bytes() == first:
                write_tone(path, 3000, seconds=600)
            return super().encode_audio(windows)

    bench.encoder = Meddler()
    report = bench.index(batch_size=1)
    assert [failure.code.value for failure in report.failures] == ["changed"]
    bench.encoder = ColourEncoder()
    path.write_bytes(first)
    assert counts(bench.index()) == {"changed": 1, "embedded": 200}
    assert (bench.search("low"), bench.search("high")) == (["x.wav"], [])


def test_a_file_that_cannot_be_read_for_a_while_loses_nothing(bench: Bench) -> None:
    path = write_picture(bench.media / "x.png", "red")
    write_picture(bench.media / "y.png", "green")
    bench.index()
    kept = path.read_bytes()
    path.unlink()
    path.symlink_to(bench.media / "nowhere.png")  # root may read everything, so a broken link stands for closed doors
    report = bench.index(prune=True)
    assert counts(report) == {"unchanged": 1, "failed": 1}
    path.unlink()
    path.write_bytes(kept)
    assert counts(bench.index()) == {"unchanged": 2}
    assert bench.embedded() == 2


def test_stopping_keeps_what_is_committed_and_the_next_run_goes_on(bench: Bench) -> None:
    for number in range(12):
        write_picture(bench.media / f"{number:02}.png", "red", size=(20 + number, 20))
    bench.stop_after = FileDone
    report = bench.index(batch_size=2)
    assert report.interrupted
    assert 1 <= report.new < 12
    assert {event.outcome for event in bench.heard if isinstance(event, FileDone)} == {Outcome.NEW}
    bench.stop_after = None
    bench.stop.clear()
    done = report.new
    again = bench.index()
    assert counts(again) == {"new": 12 - done, "unchanged": done, "embedded": 12 - report.embedded}
    assert bench.embedded() == 12


def test_vectors_are_those_of_the_encoder_over_its_own_windows(bench: Bench) -> None:
    write_picture(bench.media / "red.png", "red")
    write_tone(bench.media / "middle.wav", 1000, seconds=5)
    bench.index(decode=DecodeOptions(window_ms=10_000))  # windows belong to the space: no run may ask for others
    found = bench.vectors()
    assert set(found) == {
        ("red.png", Segment(Modality.IMAGE, frame_ms=0)),
        ("middle.wav", Segment(Modality.AUDIO, 0, 3000)),
        ("middle.wav", Segment(Modality.AUDIO, 3000, 5000)),
    }
    for (name, _), vector in found.items():
        np.testing.assert_allclose(vector, np.eye(8)[int(name == "middle.wav")], atol=1e-3)
