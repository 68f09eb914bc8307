"""Pairs in a space: vectors exactly, each pair once, every reason counted, and nothing depends on the order of input."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fakes import ColourEncoder
from shelf import Shelf, unit

from anyseek.errors import BadInput, UnsupportedModality
from anyseek.media.fingerprint import PICTURE, VERSION
from anyseek.search.references import Reference
from anyseek.storage.fingerprints import Fingerprints
from anyseek.training.examples import Examples, Query, Target
from anyseek.training.pairs import Pair, Pairs
from anyseek.training.resolving import Resolver
from anyseek.types import Kind, Modality, Segment

IMAGE, AUDIO, TEXT = Modality.IMAGE, Modality.AUDIO, Modality.TEXT


def axis(*places: int) -> np.ndarray:
    return unit(sum(np.eye(8)[place] for place in places))


def frame(start: int, end: int) -> Segment:
    return Segment(IMAGE, start, end, (start + end) // 2)


class Kept:
    """Two pictures, a sound, a film of two shots with sound, and a picture that lies at two places."""

    def __init__(self, folder: Path) -> None:
        self.encoder = ColourEncoder()
        self.shelf = Shelf(folder / ".library", self.encoder, ColourEncoder("other"))
        self.folder = folder
        put = self.shelf.put
        self.red = put("red.jpg", Kind.IMAGE, (Segment(IMAGE), axis(0)))
        self.green = put("green.jpg", Kind.IMAGE, (Segment(IMAGE), axis(1)))
        self.low = put("low.mp3", Kind.AUDIO, (Segment(AUDIO, 0, 3000), axis(0, 3)), (Segment(AUDIO, 3000, 6000), axis(0)))
        self.film = put(
            "film.mp4",
            Kind.VIDEO,
            (frame(0, 2000), axis(0)),
            (frame(2000, 4000), axis(1)),
            (Segment(AUDIO, 0, 3000), axis(2)),
            (Segment(AUDIO, 3000, 4000), axis(3)),
        )
        self.shelf.copy(self.green, "sub/green.jpg")

    def examples(self, *pairs: Pair, roots: tuple[Path, ...] = (), **more: object) -> Examples:
        resolver = Resolver(self.shelf.catalog, self.shelf.space, lambda: self.encoder, roots)
        return resolver.examples(Pairs(pairs, **more))  # type: ignore[arg-type]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path)
    yield made
    made.shelf.catalog.close()


def at(path: str, start: int | None = None, end: int | None = None) -> Reference:
    return Reference(Path(path), start, end)


def edges(examples: Examples) -> list[tuple[str, int, str, bool]]:
    return [
        (examples.queries[q].label, examples.targets[t].content_id, examples.targets[t].modality.value, bool(p))
        for q, t, p in zip(examples.query_of, examples.target_of, examples.positive, strict=True)
    ]


def test_texts_and_files(kept: Kept) -> None:
    found = kept.examples(
        Pair("red", at("red.jpg")), Pair("glow", at("film.mp4")), Pair("red", at("green.jpg"), positive=False, grade=3, source="feedback")
    )
    assert found.queries == (Query("glow"), Query("red"))
    np.testing.assert_allclose(found.query_vectors, [axis(4), axis(0)])
    assert found.query_modalities == (TEXT, TEXT)
    assert found.query_groups.tolist() == [-1, -1]
    whole = (0, 0)
    assert found.targets == (
        Target(kept.film, whole, AUDIO),
        Target(kept.film, whole, IMAGE),
        Target(kept.green, whole, IMAGE),
        Target(kept.red, whole, IMAGE),
    )
    np.testing.assert_allclose(found.target_vectors, [axis(2, 3), axis(0, 1), axis(1), axis(0)], atol=1e-3)
    assert edges(found) == [
        ("glow", kept.film, "audio", True),
        ("glow", kept.film, "image", True),
        ("red", kept.green, "image", False),
        ("red", kept.red, "image", True),
    ]
    assert found.weights.tolist() == [1, 1, 3, 1]
    assert found.sources == ("file", "feedback")
    assert found.source_of.tolist() == [0, 0, 1, 0]
    assert found.groups.tolist() == [0, 0, 1, 2]
    assert found.left_out == {}
    assert kept.encoder.encoded[TEXT] == 2


def test_a_library_that_was_numbered_otherwise_gives_the_same(tmp_path: Path) -> None:
    """Which content gets which id depends on which file was decoded first; nothing that is drawn may."""
    files = {"low.mp3": (Kind.AUDIO, Segment(AUDIO, 0, 3000), axis(0, 3)), "red.jpg": (Kind.IMAGE, Segment(IMAGE), axis(0))}
    files["green.jpg"] = (Kind.IMAGE, Segment(IMAGE), axis(1))
    found = []
    for order in (list(files), list(reversed(files))):
        encoder = ColourEncoder()
        shelf = Shelf(tmp_path / order[0] / ".library", encoder, ColourEncoder("other"))
        ids = {path: shelf.put(path, files[path][0], files[path][1:]) for path in order}
        resolver = Resolver(shelf.catalog, shelf.space, lambda encoder=encoder: encoder)
        pairs = (Pair("red", at("red.jpg")), Pair("red", at("green.jpg")), Pair(at("low.mp3"), at("red.jpg")))
        found.append((ids, resolver.examples(Pairs(pairs))))
        shelf.catalog.close()
    (first, one), (second, again) = found
    assert first != second
    assert [query.label for query in one.queries] == [query.label for query in again.queries]
    for field in ("query_vectors", "target_vectors", "query_groups", "groups", "query_of", "target_of", "positive"):
        np.testing.assert_array_equal(getattr(one, field), getattr(again, field))


def test_moments(kept: Kept) -> None:
    """What lies in the stretch or reaches into it; an instant is one millisecond."""
    found = kept.examples(
        Pair("one", at("film.mp4", 0, 1000)),
        Pair("two", at("film.mp4", 2000)),
        Pair("three", at("film.mp4", 1999, 2001)),
        Pair("four", at("film.mp4", 9000, 9500)),
    )
    expected = {
        Target(kept.film, (0, 1000), AUDIO): axis(2),
        Target(kept.film, (0, 1000), IMAGE): axis(0),
        Target(kept.film, (1999, 2001), AUDIO): axis(2),
        Target(kept.film, (1999, 2001), IMAGE): axis(0, 1),
        Target(kept.film, (2000, 2001), AUDIO): axis(2),
        Target(kept.film, (2000, 2001), IMAGE): axis(1),
    }
    assert found.targets == tuple(expected)
    np.testing.assert_allclose(found.target_vectors, list(expected.values()), atol=1e-3)
    assert found.left_out == {"of moments of which the space has nothing": 1}
    assert set(found.groups.tolist()) == {0}


def test_files_that_are_asked_with(kept: Kept) -> None:
    found = kept.examples(Pair(at("low.mp3"), at("red.jpg")), Pair(at("film.mp4", 2000, 2500), at("green.jpg"), positive=False))
    assert found.queries == (
        Query("film.mp4@0:02.000-0:02.500", kept.film, (2000, 2500)),
        Query("film.mp4@0:02.000-0:02.500", kept.film, (2000, 2500)),
        Query("low.mp3", kept.low),
    )
    assert found.query_modalities == (AUDIO, IMAGE, AUDIO)
    expected = [axis(2), axis(1), unit(axis(0, 3).astype(np.float64) + axis(0))]
    np.testing.assert_allclose(found.query_vectors, expected, atol=1e-3)
    assert (found.query_groups.tolist(), found.groups.tolist()) == ([0, 0, 1], [0, 2])
    assert edges(found)[-1] == ("low.mp3", kept.red, "image", True)
    assert kept.encoder.encoded[TEXT] == 0


def test_one_text_in_several_spellings(kept: Kept) -> None:
    """The spelling that comes most often is encoded, and all are one query."""
    found = kept.examples(
        Pair("Red", at("red.jpg")), Pair("red ", at("green.jpg")), Pair("RED", at("film.mp4")), Pair("  red", at("low.mp3"))
    )
    assert found.queries == (Query("red"),)
    assert len(found) == 5


def test_each_pair_once(kept: Kept) -> None:
    """Copies are one file; what is believed first counts; what says both says nothing."""
    found = kept.examples(
        Pair("red", at("green.jpg"), source="filenames"),
        Pair("Red", at("sub/green.jpg"), source="keywords", grade=4),
        Pair("red", at("red.jpg"), positive=False, source="keywords"),
        Pair("red", at("red.jpg"), source="feedback"),
        Pair("blue", at("red.jpg")),
        Pair("blue", at("red.jpg"), positive=False),
        Pair("blue", at("red.jpg"), source="keywords"),
    )
    assert edges(found) == [("red", kept.green, "image", True), ("red", kept.red, "image", True)]
    assert [found.sources[place] for place in found.source_of] == ["keywords", "feedback"]
    assert found.weights.tolist() == [4, 1]
    assert found.left_out == {"that were there already": 2, "that others contradict": 3}


def test_what_cannot_be_used_is_counted(kept: Kept) -> None:
    kept.shelf.put("bare.jpg", Kind.IMAGE, (Segment(IMAGE), axis(0)), space=1)
    kept.shelf.put("gone.jpg", Kind.IMAGE, (Segment(IMAGE), axis(2)))
    kept.shelf.delete("gone.jpg")
    long = "word " * 40  # the fake encoder takes 32 words
    found = kept.examples(
        Pair("red", at("missing.jpg")),
        Pair("red", at("gone.jpg")),
        Pair(at("missing.jpg"), at("red.jpg")),
        Pair("red", at("bare.jpg")),
        Pair(long, at("red.jpg")),
        *(Pair(f"{word} thing", at("red.jpg")) for word in ("blue", "green", "black")),
        Pair(at("green.jpg"), at("sub/green.jpg")),
        left_out={"said before": 7},
    )
    assert [query.label for query in found.queries] == ["black thing", "blue thing", "green thing"]
    assert found.left_out == {
        "of files that the library does not hold": 3,
        "of files of which the space has nothing": 1,
        "with a text that the model does not take": 1,
        "of a file with itself": 1,
        "said before": 7,
    }


def test_where_files_are_looked_for(kept: Kept, tmp_path: Path) -> None:
    """Beside the file of pairs, in further folders, in what the library scans; and those known already are not looked for."""
    assert len(kept.examples(Pair("red", at("green.jpg")), folders=(tmp_path / "sub",))) == 1
    assert len(kept.examples(Pair("red", at(str(tmp_path / "red.jpg"))))) == 1
    assert len(kept.examples(Pair("red", at("jpg/red.jpg")), folders=(tmp_path,))) == 0
    known = kept.examples(Pair("red", at("anywhere.jpg")), contents={Path("anywhere.jpg"): kept.red})
    assert known.targets == (Target(kept.red, (0, 0), IMAGE),)


def test_a_picture_has_no_moments(kept: Kept) -> None:
    with pytest.raises(BadInput, match=r"pairs.csv, line 3: .*red.jpg is a picture, which has no moments: leave the time out"):
        kept.examples(Pair("red", at("red.jpg", 0, 1000), place="pairs.csv, line 3"))


def test_a_model_without_text(kept: Kept) -> None:
    kept.encoder.modalities = frozenset({IMAGE})
    with pytest.raises(UnsupportedModality):
        kept.examples(Pair("red", at("red.jpg")))
    assert len(kept.examples(Pair(at("red.jpg"), at("green.jpg")))) == 1


def test_the_order_of_input_does_not_matter(kept: Kept) -> None:
    pairs = [
        Pair("red", at("red.jpg")),
        Pair("Red", at("film.mp4")),
        Pair("green", at("green.jpg"), source="keywords"),
        Pair("green", at("sub/green.jpg"), source="filenames"),
        Pair("green", at("red.jpg"), positive=False),
        Pair(at("low.mp3"), at("film.mp4", 0, 1500)),
        Pair("blue", at("low.mp3"), source="feedback"),
        Pair("nothing", at("missing.jpg")),
    ]
    first = kept.examples(*pairs)
    for seed in range(5):
        shuffled = random.Random(seed).sample(pairs, len(pairs))
        again = kept.examples(*shuffled)
        for name in ("queries", "query_modalities", "targets", "sources", "left_out"):
            assert getattr(again, name) == getattr(first, name)
        arrays = ("query_vectors", "query_groups", "target_vectors", "groups", "query_of", "target_of", "positive", "weights", "source_of")
        for name in arrays:
            np.testing.assert_array_equal(getattr(again, name), getattr(first, name))


def test_near_duplicates_are_one_group(kept: Kept) -> None:
    """A picture and a frame of the film's first shot are equal; by it, the picture, the film and their sounds hang together."""
    found = kept.examples(Pair("red", at("red.jpg")), Pair("red", at("green.jpg")), Pair("red", at("film.mp4", 0, 1000)))
    groups = dict(zip([target.content_id for target in found.targets], found.groups.tolist(), strict=True))
    assert groups == {kept.red: 0, kept.green: 1, kept.film: 0}


def test_pictures_are_one_group_by_the_fingerprints_that_were_taken(kept: Kept) -> None:
    pairs = (Pair("red", at("red.jpg")), Pair("red", at("green.jpg")))
    assert kept.examples(*pairs).groups.tolist() == [0, 1]
    taken = np.array([(VERSION, 50, 128, 128, 12345, np.arange(32))], PICTURE).tobytes()
    Fingerprints(kept.shelf.catalog).store({kept.red: taken, kept.green: taken})
    assert kept.examples(*pairs).groups.tolist() == [0, 0]


def test_nothing(kept: Kept) -> None:
    found = kept.examples()
    assert (len(found), found.query_vectors.shape, found.target_vectors.shape) == (0, (0, 8), (0, 8))
