"""What can be wrong with a catalog or an index: each check looks at one thing and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import distributions
from importlib.util import find_spec

import numpy as np
from sqlalchemy import Connection, Executable, func, literal, select, text

from ..errors import AnyseekError
from .catalog import Catalog
from .engine import fetch
from .generations import GenerationError, Generations
from .models import asset, content, coverage, embedding, segment, space
from .queries import lacking, spaces_in
from .vector_reads import HALF, Ids, sound_vectors
from .vectors.choose import BACKENDS
from .vectors.faiss_index import import_faiss
from .vectors.protocol import VectorIndex

__all__ = [
    "Finding",
    "Severity",
    "bad_vectors",
    "check_faiss",
    "check_generations",
    "check_rows",
    "check_structure",
    "check_vectors",
    "hollow_coverage",
]

REPAIR = "anyseek doctor --repair"
INDEX_AGAIN = "anyseek index"
CHUNK_ROWS = 20_000
NORM_TOLERANCE = 0.01  # halves of a unit vector are off by less than a thousandth


class Severity(StrEnum):
    """How bad a finding is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    Attributes:
        code: Stable name, for programs.
        severity: ERROR where answers are or will be wrong, WARNING where something is slow or missing, INFO for what will pass.
        text: For people.
        remedy: What to do; None where nothing needs to be done.
    """

    code: str
    severity: Severity
    text: str
    remedy: str | None = None


def check_structure(connection: Connection) -> Iterator[Finding]:
    """Let SQLite verify its own pages, indexes and foreign keys."""
    problems = [row[0] for row in fetch(connection, text("PRAGMA integrity_check(20)")) if row[0] != "ok"]
    if problems:
        yield Finding("catalog_damaged", Severity.ERROR, f"the catalog file is damaged: {'; '.join(problems)}", REPAIR)
    orphans = fetch(connection, text("PRAGMA foreign_key_check"))
    if orphans:
        tables = ", ".join(sorted({row[0] for row in orphans}))
        yield Finding("orphan_rows", Severity.ERROR, f"{len(orphans)} rows of {tables} belong to rows that are gone", REPAIR)


def check_rows(connection: Connection) -> Iterator[Finding]:
    """See that assets, contents, segments and coverage agree."""

    def count(statement: Executable) -> int:
        return int(fetch(connection, statement)[0][0])

    placeless = count(select(func.count()).select_from(asset).where(asset.c.state == "indexed", asset.c.content_id.is_(None)))
    if placeless:
        yield Finding("assets_without_content", Severity.ERROR, f"{placeless} files count as indexed, but nothing is known of them", REPAIR)
    hollow = len(hollow_coverage(connection))
    if hollow:
        yield Finding("hollow_contents", Severity.ERROR, f"{hollow} contents count as embedded, but lack vectors", REPAIR)
    serving = {row.id for row in spaces_in(connection, ["serving"])}
    unfinished = len({row[0] for space_id in serving for row in fetch(connection, lacking(space_id))})
    if unfinished:
        yield Finding("unfinished_contents", Severity.WARNING, f"{unfinished} contents are not fully embedded yet", INDEX_AGAIN)
    unused = count(select(func.count()).select_from(content).where(~select(literal(1)).where(asset.c.content_id == content.c.id).exists()))
    if unused:
        yield Finding("unused_contents", Severity.INFO, f"{unused} contents lie at no place any more", f"{INDEX_AGAIN} --prune")


def check_vectors(connection: Connection) -> Iterator[Finding]:
    """See that every vector is finite, of unit length and of its space's dimension."""
    bad = bad_vectors(connection)
    if len(bad):
        yield Finding("bad_vectors", Severity.ERROR, f"{len(bad)} vectors are damaged", f"{REPAIR}, then {INDEX_AGAIN}")


def check_generations(catalog: Catalog, files: Generations, space_id: int) -> Iterator[Finding]:
    """Compare the index files of a space with their manifests and, vector by vector, with the catalog."""
    leftovers = files.leftovers()
    if leftovers:
        yield Finding("index_leftovers", Severity.INFO, f"{len(leftovers)} files of interrupted writes lie beside the index", REPAIR)
    numbers = files.numbers()
    if not numbers and catalog.embedding_state(space_id).count:
        yield Finding("index_missing", Severity.WARNING, "there is no index file: each search builds it anew from the catalog", REPAIR)
    for number in numbers:
        try:
            manifest = files.manifest(number)
            backend = BACKENDS.get(manifest.backend)
            if backend is None or (manifest.backend == "faiss" and find_spec("faiss") is None):
                yield Finding("index_unread", Severity.INFO, f"index generation {number} needs {manifest.backend}, which is not installed")
                continue
            wrong = _wrong_vectors(catalog, files.load(manifest, backend), space_id)
        except GenerationError as exc:
            yield Finding("index_damaged", Severity.WARNING, f"index generation {number} cannot be used: {exc}", REPAIR)
            continue
        if wrong:
            yield Finding(
                "index_wrong", Severity.ERROR, f"{wrong} vectors of index generation {number} are not those of the catalog", REPAIR
            )


def check_faiss() -> Iterator[Finding]:
    """See that one FAISS is installed and that it is the one its package says."""
    wheels = sorted({name for dist in distributions() if (name := str(dist.metadata["Name"]).lower()).startswith("faiss-")})
    remedy = f"pip uninstall -y {' '.join(wheels)}  and then  pip install 'anyseek[cpu]'  or  'anyseek[gpu]'"
    if len(wheels) > 1:
        yield Finding(
            "faiss_conflict", Severity.ERROR, f"{' and '.join(wheels)} are both installed and overwrite each other's files", remedy
        )
    if find_spec("faiss") is None:
        yield Finding(
            "faiss_missing", Severity.INFO, "FAISS is not installed: searching uses NumPy, which is slower", "pip install 'anyseek[cpu]'"
        )
        return
    try:
        faiss = import_faiss()
    except AnyseekError as exc:
        yield Finding("faiss_broken", Severity.ERROR, str(exc), remedy)
        return
    if len(wheels) == 1 and ("gpu" in wheels[0]) != ("GPU" in faiss.get_compile_options().split()):
        yield Finding("faiss_mismatch", Severity.WARNING, f"{wheels[0]} is installed, but the files of FAISS are of another build", remedy)


def bad_vectors(connection: Connection) -> Ids:
    """The ids of embeddings whose vectors no search could use, or would rank wrongly."""
    bad = [np.empty(0, np.int64)]
    for space_id, dim in fetch(connection, select(space.c.id, space.c.dim)):
        after = 0
        while True:
            rows = fetch(
                connection,
                select(embedding.c.id, embedding.c.vector)
                .where(embedding.c.space_id == space_id, embedding.c.id > after)
                .order_by(embedding.c.id)
                .limit(CHUNK_ROWS),
            )
            if not rows:
                break
            after = rows[-1][0]
            ids, vectors = sound_vectors(rows, dim)
            norms = np.linalg.norm(vectors.astype(np.float32), axis=1)
            good = ids[np.abs(norms - 1) < NORM_TOLERANCE]
            bad.append(np.setdiff1d(np.array([row[0] for row in rows], np.int64), good))
    return np.concatenate(bad)


def hollow_coverage(connection: Connection) -> list[tuple[int, int]]:
    """Contents and spaces that count as complete while a segment has no vector in any space."""
    bare = select(segment.c.content_id).where(~select(literal(1)).where(embedding.c.segment_id == segment.c.id).exists())
    statement = select(coverage.c.content_id, coverage.c.space_id).where(coverage.c.state == "complete", coverage.c.content_id.in_(bare))
    return [(row[0], row[1]) for row in fetch(connection, statement)]


def _wrong_vectors(catalog: Catalog, index: VectorIndex, space_id: int) -> int:
    """Count vectors that differ from the catalog's; those that are only missing or deleted since are caught up with when searching."""
    ids = index.ids()
    wrong = 0
    for true_ids, vectors in catalog.iter_vectors(space_id):
        both = np.isin(true_ids, ids, assume_unique=True)
        wrong += int((index.vectors(true_ids[both]) != vectors[both].astype(HALF)).any(axis=1).sum())
    return wrong
