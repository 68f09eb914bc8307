"""An exact index in FAISS: halves in memory, scanned by its vectorised kernels on all cores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from ...errors import AnyseekError, MissingExtra
from .protocol import Floats, Halves, Ids
from .ranking import checked_queries, no_answers, slack_of, take_best
from .scan import search_rows
from .slots import Slots, checked_addition

if TYPE_CHECKING:
    from .faiss_gpu import GpuCopy, Note
    from .gpu import Gpu

__all__ = ["FaissIndex", "import_faiss"]

SPARE_CANDIDATES = 32
COMPACT_SHARE = 0.5
GATHER_BELOW = 256
"""Where a filter lets fewer than one in so many rows pass, these are gathered and multiplied; else FAISS walks over all rows with a mask.

Both are exact. FAISS looks at the bit of every row, which is 1.2 ns each, and a row that is gathered costs 0.5 µs more than one of its
own: `python -m benchmarks --only gather` finds them equal at 1 in 250 (100,000 and 1,000,000 rows of 384).
"""


def import_faiss() -> Any:
    """Import FAISS.

    Its wheels (``faiss-cpu``, ``faiss-gpu``) own the same folder, and removing one breaks the other: what is left can be found but not
    used. That is not the same as having none, and is said.

    Raises:
        MissingExtra: It is not installed.
        AnyseekError: It is, but does not work.
    """
    try:
        import faiss
    except ModuleNotFoundError as exc:
        if exc.name == "faiss":
            raise MissingExtra("faiss", "cpu") from exc
        raise AnyseekError(_broken(exc)) from exc
    except (ImportError, OSError, RuntimeError, AttributeError) as exc:
        raise AnyseekError(_broken(exc)) from exc
    if not hasattr(faiss, "IndexScalarQuantizer"):
        raise AnyseekError(_broken("its files are incomplete"))
    return faiss


def _broken(why: object) -> str:
    remedy = "run  pip uninstall -y faiss-cpu faiss-gpu  and then  pip install 'anyseek[cpu]'  (or anyseek[gpu])"
    return f"FAISS is installed but broken ({why}): {remedy}"


class FaissIndex:
    """A flat scalar quantizer of halves. Its rows are dense slots of ours, so that a filter is one bit per row.

    A copy of the rows may stand in the memory of a GPU and is kept in step, see `use_gpu`.
    """

    backend: ClassVar[str] = "faiss"

    def __init__(self, dim: int) -> None:
        self._faiss = import_faiss()
        self._rows: tuple[Slots, Any, GpuCopy | None] = (Slots.of(np.empty(0, np.int64)), self._flat(dim), None)

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self._rows[1].d)

    @property
    def device(self) -> str:
        """Where it is searched."""
        copy = self._rows[2]
        return "gpu" if copy is not None and copy.is_there else "cpu"

    def use_gpu(self, gpu: Gpu, note: Note) -> None:
        """Search on a GPU from now on, if its memory suffices; whatever it does not suit is still done on the CPU.

        Args:
            gpu: Which.
            note: Told why not, then or whenever memory gets short later.

        Raises:
            AnyseekError: The GPU fails for another reason.
        """
        from .faiss_gpu import GpuCopy

        self.leave_gpu()
        slots, flat, _ = self._rows
        self._rows = slots, flat, GpuCopy.of(self._halves(flat), gpu, note)

    def leave_gpu(self) -> None:
        """Search on the CPU alone and give the GPU's memory back."""
        slots, flat, copy = self._rows
        self._rows = slots, flat, None
        if copy is not None:
            copy.drop()

    def __len__(self) -> int:
        return self._rows[0].count

    def ids(self) -> Ids:
        """The ids that can be found, ascending."""
        return self._rows[0].ids()

    def vectors(self, ids: Ids) -> Halves:
        """The vectors of some ids as they are kept."""
        slots, flat, _ = self._rows
        found: Halves = self._halves(flat)[slots.rows_in_order(ids)]
        return found

    def add(self, ids: Ids, vectors: npt.NDArray[np.floating]) -> None:
        """Add vectors under new ids. No search may be under way: FAISS may move its rows."""
        slots, flat, copy = self._rows
        ids, halves = checked_addition(slots, self.dim, ids, vectors)
        flat.add_sa_codes(halves.view(np.uint8))
        if copy is not None:
            copy.add(halves)
        self._rows = slots.plus(ids), flat, copy

    def remove(self, ids: Ids) -> int:
        """Remove vectors: a bit per row at first, and the rows themselves once half of them are gone."""
        slots, flat, copy = self._rows
        rows = slots.rows_of(np.asarray(ids, np.int64))
        slots = slots.minus(rows)
        self._rows = slots, flat, copy
        if slots.count < COMPACT_SHARE * len(slots.row_ids):
            self._rows = Slots.of(slots.row_ids[slots.alive]), self._flat(flat.d, self._halves(flat)[slots.alive]), None
            if copy is not None:
                was_there = copy.is_there
                copy.drop()  # searches under way that have its rows go on with those on the CPU
                if was_there:
                    self.use_gpu(copy.gpu, copy.note)
        return len(rows)

    def search(self, queries: Floats, k: int, *, allowed: Ids | None = None) -> tuple[Floats, Ids]:
        """Find the nearest vectors."""
        slots, flat, copy = self._rows
        queries = checked_queries(queries, flat.d, k)
        halves = self._halves(flat)
        if allowed is not None and len(allowed) * GATHER_BELOW <= len(slots.row_ids):
            return search_rows(queries, halves, slots.row_ids, slots.rows_of(np.asarray(allowed, np.int64)), k)
        scores, ids = no_answers(len(queries), k)
        mask = slots.alive if allowed is None else slots.mask_of(np.asarray(allowed, np.int64))
        matching = int(np.count_nonzero(mask))
        if not matching or not k or not len(queries):
            return scores, ids
        found = copy.candidates(queries, k, mask, matching) if copy is not None else None
        if found is None:
            found = self._candidates(flat, queries, k, mask, matching)
        for q, candidates in enumerate(found):
            best = take_best(queries[q], halves[candidates], slots.row_ids[candidates], k)
            scores[q, : len(best[0])], ids[q, : len(best[1])] = best
        return scores, ids

    def _candidates(self, flat: Any, queries: Floats, k: int, mask: npt.NDArray[np.bool_], matching: int) -> list[Ids]:
        """Collect for each query the rows that may be among its best k: more than k, until the last one clearly is not."""
        params = None
        if matching < flat.ntotal:
            # a bitmap: the array selector is a linear search for each row
            selector = self._faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little"))
            params = self._faiss.SearchParameters(sel=selector)
        slack = np.array([slack_of(query) for query in queries], np.float32)
        wanted = k + SPARE_CANDIDATES
        while True:
            wanted = min(wanted, matching)
            scores, rows = flat.search(queries, wanted, params=params)
            if wanted == matching:
                break
            if (scores[:, -1] < scores[:, k - 1] - slack).all():
                break
            wanted *= 4
        floor = scores[:, min(k, wanted) - 1] - slack
        return [rows[q][scores[q] >= floor[q]] for q in range(len(queries))]

    def save(self, path: Path) -> None:
        """Write an ordinary FAISS file (IndexIDMap over the rows), which any program with FAISS can read."""
        slots, flat, _ = self._rows
        inner = self._flat(flat.d)
        outer = self._faiss.IndexIDMap(inner)
        self._faiss.copy_array_to_vector(self._halves(flat)[slots.alive].view(np.uint8).reshape(-1), inner.codes)
        self._faiss.copy_array_to_vector(np.ascontiguousarray(slots.row_ids[slots.alive]), outer.id_map)
        inner.ntotal = outer.ntotal = slots.count
        with path.open("wb") as file:  # by way of a Python file, for FAISS itself takes no names that are not UTF-8
            self._faiss.write_index(outer, self._faiss.PyCallbackIOWriter(file.write))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        faiss = import_faiss()
        with path.open("rb") as file:
            try:
                outer = faiss.read_index(faiss.PyCallbackIOReader(file.read))
            except RuntimeError as exc:
                raise ValueError(f"{path} is no file of FAISS") from exc
        if type(outer) is not faiss.IndexIDMap:
            raise ValueError(f"{path} holds a {type(outer).__name__}")
        flat = faiss.downcast_index(outer.index)
        if not isinstance(flat, faiss.IndexScalarQuantizer) or flat.sq.qtype != faiss.ScalarQuantizer.QT_fp16:
            raise ValueError(f"{path} holds a {type(flat).__name__}")
        flat.referenced_objects = [outer]  # it goes on owning the rows; taking them from it crashes in faiss-cpu 1.15's bindings
        index = cls(flat.d)
        index._rows = Slots.of(faiss.vector_to_array(outer.id_map).astype(np.int64)), flat, None
        return index

    def _flat(self, dim: int, halves: Halves | None = None) -> Any:
        flat = self._faiss.IndexScalarQuantizer(dim, self._faiss.ScalarQuantizer.QT_fp16, self._faiss.METRIC_INNER_PRODUCT)
        if halves is not None:
            self._faiss.copy_array_to_vector(np.ascontiguousarray(halves).view(np.uint8).reshape(-1), flat.codes)
            flat.ntotal = len(halves)
        return flat

    def _halves(self, flat: Any) -> Halves:
        """Look at the rows where FAISS keeps them, without a copy; valid until rows are added."""
        if not flat.ntotal:
            return np.empty((0, flat.d), "<f2")
        codes = self._faiss.rev_swig_ptr(flat.codes.data(), flat.ntotal * flat.code_size)
        halves: Halves = codes.view("<f2").reshape(flat.ntotal, flat.d)
        return halves
