"""The course of a tagging run: select, score, let labels compete, write."""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ..errors import UnsupportedModality
from ..search.adaptation import Adaptation
from ..search.calibrations import setting_of
from ..search.relevance import Relevance, log_odds
from ..search.spaces import SearchSpace
from ..search.timings import Stopwatch
from ..search.vocabulary import CAPTIONS
from ..storage.catalog import Catalog, LocatedAsset
from ..types import Annotation, AnnotationType, Modality, Segment
from .competition import holding, rivals_of
from .report import OnTagging, TaggedAsset, TagOptions, TagReport
from .scoring import LabelScores
from .selection import Selection, embedded_contents
from .stretches import Found, annotations_of, origin_of, tags_of
from .vocabulary import TagVocabulary

__all__ = ["Tagger"]

MOST_SCORES = 3_000_000  # of 8 bytes each, held at a time


class Tagger:
    """Tags what a library holds.

    Args:
        catalog: Of the library; nobody else may write to it meanwhile.
        spaces: Those that serve.
        relevance: Makes scores of cosines.
        vocabulary: The labels.
        options: How.
        adaptation: What queries go through, and so labels, too; None for nothing.

    Raises:
        UnsupportedModality: None of the spaces understands text.
    """

    def __init__(
        self,
        catalog: Catalog,
        spaces: Sequence[SearchSpace],
        relevance: Relevance,
        vocabulary: TagVocabulary,
        options: TagOptions,
        adaptation: Adaptation | None = None,
    ) -> None:
        watch = Stopwatch()
        self.catalog = catalog
        self.vocabulary = vocabulary
        self.options = options
        self.spaces = [space for space in spaces if space.takes(Modality.TEXT, watch)]
        if not self.spaces:
            raise next((space.lost for space in spaces if space.lost), UnsupportedModality(" and ".join(s.spec for s in spaces), "text"))
        self._rivals = rivals_of([label.senses for label in vocabulary.labels])
        self._least = float(log_odds(np.array(options.min_relevance)))
        self._origins = {origin_of(vocabulary, space) for space in self.spaces}
        adapters = [None if adaptation is None else adaptation.query(space) for space in self.spaces]
        self._judges = [
            LabelScores(space, vocabulary, relevance, self._held(space), adapter)
            for space, adapter in zip(self.spaces, adapters, strict=True)
        ]
        self._notes = [
            f"{space.spec} was not asked, for it could not be loaded: {space.lost}"
            if space.lost
            else f"{space.spec} was not asked, for it understands no text"
            for space in spaces
            if space not in self.spaces
        ]

    def run(self, paths: Sequence[Path] = (), stop: threading.Event | None = None, on_tagging: OnTagging | None = None) -> TagReport:
        """Tag the contents that lie at some paths; every piece is written by itself, and nothing is done twice.

        Args:
            paths: Files and folders; all there is when there are none.
            stop: Set it to leave off after the piece in hand.
            on_tagging: Told how far it is.

        Raises:
            BadInput: The library knows nothing at a path, or an encoder does not take a label.
        """
        report = TagReport(self.vocabulary.name, len(self.vocabulary.labels), tuple(space.spec for space in self.spaces))
        report.dry_run, report.notes = self.options.dry_run, [*self._notes, *self._left_behind()]
        where = self.options.where
        selection = Selection(self.catalog, embedded_contents(self.catalog, self.spaces, where), paths, where)
        for done, located in selection.chunks():
            if stop is not None and stop.is_set():
                report.interrupted = True
                break
            report.assets += self._tag(located)
            if on_tagging is not None:
                on_tagging(done, len(selection))
        report.assets.sort(key=lambda asset: asset.path)
        return report

    def _tag(self, located: Mapping[int, list[LocatedAsset]]) -> list[TaggedAsset]:
        """Tag some contents, in one transaction, and tell what became of their assets."""
        marks = [self._marks(judge, located) for judge in self._judges]
        new = set(located) if self.options.redo else self._untagged(located, marks)
        found = [self._found(judge, sorted(new)) for judge in self._judges]
        kept = {content_id: self._best([by_space.get(content_id, {}) for by_space in found]) for content_id in new}
        written: list[dict[int, list[Annotation]]] = []
        for judge, by_space in zip(self._judges, found, strict=True):
            origin = origin_of(self.vocabulary, judge.space)
            written.append({content_id: annotations_of(by_space.get(content_id, {}), kept[content_id], origin) for content_id in new})
        if new and not self.options.dry_run:
            self._write(written, marks)
        tags = {content_id: tags_of([one for of_space in written for one in of_space[content_id]]) for content_id in new}
        tags |= {
            content_id: tags_of(self._stored(known))
            for content_id, known in self.catalog.annotations(set(located) - new, of=AnnotationType.TAG).items()
        }
        kinds = {content_id: info.kind for content_id, info in self.catalog.content_info(located).items()}
        return [
            TaggedAsset(asset.path, kind, tags.get(content_id, ()), content_id not in new)
            for content_id, assets in located.items()
            if (kind := kinds.get(content_id)) is not None
            for asset in assets
        ]

    def _found(self, judge: LabelScores, contents: Sequence[int]) -> Mapping[int, Found]:
        """The labels that hold in one space, before the best are chosen."""
        found: dict[int, dict[str, list[tuple[Segment, float]]]] = defaultdict(lambda: defaultdict(list))
        ids, owners, segments = self.catalog.embeddings_of(contents, judge.space.id)
        rows_at_a_time = max(1, MOST_SCORES // len(self.vocabulary.labels))
        modalities = [segment.modality for segment in segments]
        for modality in dict.fromkeys(modalities):
            places = np.flatnonzero([one is modality for one in modalities])
            for start in range(0, len(places), rows_at_a_time):
                rows = places[start : start + rows_at_a_time]
                scores = judge.of(ids[rows], self.catalog.vectors(ids[rows]), modality)
                for row, label in np.argwhere(holding(scores, self._rivals, self._least)).tolist():
                    place = int(rows[row])
                    found[int(owners[place])][self.vocabulary.labels[label].text].append((segments[place], float(scores[row, label])))
        return dict(found)

    def _best(self, by_space: Sequence[Found]) -> set[str]:
        """The labels of one content with the best segments, whichever space they are of."""
        best: dict[str, float] = {}
        for found in by_space:
            for text, rows in found.items():
                best[text] = max(best.get(text, -np.inf), *(score for _, score in rows))
        return set(sorted(best, key=lambda text: (-best[text], text))[: self.options.max_tags])

    def _write(self, written: Sequence[dict[int, list[Annotation]]], marks: Sequence[Mapping[int, str]]) -> None:
        with self.catalog.transaction() as writer:
            for judge, annotations, mark in zip(self._judges, written, marks, strict=True):
                origin = origin_of(self.vocabulary, judge.space)
                writer.replace_annotations(AnnotationType.TAG, origin, annotations)
                done = {
                    content_id: [Annotation(AnnotationType.TAGGED, origin, mark[content_id])]
                    for content_id in annotations
                    if content_id in mark
                }
                writer.replace_annotations(AnnotationType.TAGGED, origin, done)

    def _marks(self, judge: LabelScores, contents: Mapping[int, object]) -> dict[int, str]:
        """What tells by which labels, model, options and vectors a content was tagged; none for contents without vectors."""
        how = f"{self.vocabulary.digest} {judge.space.row.space.fingerprint} {self.options.min_relevance} {self.options.max_tags}"
        chosen = [self.catalog.setting(setting_of(judge.space)), self.catalog.setting(CAPTIONS)]  # by what scores are made
        chosen.append(judge.adapter.digest if judge.adapter is not None else None)
        how += "".join(f" {hashlib.sha256(text.encode()).hexdigest()}" for text in chosen if text)
        digest = hashlib.sha256(how.encode()).hexdigest()[:32]
        ids, owners, segments = self.catalog.embeddings_of(contents, judge.space.id)
        rows = zip(owners.tolist(), ids.tolist(), segments, strict=True)
        newest = {owner: id_ for owner, id_, segment in rows if segment.modality is not Modality.WHOLE}  # ids ascend: the last one stays
        return {content_id: f"{digest} {id_}" for content_id, id_ in newest.items()}

    def _untagged(self, contents: Mapping[int, object], marks: Sequence[Mapping[int, str]]) -> set[int]:
        untagged = set()
        for judge, mark in zip(self._judges, marks, strict=True):
            known = self.catalog.annotations(contents, of=AnnotationType.TAGGED, origin=origin_of(self.vocabulary, judge.space))
            untagged |= {content_id for content_id, text in mark.items() if [one.text for one in known.get(content_id, [])] != [text]}
        return untagged

    def _stored(self, annotations: Sequence[Annotation]) -> list[Annotation]:
        return [one for one in annotations if one.origin in self._origins]

    def _held(self, space: SearchSpace) -> list[Modality]:
        return [modality for modality in Modality if len(self.catalog.live_embeddings(space.id, modalities={modality}))]

    def _left_behind(self) -> list[str]:
        """Tags by models that serve no more; they stay until somebody removes them."""
        known = self.catalog.annotation_origins(AnnotationType.TAG)
        old = [origin for origin in known if origin.startswith(f"{self.vocabulary.name}/") and origin not in self._origins]
        names = " and ".join(origin.partition("/")[2] for origin in old)
        return [f"there are tags by {names}, too: anyseek tag --remove  removes all of {self.vocabulary.name}"] if old else []
