"""Every vector index against brute force in double precision over the rounded vectors: exact scores, exact order."""

import os
import threading
from pathlib import Path

import numpy as np
import pytest
from gpus import StandInGpu
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from anyseek.storage.vectors import choose, faiss_index, gpu, numpy_index, scan
from anyseek.storage.vectors.choose import BACKENDS
from anyseek.storage.vectors.faiss_index import FaissIndex
from anyseek.storage.vectors.protocol import VectorIndex

DIM = 48


class OnGpu:
    """Makes indexes of FAISS that have a copy on a GPU; what happens there must be heard of nowhere."""

    def __init__(self, find_gpu):
        self.find_gpu = find_gpu

    def __call__(self, dim: int) -> FaissIndex:
        return self.moved(FaissIndex(dim))

    def load(self, path: Path) -> FaissIndex:
        return self.moved(FaissIndex.load(path))

    def moved(self, index: FaissIndex) -> FaissIndex:
        index.use_gpu(self.find_gpu(), pytest.fail)
        assert index.device == "gpu"
        return index


MAKERS = {**BACKENDS, "faiss on a stand-in": OnGpu(StandInGpu), "faiss on a GPU": OnGpu(gpu.find_gpu)}
NAMES = [*sorted(BACKENDS), "faiss on a stand-in", pytest.param("faiss on a GPU", marks=pytest.mark.gpu("faiss"))]


@pytest.fixture(params=NAMES)
def backend(request) -> type[VectorIndex] | OnGpu:
    return MAKERS[request.param]


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def random_rows(n: int, dim: int = DIM, seed: int = 0) -> np.ndarray:
    return unit(np.random.default_rng(seed).standard_normal((n, dim)))


def brute_force(ids, vectors, queries, k, allowed=None):
    """The definition: inner products in double precision, rounded once; of equal scores the lower id first."""
    ids, halves = np.asarray(ids), vectors.astype(np.float16).astype(np.float64)
    keep = np.ones(len(ids), bool) if allowed is None else np.isin(ids, allowed)
    ids, halves = ids[keep], halves[keep]
    scores = np.full((len(queries), k), -np.inf, np.float32)
    found = np.full((len(queries), k), -1, np.int64)
    for row, query in enumerate(queries.astype(np.float64)):
        products = (halves * query).sum(axis=1).astype(np.float32)
        order = np.lexsort((ids, -products))[:k]
        scores[row, : len(order)], found[row, : len(order)] = products[order], ids[order]
    return scores, found


def assert_same(answer, expected):
    np.testing.assert_array_equal(answer[1], expected[1])
    np.testing.assert_array_equal(answer[0], expected[0])
    assert answer[0].dtype == np.float32
    assert answer[1].dtype == np.int64


def filled(backend, ids, vectors) -> VectorIndex:
    index = backend(vectors.shape[1])
    index.add(np.asarray(ids), vectors)
    return index


@pytest.mark.parametrize("k", [1, 10, 300])
@pytest.mark.parametrize("stride", [1, 3, 1000])
def test_finds_what_brute_force_finds(backend, k, stride):
    vectors, queries = random_rows(2000), random_rows(7, seed=1)
    ids = np.random.default_rng(2).permutation(2000) * stride
    assert_same(filled(backend, ids, vectors).search(queries, k), brute_force(ids, vectors, queries, k))


@pytest.mark.parametrize("share", [1, 0.5, 0.1, 0.01, 1 / 255, 1 / 256, 1 / 257, 0.001, 0.0001])
def test_filters_before_the_top_k(backend, share):
    n = 20_000
    vectors, queries = random_rows(n, 16), random_rows(3, 16, seed=1)
    ids = np.arange(n) * 2 + 1
    allowed = np.sort(np.random.default_rng(3).permutation(ids)[: int(n * share)])
    assert len(allowed) >= 2
    assert_same(filled(backend, ids, vectors).search(queries, 10, allowed=allowed), brute_force(ids, vectors, queries, 10, allowed))


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01, 0.0001])
@pytest.mark.parametrize("below", [1, 10**9])
def test_gathering_and_masking_are_one(backend, below, share, monkeypatch):
    """Which of the two is taken is a matter of time alone, also where rows were removed and ids are in no order."""
    monkeypatch.setattr(faiss_index, "GATHER_BELOW", below)
    n = 20_000
    vectors, queries = random_rows(n, 16), random_rows(3, 16, seed=1)
    ids = np.random.default_rng(2).permutation(n) * 3
    index = filled(backend, ids, vectors)
    index.remove(ids[::4])
    kept = np.arange(n) % 4 > 0
    allowed = np.random.default_rng(3).permutation(ids)[: int(n * share)]
    assert_same(index.search(queries, 10, allowed=allowed), brute_force(ids[kept], vectors[kept], queries, 10, allowed))


def test_an_empty_filter_allows_nothing(backend):
    scores, ids = filled(backend, range(5), random_rows(5)).search(random_rows(2), 3, allowed=np.empty(0, np.int64))
    assert (ids == -1).all()
    assert np.isneginf(scores).all()
    assert ids.shape == scores.shape == (2, 3)


def test_ids_in_a_filter_that_are_not_there_are_passed_over(backend):
    vectors = random_rows(5)
    index = filled(backend, [10, 20, 30, 40, 50], vectors)
    allowed = np.array([-7, 0, 15, 20, 50, 51, 2**62])
    assert_same(index.search(vectors[:1], 3, allowed=allowed), brute_force([10, 20, 30, 40, 50], vectors, vectors[:1], 3, allowed))


def test_a_filter_need_not_be_sorted(backend):
    vectors = random_rows(300)
    allowed = np.array([200, 3, 77, 3, 150])
    answer = filled(backend, range(300), vectors).search(vectors[:4], 4, allowed=allowed)
    assert_same(answer, brute_force(range(300), vectors, vectors[:4], 4, allowed))


def test_an_empty_index_finds_nothing(backend):
    index = backend(DIM)
    scores, ids = index.search(random_rows(2), 3)
    assert len(index) == 0
    assert index.ids().tolist() == []
    assert (ids == -1).all()
    assert np.isneginf(scores).all()


def test_more_wanted_than_there_are(backend):
    vectors = random_rows(3)
    assert_same(filled(backend, [5, 6, 7], vectors).search(vectors, 8), brute_force([5, 6, 7], vectors, vectors, 8))


def test_no_queries_and_no_answers_wanted(backend):
    index = filled(backend, range(3), random_rows(3))
    assert index.search(np.empty((0, DIM), np.float32), 3)[1].shape == (0, 3)
    assert index.search(random_rows(2), 0)[1].shape == (2, 0)


def test_equal_vectors_come_in_the_order_of_their_ids(backend):
    """Matrix products may give copies of one vector scores that differ in the last bit."""
    vectors = random_rows(3000, 384)
    copies = np.random.default_rng(4).permutation(3000)[:700]
    vectors[copies] = vectors[copies[0]]
    ids = np.random.default_rng(5).permutation(3000)
    index = filled(backend, ids, vectors)
    for k in (1, 10, 600, 700, 701):
        assert_same(index.search(vectors[copies[:2]], k), brute_force(ids, vectors, vectors[copies[:2]], k))


def test_removed_vectors_are_not_found(backend):
    vectors, queries = random_rows(500), random_rows(5, seed=1)
    index = filled(backend, range(500), vectors)
    gone = np.arange(0, 500, 7)
    assert index.remove(gone) == len(gone)
    assert index.remove(np.array([0, 7, 999, -1])) == 0
    left = np.setdiff1d(np.arange(500), gone)
    assert len(index) == len(left)
    np.testing.assert_array_equal(index.ids(), left)
    assert_same(index.search(queries, 20), brute_force(left, vectors[left], queries, 20))
    assert_same(index.search(queries, 20, allowed=np.arange(0, 50)), brute_force(left, vectors[left], queries, 20, np.arange(50)))


def test_removing_nearly_all_and_then_all(backend):
    vectors = random_rows(100)
    index = filled(backend, range(100), vectors)
    assert index.remove(np.arange(1, 100)) == 99
    assert_same(index.search(vectors[:2], 3), brute_force([0], vectors[:1], vectors[:2], 3))
    assert index.remove(np.array([0])) == 1
    assert (index.search(vectors[:2], 3)[1] == -1).all()
    index.add(np.array([3]), vectors[3:4])
    assert_same(index.search(vectors[:2], 3), brute_force([3], vectors[3:4], vectors[:2], 3))


def test_an_id_may_come_back_with_another_vector(backend):
    vectors = random_rows(10)
    index = filled(backend, range(10), vectors)
    index.remove(np.array([4]))
    index.add(np.array([4]), -vectors[4:5])
    changed = vectors.copy()
    changed[4] *= -1
    assert_same(index.search(vectors[4:5], 10), brute_force(range(10), changed, vectors[4:5], 10))
    np.testing.assert_array_equal(index.vectors(np.array([4])), changed[4:5].astype(np.float16))


def test_adding_in_pieces_is_adding_at_once(backend):
    vectors, queries = random_rows(900), random_rows(4, seed=1)
    index = backend(DIM)
    for start in range(0, 900, 90):
        index.add(np.arange(start, start + 90), vectors[start : start + 90])
    assert_same(index.search(queries, 30), brute_force(range(900), vectors, queries, 30))


@pytest.mark.parametrize(
    ("ids", "vectors", "why"),
    [
        ([3], random_rows(1), "already"),
        ([10, 11, 10], random_rows(3), "twice"),
        ([-1], random_rows(1), "negative"),
        ([10], random_rows(1, DIM + 1), "dimension"),
        ([10, 11], random_rows(1), "dimension"),
        ([10], np.full((1, DIM), np.nan, np.float32), "finite"),
        ([10], np.full((1, DIM), 1e6, np.float32), "finite"),  # more than half precision holds
    ],
)
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_what_cannot_be_added_changes_nothing(backend, ids, vectors, why):
    before = random_rows(5)
    index = filled(backend, range(5), before)
    with pytest.raises(ValueError, match=why):
        index.add(np.array(ids), vectors)
    assert_same(index.search(before, 5), brute_force(range(5), before, before, 5))


@pytest.mark.parametrize("queries", [np.zeros(DIM, np.float32), np.zeros((1, DIM + 1), np.float32)])
def test_queries_of_another_shape_are_refused(backend, queries):
    with pytest.raises(ValueError, match="shape"):
        filled(backend, range(5), random_rows(5)).search(queries, 3)


def test_gives_its_vectors_back(backend):
    vectors = random_rows(20)
    index = filled(backend, range(100, 120), vectors)
    np.testing.assert_array_equal(index.vectors(np.array([119, 100, 100])), vectors[[19, 0, 0]].astype(np.float16))
    with pytest.raises(LookupError):
        index.vectors(np.array([100, 99]))


def test_a_saved_index_is_the_same_and_goes_on(backend, tmp_path):
    vectors, queries = random_rows(400), random_rows(3, seed=1)
    index = filled(backend, range(400), vectors)
    index.remove(np.arange(0, 100))
    path = tmp_path / "ü\n.index" if os.name == "nt" else tmp_path / os.fsdecode(b"\xff\n.index")
    index.save(path)
    loaded = backend.load(path)
    assert (loaded.dim, len(loaded), loaded.backend) == (DIM, 300, index.backend)
    assert_same(loaded.search(queries, 50), index.search(queries, 50))
    loaded.add(np.arange(50), vectors[:50])
    loaded.remove(np.arange(390, 400))
    kept = np.r_[np.arange(50), np.arange(100, 390)]
    assert_same(loaded.search(queries, 50), brute_force(kept, vectors[kept], queries, 50))


def test_an_empty_index_can_be_saved(backend, tmp_path):
    backend(DIM).save(tmp_path / "index")
    loaded = backend.load(tmp_path / "index")
    assert (loaded.dim, len(loaded)) == (DIM, 0)


def test_a_file_of_something_else_is_refused(backend, tmp_path):
    path = tmp_path / "index"
    for wrong in (b"", b"\0" * 100, b"not an index at all"):
        path.write_bytes(wrong)
        with pytest.raises(ValueError, match="index"):
            backend.load(path)


def test_a_truncated_file_is_refused(backend, tmp_path):
    path = tmp_path / "index"
    filled(backend, range(50), random_rows(50)).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="index"):
        backend.load(path)


def test_searching_while_another_thread_removes(backend):
    vectors, queries = random_rows(4000), random_rows(2, seed=1)
    index = filled(backend, range(4000), vectors)
    wrong, done = [], threading.Event()

    def search():
        while not done.is_set():
            scores, ids = index.search(queries, 20)
            for row, query in enumerate(queries):
                expected = (vectors[ids[row]].astype(np.float16).astype(np.float64) * query).sum(axis=1).astype(np.float32)
                if (ids[row] < 0).any() or (expected != scores[row]).any():
                    wrong.append(ids)

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for start in range(0, 3900, 50):
        index.remove(np.arange(start, start + 50))
    done.set()
    for thread in threads:
        thread.join()
    assert not wrong
    assert_same(index.search(queries, 20), brute_force(range(3900, 4000), vectors[3900:], queries, 20))


def test_memory_of_the_numpy_index_is_bounded(monkeypatch):
    """Chunks of any size give the same answer, so that the size is free to be small."""
    vectors, queries = random_rows(500), random_rows(70, seed=1)
    index = filled(numpy_index.NumpyIndex, range(500), vectors)
    monkeypatch.setattr(scan, "CHUNK_ROWS", 33)
    assert_same(index.search(queries, 40), brute_force(range(500), vectors, queries, 40))


coordinates = st.floats(-1, 1, width=16).filter(lambda x: x == 0 or abs(x) > 1e-2)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("name", NAMES)
def test_any_sequence_of_changes(name, data):
    """A dictionary is the model: whatever is added and removed, the index finds what brute force finds in the dictionary."""
    dim = 4
    index, model = MAKERS[name](dim), {}
    for _ in range(data.draw(st.integers(1, 6))):
        if model and data.draw(st.booleans()):
            gone = data.draw(st.lists(st.sampled_from(sorted(model)), unique=True))
            assert index.remove(np.array(gone, np.int64)) == len(gone)
            for id_ in gone:
                del model[id_]
        else:
            fresh = data.draw(st.lists(st.integers(0, 10**6).filter(lambda id_: id_ not in model), unique=True, max_size=8))
            rows = data.draw(hnp.arrays(np.float32, (len(fresh), dim), elements=coordinates))
            rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1)
            index.add(np.array(fresh, np.int64), rows)
            model.update(zip(fresh, rows, strict=True))
    ids = np.array(sorted(model), np.int64)
    vectors = np.stack([model[id_] for id_ in ids.tolist()]) if model else np.empty((0, dim), np.float32)
    queries = data.draw(hnp.arrays(np.float32, (2, dim), elements=coordinates))
    k = data.draw(st.integers(1, 12))
    allowed = data.draw(
        st.none() | st.lists(st.integers(0, 10**6) | (st.sampled_from(sorted(model)) if model else st.nothing()), max_size=9)
    )
    allowed = None if allowed is None else np.array(allowed, np.int64)
    assert_same(index.search(queries, k, allowed=allowed), brute_force(ids, vectors, queries, k, allowed))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "numpy"])
def test_all_give_the_same_answer_to_the_last_bit(name):
    vectors, queries = random_rows(5000, 384), random_rows(5, 384, seed=1)
    one, other = (filled(backend, range(5000), vectors).search(queries, 100) for backend in (MAKERS[name], BACKENDS["numpy"]))
    assert_same(one, other)


def test_faiss_is_chosen_where_it_is_installed(monkeypatch):
    monkeypatch.setattr(choose, "find_spec", lambda name: object())
    assert choose.choose_backend() == choose.Choice(BACKENDS["faiss"], None)


def test_numpy_serves_without_faiss_and_says_so(monkeypatch):
    monkeypatch.setattr(choose, "find_spec", lambda name: None)
    choice = choose.choose_backend()
    assert choice.index is BACKENDS["numpy"]
    assert "pip install 'anyseek[cpu]'" in choice.reason


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="use one of faiss, numpy"):
        choose.choose_backend("annoy")


def test_the_file_of_faiss_is_one_that_faiss_can_search(tmp_path: Path):
    faiss = pytest.importorskip("faiss")
    vectors = random_rows(50)
    filled(BACKENDS["faiss"], range(100, 150), vectors).save(tmp_path / "x.index")
    _, ids = faiss.read_index(str(tmp_path / "x.index")).search(vectors[:3], 1)
    assert ids[:, 0].tolist() == [100, 101, 102]
