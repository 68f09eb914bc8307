"""Joined vectors against the formula, what becomes of them over the life of a library, and that they are found at the right times."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from fakes import WORDS, ColourEncoder
from films import film, flat, tone
from samples import write_picture
from shelf import Shelf, unit

from anyseek import Library
from anyseek.errors import BadInput, BadQuery
from anyseek.fusion.agreement import Agreement
from anyseek.fusion.early import EarlyFusion
from anyseek.fusion.fitted import FittedWeights, FusionWeights
from anyseek.fusion.mean import WeightedMean
from anyseek.indexer.indexer import IndexOptions
from anyseek.indexer.lanes import Lane
from anyseek.indexer.report import SidesJoined
from anyseek.indexer.wholes import Wholes
from anyseek.search.query import Query, Text
from anyseek.search.references import Reference
from anyseek.storage import doctor
from anyseek.storage.doctor import examine
from anyseek.storage.engine import Database
from anyseek.storage.models import embedding, segment
from anyseek.training.pairs import Pair
from anyseek.training.resolving import resolve
from anyseek.types import Annotation, AnnotationType, Kind, MediaInfo, Modality, Segment

RED, GREEN, BLUE, DARK = np.eye(8, dtype=np.float32)[:4]
IMAGE, AUDIO, TEXT, WHOLE = Modality.IMAGE, Modality.AUDIO, Modality.TEXT, Modality.WHOLE
SHOTS = [Segment(IMAGE, 0, 4000, 2000), Segment(IMAGE, 4000, 5000, 4500)]
FIRST, SECOND = Segment(WHOLE, 0, 4000, 2000), Segment(WHOLE, 4000, 5000, 4500)
WINDOWS = [Segment(AUDIO, 0, 3000), Segment(AUDIO, 3000, 5000)]


@dataclass
class Bench:
    """A film of two shots, red and green, that sounds blue and then dark; a red picture; and a tone alone."""

    shelf: Shelf
    film: int
    picture: int
    tone: int

    def join(self, fusion: EarlyFusion | None = None, trained: str = "") -> int:
        lane = Lane(self.shelf.space, self.shelf.encoders[0])
        return Wholes(self.shelf.catalog, lane, fusion or WeightedMean(), trained).run(threading.Event(), lambda done, total: None)

    def say(self, content_id: int, *notes: tuple[str, int, int], of: AnnotationType = AnnotationType.CAPTION) -> None:
        with self.shelf.catalog.transaction() as writer:
            writer.replace_annotations(of, "me", {content_id: [Annotation(of, "me", *note) for note in notes]})

    def wholes(self, content_id: int) -> dict[Segment, np.ndarray]:
        ids, _, segments = self.shelf.catalog.embeddings_of([content_id], self.shelf.space.id)
        rows = self.shelf.catalog.vectors(ids)
        return {one: row for one, row in zip(segments, rows, strict=True) if one.modality is WHOLE}

    def ids(self) -> list[int]:
        return self.shelf.catalog.live_embeddings(self.shelf.space.id, modalities={WHOLE}).tolist()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    shelf = Shelf(tmp_path / "library")
    film_id = shelf.put("film.mp4", Kind.VIDEO, *zip([*SHOTS, *WINDOWS], [RED, GREEN, BLUE, DARK], strict=True))
    picture = shelf.put("red.png", Kind.IMAGE, (Segment(IMAGE), RED))
    tone = shelf.put("tone.wav", Kind.AUDIO, *((window, BLUE) for window in WINDOWS))
    yield Bench(shelf, film_id, picture, tone)
    shelf.catalog.close()


def close(found: dict[Segment, np.ndarray], wanted: dict[Segment, Sequence[np.ndarray]]) -> None:
    assert set(found) == set(wanted)
    for one, pieces in wanted.items():
        np.testing.assert_allclose(found[one], unit(np.sum(pieces, axis=0)), atol=1e-3)


def test_what_is_seen_and_heard_at_one_time_is_joined_by_the_mean(bench: Bench) -> None:
    assert bench.join() == 2
    sound = unit(3 * BLUE + DARK)  # of 4 s, 3 s are blue
    close(bench.wholes(bench.film), {FIRST: [RED, sound], SECOND: [GREEN, DARK]})
    assert bench.wholes(bench.picture) == bench.wholes(bench.tone) == {}
    assert bench.shelf.catalog.counts().segments[WHOLE] == 2


def test_words_are_joined_to_what_they_are_about(bench: Bench) -> None:
    bench.say(bench.picture, ("green", 0, 0), ("blue", 0, 0))
    bench.say(bench.film, ("yellow", 4100, 4200), ("black", 0, 0))
    assert bench.join() == 3
    close(bench.wholes(bench.picture), {Segment(WHOLE): [RED, unit(GREEN + BLUE)]})
    np.testing.assert_allclose(
        bench.wholes(bench.film)[Segment(WHOLE, 4000, 5000, 4500)], unit(GREEN + DARK + unit(RED + GREEN)), atol=1e-3
    )


def test_what_the_file_itself_says_is_joined_too(bench: Bench) -> None:
    info = MediaInfo(Kind.IMAGE, "test", title="green", keywords=("blue", "blue"))
    with bench.shelf.catalog.transaction() as writer:
        writer.finish_content(bench.picture, bench.shelf.space.id, info, [Segment(IMAGE)])
    bench.join()
    close(bench.wholes(bench.picture), {Segment(WHOLE): [RED, unit(GREEN + BLUE)]})


def test_texts_that_are_too_long_are_taken_apart_and_those_without_words_left_out(bench: Bench) -> None:
    bench.say(bench.picture, (" ".join(["green"] * 40), 0, 0), ("…", 0, 0))
    bench.join()
    close(bench.wholes(bench.picture), {Segment(WHOLE): [RED, GREEN]})
    bench.say(bench.picture, ("…", 0, 0))
    bench.join()
    assert bench.wholes(bench.picture) == {}


def test_an_encoder_without_words_joins_what_is_seen_and_heard(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "library", ColourEncoder(modalities=frozenset({IMAGE, AUDIO})))
    film_id = shelf.put("film.mp4", Kind.VIDEO, (SHOTS[0], RED), (WINDOWS[0], BLUE))
    with closing(shelf.catalog):
        bench = Bench(shelf, film_id, 0, 0)
        bench.say(film_id, ("green", 0, 0))
        assert bench.join() == 1
        close(bench.wholes(film_id), {FIRST: [RED, BLUE]})


def test_only_what_has_changed_is_joined_again(bench: Bench) -> None:
    bench.say(bench.picture, ("green", 0, 0))
    assert bench.join() == 3
    before, encoder = bench.ids(), bench.shelf.encoders[0]
    assert isinstance(encoder, ColourEncoder)
    texts = encoder.encoded[TEXT]
    assert (bench.join(), bench.ids(), encoder.encoded[TEXT]) == (0, before, texts)
    bench.say(bench.picture, ("blue", 0, 0))
    assert bench.join() == 1
    assert len(bench.ids()) == 3
    assert len(set(bench.ids()) & set(before)) == 2
    bench.say(bench.picture)
    assert bench.join() == 0
    assert bench.wholes(bench.picture) == {}
    assert bench.join(Agreement()) == 2
    assert not set(bench.ids()) & set(before)
    weights = FittedWeights({bench.shelf.space.space.fingerprint: FusionWeights({IMAGE: 1.0, AUDIO: 0.0})})
    assert (bench.join(weights, "a"), bench.join(weights, "a"), bench.join(weights, "b")) == (2, 0, 2)
    close(bench.wholes(bench.film), {FIRST: [RED], SECOND: [GREEN]})


def test_what_is_read_again_is_joined_again(bench: Bench) -> None:
    """The reader knows nothing of what was joined: it says what all segments are, and the others go."""
    bench.join()
    catalog, space_id = bench.shelf.catalog, bench.shelf.space.id
    with catalog.transaction() as writer:
        writer.finish_content(bench.film, space_id, MediaInfo(Kind.VIDEO, "test"), [*SHOTS, *WINDOWS])
    assert bench.wholes(bench.film) == {}
    assert bench.join() == 2


def test_a_damaged_one_is_found_dropped_and_made_anew(bench: Bench) -> None:
    bench.join()
    folder = bench.shelf.folder
    with closing(Database(folder.catalog)) as database, database.writing() as connection:
        wholes = segment.select().with_only_columns(segment.c.id).where(segment.c.modality == "whole")
        connection.execute(embedding.update().where(embedding.c.segment_id.in_(wholes)).values(vector=b"bad"))
    assert [finding.code for finding in examine(folder).findings if finding.code == "bad_vectors"] == ["bad_vectors"]
    doctor.repair(folder)
    assert bench.ids() == []
    with bench.shelf.catalog.transaction() as writer:  # as the next run does after it has read the file again
        writer.finish_content(bench.film, bench.shelf.space.id, MediaInfo(Kind.VIDEO, "test"), [*SHOTS, *WINDOWS])
    assert bench.join() == 2
    assert not [finding for finding in examine(folder).findings if finding.code in ("bad_vectors", "hollow_contents")]


def test_what_was_joined_can_be_dropped_without_the_rest(bench: Bench) -> None:
    bench.join()
    catalog, space_id = bench.shelf.catalog, bench.shelf.space.id
    with catalog.transaction() as writer:
        assert writer.drop_wholes([space_id], [bench.picture]) == 0
        assert writer.drop_wholes([space_id]) == 2
    assert bench.ids() == []
    assert catalog.counts().segments == {IMAGE: 3, AUDIO: 4}
    assert catalog.unfinished_contents(space_id) == set()


def test_spaces_have_joined_vectors_of_their_own_of_the_same_moments(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "library", ColourEncoder(), ColourEncoder("other"))
    with closing(shelf.catalog) as catalog:
        for space in (0, 1):
            film_id = shelf.put("film.mp4", Kind.VIDEO, (SHOTS[0], RED), (WINDOWS[0], BLUE), space=space)
            lane = Lane(shelf.spaces[space], shelf.encoders[space])
            assert Wholes(catalog, lane, WeightedMean()).run(threading.Event(), lambda done, total: None) == 1
        first, second = (space.id for space in shelf.spaces)
        assert catalog.segments_in(film_id, first) == catalog.segments_in(film_id, second) == {SHOTS[0], WINDOWS[0], FIRST}
        with catalog.transaction() as writer:
            assert writer.drop_wholes([first]) == 1
        assert catalog.segments_in(film_id, first) == {SHOTS[0], WINDOWS[0]}
        assert catalog.segments_in(film_id, second) == {SHOTS[0], WINDOWS[0], FIRST}
        with catalog.transaction() as writer:  # a new space that is made of this one's vectors gets none: they are joined there
            third = writer.add_space(ColourEncoder("third").space, "building")
            writer.derive_space(second, third.id, lambda rows, modality: rows)
        assert catalog.segments_in(film_id, third.id) == {SHOTS[0], WINDOWS[0]}


def test_a_hit_says_when_and_what_was_seen_and_heard(bench: Bench) -> None:
    """Red and blue at once is what the first shot is as a whole; its frame is red, and its sound blue."""
    bench.join()
    engine = bench.shelf.engine(calibrated=False)
    hits = engine.answer(Query((Text("magenta"),), min_relevance=0, explain=True)).hits
    best = next(hit for hit in hits if hit.path.name == "film.mp4")
    assert hits[0] == best
    assert best.explanation is not None
    assert (best.explanation.found, best.signals) == ("whole", ("seen", "heard"))
    assert (best.start_ms, best.end_ms, best.best_ms) == (0, 4000, 2000)


def test_a_picture_with_words_is_seen_and_not_heard(bench: Bench) -> None:
    bench.say(bench.picture, ("green", 0, 0))
    bench.join()
    hits = bench.shelf.engine(calibrated=False).answer(Query((Text("yellow"),), min_relevance=0, explain=True)).hits
    assert (hits[0].path.name, hits[0].signals, hits[0].start_ms) == ("red.png", ("seen",), None)
    assert hits[0].explanation is not None
    assert hits[0].explanation.found == "whole"


def test_what_was_joined_is_no_example(bench: Bench) -> None:
    engine = bench.shelf.engine(calibrated=False)
    before = engine.stored(bench.film).vectors[bench.shelf.space.id]
    bench.join()
    after = engine.stored(bench.film).vectors[bench.shelf.space.id]
    assert after.modalities == before.modalities == (IMAGE, IMAGE, AUDIO, AUDIO)
    np.testing.assert_array_equal(after.rows, before.rows)


def test_scores_of_what_was_joined_are_calibrated_like_all_others(bench: Bench) -> None:
    bench.join()
    engine = bench.shelf.engine(*(f"{one} {other}" for one in WORDS for other in WORDS), keep=True)
    engine.prepare()
    assert engine.is_prepared
    hits = engine.answer(Query((Text("magenta"),), min_relevance=0)).hits
    assert all(0 < hit.relevance < 1 for hit in hits)
    assert hits[0].path.name == "film.mp4"


@pytest.fixture
def media(tmp_path: Path) -> Path:
    write_picture(tmp_path / "media" / "green.png", "green")
    write_film(tmp_path / "media" / "film.mp4", (250, 0, 0))
    return tmp_path / "media"


def write_film(path: Path, colour: tuple[int, int, int]) -> None:
    """Four seconds of one colour, with a high tone that the fake encoder hears as blue."""
    film(path, paint=flat(colour, frames_each=100), sounds=[(tone(4, hertz=3000)[None], 16_000, 0.0)])


def test_a_run_remembers_how_to_join_and_forgets_it_again(media: Path, tmp_path: Path) -> None:
    heard: list[object] = []
    with Library.open(tmp_path / "library", encoder=ColourEncoder()) as library:
        assert library.index(media).joined == 0
        joined = library.index(options=IndexOptions(fuse="mean"), on_event=heard.append)
        assert (joined.joined > 0, joined.embedded, joined.has_changed_the_library) == (True, 0, True)
        assert [event for event in heard if isinstance(event, SidesJoined)] == [SidesJoined("colour", 2, 2)]
        assert library.search("magenta", min_relevance=0).hits[0].path.name == "film.mp4"
        write_film(media / "other.mp4", (0, 250, 0))
        assert library.index().joined > 0
        assert library.index().joined == 0
        assert library.index(options=IndexOptions(fuse="agreement")).joined > joined.joined
        report = library.index(options=IndexOptions(fuse="off"))
        assert (report.joined, [note for note in report.notes if "removed" in note]) == (0, report.notes)
        assert library.counts().segments.keys() == {IMAGE, AUDIO}
        assert library.index().joined == 0


def test_what_was_not_trained_is_refused_before_any_work_and_noted_afterwards(media: Path, tmp_path: Path) -> None:
    with Library.open(tmp_path / "library", encoder=ColourEncoder()) as library:
        with pytest.raises(BadInput, match="joined in colour by network, for nothing was trained for it"):
            library.index(media, options=IndexOptions(fuse="network"))
        assert library.counts().contents == 0
        with library.catalog.transaction() as writer:
            writer.put_setting("fuse", "weighted")
        assert "cannot be joined in colour by weighted" in library.index(media).notes[0]
        with pytest.raises(BadQuery, match="no weights were fitted for this model"):
            library.search(["red", "green"], fusion="weighted")
    with pytest.raises(BadInput, match="nothing joins vectors that is called 'sum': use mean, agreement, weighted, network or off"):
        IndexOptions(fuse="sum")


def test_what_was_joined_is_nothing_to_learn_from(media: Path, tmp_path: Path) -> None:
    with Library.open(tmp_path / "library", encoder=ColourEncoder()) as library:
        library.index(media, options=IndexOptions(fuse="mean"))
        (space,) = library.catalog.spaces("serving")
        examples = resolve(
            library, space, [Pair("red", Reference.read(media / "film.mp4")), Pair("green", Reference.read(media / "green.png"))]
        )
        assert {target.modality for target in examples.targets} == {IMAGE, AUDIO}
