import numpy as np
import pytest
from lives import live
from shelf import Shelf, unit

from anyseek.duplicates import similar
from anyseek.duplicates.similar import WITHOUT_CHANCE, least_cosine, similar_files
from anyseek.duplicates.vectors import Usual, Whole, likely_pairs, usual, wholes
from anyseek.storage.space_index import SpaceIndex
from anyseek.types import Kind, Modality, Segment

RANDOM = np.random.default_rng(11)


def rows(count: int, dim: int = 16) -> np.ndarray:
    found = RANDOM.standard_normal((count, dim)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def greedy(vectors: np.ndarray, least: float) -> list[tuple[int, list[int]]]:
    left, found = list(range(len(vectors))), []
    while left:
        first = left.pop(0)
        others = [other for other in left if float(vectors[first] @ vectors[other]) >= least]
        left = [other for other in left if other not in others]
        if others:
            found.append((first, sorted(others, key=lambda other: -float(vectors[first] @ vectors[other]))))
    return found


@pytest.mark.parametrize("cells", [1, 90, 1 << 25])
def test_the_groups_are_those_of_one_by_one(monkeypatch: pytest.MonkeyPatch, cells: int) -> None:
    monkeypatch.setattr(similar, "BLOCK_CELLS", cells)
    vectors = rows(60, 6)
    contents = [live(f"{number:02}") for number in range(60)]
    whole = Whole(np.array([content.id for content in contents]), vectors)
    found = similar_files(contents, whole, 0.7)
    assert [(int(kept.path), [int(one.path) for one, _ in others]) for kept, others in found] == greedy(vectors, 0.7)
    for kept, others in found:
        for one, cosine in others:
            assert cosine == pytest.approx(float(vectors[int(kept.path)] @ vectors[int(one.path)]), abs=1e-6)


def test_chance_is_the_middle_of_all_pairs_and_knows_nothing_of_copies() -> None:
    vectors = rows(200, 32)
    found = usual(Whole(np.arange(200), vectors))
    scaled = np.arctanh((vectors @ vectors.T)[np.triu_indices(200, 1)])
    assert found == Usual(pytest.approx(np.median(scaled), abs=1e-5), pytest.approx(np.std(scaled), rel=0.05))
    with_copies = np.concatenate([vectors, np.repeat(vectors[:1], 20, axis=0)])
    copied = usual(Whole(np.arange(220), with_copies))
    assert copied is not None
    assert copied.deviation == pytest.approx(found.deviation, rel=0.05)
    assert found.cosine(8) == pytest.approx(np.tanh(found.median + 8 * found.deviation))


def test_with_few_files_there_is_no_chance() -> None:
    few = Whole(np.arange(7), rows(7))
    assert usual(few) is None
    assert least_cosine(few) == WITHOUT_CHANCE


def test_a_film_is_the_mean_of_its_frames(tmp_path) -> None:
    shelf = Shelf(tmp_path / "library")
    first, second = (unit(row) for row in rows(2, 8))
    film = shelf.put("film.mp4", Kind.VIDEO, (Segment(Modality.IMAGE, 0, 9, 0), first), (Segment(Modality.IMAGE, 9, 18, 9), second))
    sound = shelf.put("sound.ogg", Kind.AUDIO, (Segment(Modality.AUDIO, 0, 9), first))
    found = wholes(shelf.catalog, shelf.space, Modality.IMAGE, [film, sound])
    assert found.ids.tolist() == [film]
    assert np.allclose(found.rows[0], unit(first + second), atol=1e-3)
    shelf.catalog.close()


def test_those_that_come_near_at_any_moment_are_worth_a_closer_look(tmp_path) -> None:
    shelf = Shelf(tmp_path / "library")
    axes = np.eye(8, dtype=np.float32)

    def film(name: str, *vectors: np.ndarray) -> int:
        segments = [(Segment(Modality.IMAGE, place * 9, place * 9 + 9, place * 9), unit(vector)) for place, vector in enumerate(vectors)]
        return shelf.put(name, Kind.VIDEO, *segments)

    whole = film("whole", axes[0], axes[1], axes[2])
    clip = film("clip", axes[1] + 0.1 * axes[3])
    others = [film(f"other {number}", axes[4] + number / 9 * axes[number % 3 + 5]) for number in range(9)]
    index = SpaceIndex.open(shelf.folder, shelf.catalog, shelf.space, backend="numpy")
    pairs = likely_pairs(shelf.catalog, index, Kind.VIDEO, Modality.IMAGE, [whole, clip, *others])
    assert (whole, clip) in pairs
    assert not any(other in pair for pair in pairs for other in (whole, clip) if pair != (whole, clip))
    assert likely_pairs(shelf.catalog, index, Kind.VIDEO, Modality.IMAGE, [whole]) == set()
    shelf.catalog.close()
