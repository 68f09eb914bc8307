"""An index on a GPU: what goes there, what stays on the CPU, and what happens when memory is short. The GPU is a stand-in, unless marked.

That its answers are those of the CPU to the last bit is held by `tests/contract/test_vector_indexes.py`.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from gpus import StandInGpu

from anyseek.errors import AnyseekError, BadInput, MissingExtra
from anyseek.storage import space_index
from anyseek.storage.space_index import SpaceIndex
from anyseek.storage.vectors import choose, faiss_gpu, gpu
from anyseek.storage.vectors.faiss_gpu import needed_bytes
from anyseek.storage.vectors.faiss_index import FaissIndex
from anyseek.storage.vectors.gpu import MAX_K, WORKING_BYTES
from anyseek.storage.vectors.numpy_index import NumpyIndex

from .conftest import SPACE, axis, direction

DIM = 32
ROWS = 6000


def unit_rows(n, dim=DIM, seed=0):
    rows = np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


VECTORS = unit_rows(ROWS)
QUERIES = unit_rows(3, seed=1)


def filled(vectors=VECTORS):
    index = FaissIndex(vectors.shape[1])
    index.add(np.arange(len(vectors)), vectors)
    return index


def on(device, notes=None, vectors=VECTORS):
    index = filled(vectors)
    index.use_gpu(device, pytest.fail if notes is None else notes.append)
    return index


def assert_as_on_the_cpu(index, queries=QUERIES, k=10, allowed=None, vectors=VECTORS):
    scores, ids = index.search(queries, k, allowed=allowed)
    true_scores, true_ids = filled(vectors).search(queries, k, allowed=allowed)
    np.testing.assert_array_equal(ids, true_ids)
    np.testing.assert_array_equal(scores, true_scores)


@pytest.mark.parametrize(
    ("k", "share", "on_gpu"),
    [
        (10, 1, True),
        (10, 0.5, True),
        (10, 0.05, True),
        (10, 0.01, False),  # 1.25 * 42 / 0.01 rows would have to be fetched to find ten that pass
        (MAX_K - 64, 1, True),
        (MAX_K, 1, False),
        (ROWS + 1, 1, False),
    ],
)
def test_the_gpu_is_asked_where_it_can_answer(k, share, on_gpu):
    device = StandInGpu()
    allowed = None if share == 1 else np.random.default_rng(2).permutation(ROWS)[: int(ROWS * share)]
    assert_as_on_the_cpu(on(device), k=k, allowed=allowed)
    assert (device.searches > 0) is on_gpu


def test_few_rows_are_all_fetched():
    device = StandInGpu()
    assert_as_on_the_cpu(on(device, vectors=VECTORS[:50]), k=60, vectors=VECTORS[:50])
    assert device.searches == len(QUERIES)


def test_a_filter_that_lets_none_of_the_best_through():
    """The best two thousand are all forbidden, so that no number of rows that the GPU can fetch will do."""
    device = StandInGpu()
    order = filled().search(QUERIES[:1], ROWS)[1][0]
    assert_as_on_the_cpu(on(device), QUERIES[:1], allowed=order[2100:])
    assert device.searches > 0


def test_rounding_of_the_query_costs_nothing():
    """A thousand rows in one order, which halves of the query turn round: the best comes last on the GPU."""
    query = np.zeros((1, DIM), np.float32)
    query[0, :3] = (1 + 2**-11 - 2**-16) / 4, (1 + 2**-11 + 2**-16) / 4, 2**-13  # rounded down, rounded up, kept
    query[0, 3] = np.sqrt(1 - (query**2).sum())
    rows = np.zeros((1000, DIM), np.float32)
    share = np.arange(1000) / 1024
    rows[:, 0], rows[:, 1], rows[:, 2] = share, 1 - share, share / 2
    device = StandInGpu()
    index = on(device, vectors=rows)
    with device.lock:
        assert index._rows[2]._flat.search(query, 1000)[1][0, :3].tolist() == [0, 1, 2]
    assert index.search(query, 3)[1].tolist() == [[999, 998, 997]]


@pytest.mark.parametrize("scale", [1e-6, 1e6, 0])
def test_queries_of_any_length(scale):
    """Halves end at 65504."""
    assert_as_on_the_cpu(on(StandInGpu()), QUERIES * np.float32(scale))


def test_it_does_not_go_where_it_does_not_fit():
    needed, notes = needed_bytes(ROWS, DIM), []
    small = StandInGpu(needed - 1)
    index = on(small, notes)
    assert (index.device, small.taken) == ("cpu", 0)
    (note,) = notes
    assert note.startswith("the index is searched on the CPU, for it needs 0.3 GiB of GPU memory and 0.3 GiB are free: free some, or ")
    assert_as_on_the_cpu(index)
    assert on(StandInGpu(needed)).device == "gpu"


def test_the_need_covers_what_filling_takes(monkeypatch):
    """All rows, and all but the last chunk of them once more while FAISS makes room for it."""
    monkeypatch.setattr(faiss_gpu, "CHUNK_BYTES", 4 * DIM * 100)
    peak = 2 * DIM * (ROWS + ROWS - 100)
    assert on(StandInGpu(peak - 1, tells=False), []).device == "cpu"
    assert on(StandInGpu(peak, tells=False)).device == "gpu"
    assert peak < needed_bytes(ROWS, DIM) - WORKING_BYTES < 1.2 * peak


@pytest.mark.parametrize("chunk", [1, 4 * DIM * 1000, 4 * DIM * ROWS])
def test_rows_go_over_in_chunks(monkeypatch, chunk):
    monkeypatch.setattr(faiss_gpu, "CHUNK_BYTES", chunk)
    vectors = VECTORS[:2500] if chunk > 1 else VECTORS[:50]
    device = StandInGpu()
    index = on(device, vectors=vectors)
    assert device.taken == 2 * vectors.size
    assert_as_on_the_cpu(index, vectors=vectors)


def assert_fell_back(index, device, notes):
    assert index.device == "cpu"
    assert device.taken == 0
    assert notes == [
        "the index is searched on the CPU, for the GPU ran out of memory: free some, or ask for the CPU with  --index-device cpu"
    ]
    assert_as_on_the_cpu(index)


@pytest.mark.parametrize("chunk", [4 * DIM * ROWS, 4 * DIM * 100])
def test_memory_that_ends_while_it_is_filled(monkeypatch, chunk):
    monkeypatch.setattr(faiss_gpu, "CHUNK_BYTES", chunk)
    notes = []
    device = StandInGpu(2 * VECTORS.size - 1, tells=False)
    assert_fell_back(on(device, notes), device, notes)


def test_memory_that_ends_while_rows_are_added():
    notes, device = [], StandInGpu(tells=False)
    index = on(device, notes, VECTORS[:5000])
    device.budget = device.taken + 100
    index.add(np.arange(5000, ROWS), VECTORS[5000:])
    assert_fell_back(index, device, notes)


def test_memory_that_ends_in_a_search():
    notes, device = [], StandInGpu()
    index = on(device, notes)
    device.budget = device.taken
    index.search(QUERIES, 3)
    assert_fell_back(index, device, notes)


def test_memory_that_ends_when_removed_rows_are_dropped():
    notes, device = [], StandInGpu()
    index = on(device, notes)
    device.budget = 10
    index.remove(np.arange(100, ROWS))
    assert index.device == "cpu"
    assert len(notes) == 1
    assert_as_on_the_cpu(index, vectors=VECTORS[:100])


def test_dropping_removed_rows_takes_no_more_memory():
    device = StandInGpu(needed_bytes(ROWS, DIM))
    index = on(device)
    index.remove(np.arange(100, ROWS))
    assert (index.device, device.taken) == ("gpu", 2 * 100 * DIM)
    before = device.searches
    assert_as_on_the_cpu(index, vectors=VECTORS[:100])
    assert device.searches > before


def test_a_search_under_way_while_removed_rows_are_dropped():
    """It has the old rows' numbers, which mean other rows on the GPU by then."""
    index = on(StandInGpu())
    before = index._rows[2]
    index.remove(np.arange(100, ROWS))
    assert before.candidates(QUERIES, 5, np.ones(ROWS, bool), ROWS) is None
    assert index._rows[2] is not before


def test_leaving_gives_the_memory_back():
    device = StandInGpu()
    index = on(device)
    assert device.taken == 2 * VECTORS.size
    index.leave_gpu()
    assert (index.device, device.taken) == ("cpu", 0)
    index = on(device)
    del index
    assert device.taken == 0


def test_another_fault_is_not_hidden():
    device = StandInGpu()
    index = on(device)
    device.broken = "CUDA error 719 unspecified launch failure"
    with pytest.raises(AnyseekError, match=r"GPU failed .*error 719.*--index-device cpu"):
        index.search(QUERIES, 3)


# which device


class Cuda:
    """A FAISS that was built for CUDA."""

    def __init__(self, gpus):
        self.gpus = gpus
        self.set = {}

    def get_num_gpus(self):
        return self.gpus

    def StandardGpuResources(self):
        return SimpleNamespace(
            setTempMemory=lambda size: self.set.update(temporary=size), setPinnedMemory=lambda size: self.set.update(pinned=size)
        )

    GpuIndexFlatConfig = SimpleNamespace

    def GpuIndexFlatIP(self, resources, dim, config):
        return dim, config


def test_how_faiss_is_asked_for_an_index(monkeypatch):
    faiss = Cuda(1)
    monkeypatch.setattr(gpu, "import_faiss", lambda: faiss)
    monkeypatch.setattr(gpu, "_the_gpu", lambda: gpu._FaissGpu(faiss))
    found = gpu.find_gpu()
    assert found.make_flat(7) == (7, SimpleNamespace(device=0, useFloat16=True))
    assert faiss.set == {"temporary": WORKING_BYTES, "pinned": 0}
    assert found.free_bytes() is None  # where no CUDA is loaded, nobody can tell


def missing():
    raise MissingExtra("faiss", "cpu")


@pytest.mark.parametrize(
    ("installed", "why"),
    [
        (missing, r"FAISS is not installed: run  pip install 'anyseek\[gpu\]'"),
        (SimpleNamespace, r"the one for the CPU: run  pip uninstall -y faiss-cpu faiss-gpu  and then  pip install 'anyseek\[gpu\]'"),
        (lambda: Cuda(0), "FAISS sees none: see whether  nvidia-smi  does"),
    ],
)
def test_a_gpu_that_is_asked_for_and_is_not_there(monkeypatch, filled, installed, why):
    monkeypatch.setattr(gpu, "import_faiss", installed)
    with pytest.raises(BadInput, match=why):
        choose.choose_backend(device="gpu")
    with pytest.raises(BadInput, match=why):
        SpaceIndex.open(filled.folder, filled.catalog, filled.space, device="gpu")
    assert SpaceIndex.open(filled.folder, filled.catalog, filled.space).device == "cpu"


def test_what_cannot_be_asked_for():
    with pytest.raises(BadInput, match="use one of auto, cpu, gpu"):
        choose.choose_backend(device="cuda")
    with pytest.raises(BadInput, match="NumPy index cannot be searched on a GPU"):
        choose.choose_backend("numpy", device="gpu")


@pytest.fixture
def device(monkeypatch):
    found = StandInGpu()
    monkeypatch.setattr(gpu, "find_gpu", lambda: found)
    return found


def test_auto_takes_the_gpu_for_an_index_of_faiss_alone(device):
    few = NumpyIndex(DIM)
    assert choose.place(few, "auto", pytest.fail) is few
    assert choose.place(filled(), "cpu", pytest.fail).device == "cpu"
    assert choose.place(filled(), "auto", pytest.fail).device == "gpu"
    assert choose.choose_backend(count=choose.SMALL, device="auto").index is NumpyIndex
    assert choose.choose_backend(count=1, device="gpu").index is FaissIndex


def test_a_numpy_index_is_made_one_of_faiss_for_the_gpu(device):
    index = NumpyIndex(DIM)
    index.add(np.arange(ROWS), VECTORS)
    index.remove(np.array([5]))
    placed = choose.place(index, "gpu", pytest.fail)
    assert (placed.device, len(placed)) == ("gpu", ROWS - 1)
    np.testing.assert_array_equal(placed.search(QUERIES, 50)[1], index.search(QUERIES, 50)[1])


# the index of a library

LOOK = np.stack([direction(1), direction(2)])


@pytest.mark.parametrize("backend", ["faiss", "numpy"])
def test_files_are_the_same_on_both(filled, device, backend):
    filled.put_many(300)
    plain = SpaceIndex.open(filled.folder, filled.catalog, filled.space, backend=backend, device="cpu")
    plain.save_generation()
    index = SpaceIndex.open(filled.folder, filled.catalog, filled.space, device="gpu")
    assert (plain.device, index.device, index.backend) == ("cpu", "gpu", "faiss")
    assert (index.generation, index.notes) == (1, [])
    np.testing.assert_array_equal(index.search(LOOK, 20), plain.search(LOOK, 20))
    assert device.searches == len(LOOK)
    index.save_generation(force=True)
    again = SpaceIndex.open(filled.folder, filled.catalog, filled.space, backend="faiss", device="cpu")
    assert (again.generation, again.notes) == (2, [])
    np.testing.assert_array_equal(again.search(LOOK, 20), plain.search(LOOK, 20))


def test_it_follows_the_catalog(filled, device, monkeypatch):
    """Additions, deletions and a base built anew, for which the old one makes room."""
    monkeypatch.setattr(space_index, "REBUILD_AT_LEAST", 40)
    filled.put_many(300)
    index = SpaceIndex.open(filled.folder, filled.catalog, filled.space, backend="faiss")
    filled.put("new.jpg", vector=axis(3))
    index.refresh()
    assert index.search(axis(3)[None], 1)[0][0, 0] == 1
    device.budget = needed_bytes(400, SPACE.dim)
    filled.put_many(60, "more")
    index.refresh()
    assert index._moved() == 0
    assert (index.device, device.taken, index.notes) == ("gpu", 2 * 361 * SPACE.dim, [])
    plain = SpaceIndex.open(filled.folder, filled.catalog, filled.space, backend="numpy")
    np.testing.assert_array_equal(index.search(LOOK, 30), plain.search(LOOK, 30))


def test_a_library_says_when_memory_is_short(filled, device):
    filled.put_many(300)
    device.budget = 1000
    index = SpaceIndex.open(filled.folder, filled.catalog, filled.space, device="gpu")
    assert index.device == "cpu"
    assert [note for note in index.notes if "--index-device cpu" in note] == index.notes != []
    plain = SpaceIndex.open(filled.folder, filled.catalog, filled.space, device="cpu")
    np.testing.assert_array_equal(index.search(LOOK, 30), plain.search(LOOK, 30))


def test_files_are_written_without_the_gpu(filled, device):
    filled.put_many(30)
    SpaceIndex.build(filled.folder, filled.catalog, filled.space, backend="faiss").save_generation()
    assert device.taken == device.searches == 0


# with a GPU


@pytest.mark.gpu("faiss")
def test_a_real_gpu_tells_its_memory_and_gives_it_back():
    real, vectors = gpu.find_gpu(), unit_rows(200_000, 768)
    on(real, vectors=vectors[:10]).leave_gpu()  # the working memory stays
    before = real.free_bytes()
    index = on(real, vectors=vectors)
    assert before - real.free_bytes() >= 2 * vectors.size
    index.leave_gpu()
    assert before - real.free_bytes() < vectors.size


@pytest.mark.gpu("faiss")
@pytest.mark.parametrize("share", [1, 0.5, 0.05])
def test_a_real_gpu_answers_as_the_cpu(share):
    vectors, queries = unit_rows(200_000, 768), unit_rows(5, 768, seed=1)
    allowed = None if share == 1 else np.random.default_rng(2).permutation(len(vectors))[: int(len(vectors) * share)]
    assert_as_on_the_cpu(on(gpu.find_gpu(), vectors=vectors), queries, 80, allowed, vectors)
