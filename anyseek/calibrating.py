"""Calibrating a library: how the scores of its spaces are made, chosen by queries of which somebody said what answers them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .errors import BadInput
from .evaluation.judged import JudgedQueries
from .evaluation.questions import Question, questions_of
from .library import Library
from .search.backgrounds import Background, Backgrounds, Origin, chance_of, middle_for_texts
from .search.calibration import Calibration, Pair
from .search.calibrations import setting_of
from .search.engine import Engine
from .search.hubs import biases_of
from .search.measuring import CANDIDATES, RIGHT, UNKNOWN, WRONG, Evidence, Method, Pool, choose
from .search.plan import Plan
from .search.probe import Probe
from .search.relevance import Calibrated
from .search.samples import draw
from .search.spaces import SearchSpace
from .search.timings import Stopwatch
from .search.vocabulary import CAPTIONS, Vocabulary
from .storage.lock import WriterLock
from .types import Modality, Segment

__all__ = ["CalibratedSpace", "OnQuery", "calibrate", "calibrations_of", "replace_captions", "reset"]

LARGEST = 5000
FEWEST = 10

OnQuery = Callable[[int, int], None]
"""Told how many queries were asked, and how many there are."""


@dataclass(frozen=True, slots=True)
class CalibratedSpace:
    """How the scores of a space are made.

    Attributes:
        spec: The name of its model.
        calibration: It.
    """

    spec: str
    calibration: Calibration


def calibrations_of(library: Library) -> list[CalibratedSpace]:
    """How the scores of the spaces that serve are made now."""
    calibrations = _relevance_of(library.engine).calibrations
    return [CalibratedSpace(space.spec, calibrations.of(space)) for space in library.engine.spaces]


def calibrate(
    library: Library,
    queries: JudgedQueries,
    roots: Sequence[Path] = (),
    on_query: OnQuery | None = None,
    *,
    candidates: Sequence[Method] = CANDIDATES,
    keep: bool = True,
) -> list[CalibratedSpace]:
    """Choose by judged queries how much is taken off hubs, and the curves; see `anyseek.search.measuring`.

    Only queries of one part count, in spaces that understand that part themselves.

    Args:
        library: The scores of its spaces are made as is chosen from now on.
        queries: At least `FEWEST` that the library can be asked.
        roots: Further folders that their paths may be relative to.
        on_query: Told how far it is.
        candidates: What to choose from, first of all what takes nothing off.
        keep: Whether what is chosen is kept; else nothing changes.

    Returns:
        What was chosen for each space that was asked `FEWEST` queries.

    Raises:
        BadInput: There are too few queries, or one of them cannot be asked.
        LibraryLocked: Another process is writing to the library.
    """
    questions, _ = questions_of(library.catalog, queries, roots)
    engine = library.engine
    probes = _probes(library, engine, questions, on_query or (lambda done, total: None))
    chosen: dict[SearchSpace, Calibration] = {}
    for space in engine.spaces:
        asked = [(question, probe) for question, probe in probes if probe.space is space and _sort_of(probe) is not None]
        if len(asked) >= FEWEST:
            chosen[space] = _chosen(engine, space, asked, candidates)
    if not chosen:
        raise BadInput(f"{queries.path}: fewer than {FEWEST} queries of one part can be asked: judge more, see docs/relevance.md")
    if keep:
        with WriterLock(library.folder, "calibrating"):
            with library.catalog.transaction() as writer:
                for space, calibration in chosen.items():
                    writer.put_setting(setting_of(space), calibration.to_json())
            library.engine.prepare()
    return [CalibratedSpace(space.spec, calibration) for space, calibration in chosen.items()]


def reset(library: Library) -> None:
    """Go back to the calibrations and captions that come with the program.

    Raises:
        LibraryLocked: Another process is writing to the library.
    """
    with WriterLock(library.folder, "calibrating"):
        with library.catalog.transaction() as writer:
            for space in library.engine.spaces:
                writer.put_setting(setting_of(space), "")
            writer.put_setting(CAPTIONS, "")
        library.engine.prepare()


def replace_captions(library: Library, captions: Sequence[str]) -> int:
    """Let one's own captions be the reference by which chance is known. What was calibrated with others does not hold any more.

    Returns:
        How many there are, each counted once.

    Raises:
        BadInput: They are too few.
        LibraryLocked: Another process is writing to the library.
    """
    vocabulary = Vocabulary.of([" ".join(caption.split()) for caption in captions])
    with WriterLock(library.folder, "calibrating"):
        with library.catalog.transaction() as writer:
            writer.put_setting(CAPTIONS, vocabulary.to_setting())
        library.engine.prepare()
    return len(vocabulary.texts)


def _relevance_of(engine: Engine) -> Calibrated:
    relevance = engine.relevance
    if not isinstance(relevance, Calibrated):
        raise BadInput("the library was opened without calibration: open it with  calibrated=True")
    return relevance


def _probes(library: Library, engine: Engine, questions: Sequence[Question], on_query: OnQuery) -> list[tuple[Question, Probe]]:
    watch, found = Stopwatch(), []
    backgrounds = _relevance_of(engine).backgrounds
    for number, question in enumerate(questions, 1):
        query = question.asked.query(engine, library.catalog, watch)
        if len(query.counted) == 1 and query.counted[0].weight > 0 and query.where is None:
            found += [(question, probe) for probe in Plan(query.counted, engine.spaces, engine.spaces, backgrounds, watch).together()]
        on_query(number, len(questions))
    return found


def _sort_of(probe: Probe) -> Modality | None:
    """What a probe was asked with, if that is one thing that its space understands itself."""
    sorts = {side.origin for side in probe.sides}
    origin = next(iter(sorts))
    return origin.modality if len(sorts) == 1 and origin.source is None else None


def _chosen(engine: Engine, space: SearchSpace, asked: Sequence[tuple[Question, Probe]], candidates: Sequence[Method]) -> Calibration:
    catalog, backgrounds = engine.catalog, _relevance_of(engine).backgrounds
    right = {truth.content_id for question, _ in asked for truth in question.truths}
    ids = np.union1d(catalog.embeddings_of(right, space.id)[0], _spread(np.sort(catalog.live_embeddings(space.id))))
    rows = {row.embedding_id: row for row in catalog.segments_of(ids)}
    segments = [rows[id_].segment for id_ in ids.tolist()]
    contents = np.array([rows[id_].content_id for id_ in ids.tolist()], np.int64)
    kinds = {content: info.kind for content, info in catalog.content_info(set(contents.tolist())).items()}
    vectors = catalog.vectors(ids)
    pool = _pool(
        backgrounds, space, contents, segments, vectors, {sort for _, probe in asked if (sort := _sort_of(probe)) is not None}, candidates
    )
    evidence = []
    for question, probe in asked:
        judged = np.array([_judged(question, content, segment) for content, segment in zip(contents.tolist(), segments, strict=True)])
        judged[[bool(question.asked.kinds) and kinds[content] not in question.asked.kinds for content in contents.tolist()]] = UNKNOWN
        sort = _sort_of(probe)
        assert sort is not None  # chosen by that
        evidence.append(Evidence(sort, vectors @ probe.vector, judged))
    return choose(evidence, pool, backgrounds.bridges.texts.vocabulary.digest, candidates)


def _spread(ids: np.ndarray) -> np.ndarray:
    """At most `LARGEST` of them, at equal distances."""
    return np.asarray(ids[np.linspace(0, len(ids) - 1, min(len(ids), LARGEST)).astype(np.int64)])


def _judged(question: Question, content_id: int, segment: Segment) -> int:
    if content_id in question.own:
        return UNKNOWN
    truth = next((truth for truth in question.truths if truth.content_id == content_id), None)
    if truth is None:
        return WRONG
    within = any(segment.start_ms < stretch.end_ms and stretch.start_ms < segment.end_ms for stretch in truth.stretches)
    return RIGHT if within or not truth.stretches else UNKNOWN


def _pool(
    backgrounds: Backgrounds,
    space: SearchSpace,
    contents: np.ndarray,
    segments: Sequence[Segment],
    vectors: np.ndarray,
    sorts: set[Modality],
    candidates: Sequence[Method],
) -> Pool:
    watch = Stopwatch()
    modalities = np.array([segment.modality.value for segment in segments])
    captions = backgrounds.bridges.texts.asked(space, watch) if Modality.TEXT in sorts else None
    numbers = {method.nearest for method in candidates}
    biases = {number: np.zeros(len(vectors)) if captions is None else biases_of(vectors, captions.vectors, number) for number in numbers}
    by_chance: dict[Method, dict[Pair, Background]] = {method: {} for method in candidates}
    for found in map(Modality, np.unique(modalities)):
        for sort in sorts - {Modality.TEXT}:
            same = backgrounds.of(space, found, Origin(sort), watch)
            for method in candidates:
                by_chance[method][sort, found] = same
        if captions is not None:
            sample = draw(backgrounds.catalog, space.row, found).vectors
            cosines = np.asarray(captions.vectors @ sample.T, np.float64)
            hubs = {number: biases_of(sample, captions.vectors, number) for number in numbers}
            for method in candidates:
                corrected = cosines - method.strength * hubs[method.nearest]
                chance = chance_of(corrected)
                by_chance[method][Modality.TEXT, found] = Background(*chance, middle_for_texts(corrected, chance))
    return Pool(contents, modalities, biases, by_chance)
