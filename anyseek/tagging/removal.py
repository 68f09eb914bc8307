"""Tags go as they came: by vocabulary, path and condition."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..storage.catalog import Catalog
from ..types import AnnotationType
from .report import TaggedAsset, TagOptions, TagReport
from .selection import Selection
from .stretches import tags_of

__all__ = ["remove_tags"]


def remove_tags(catalog: Catalog, vocabulary: str, paths: Sequence[Path], options: TagOptions) -> TagReport:
    """Remove all tags by a vocabulary, whatever models they are by.

    Args:
        catalog: Of the library; nobody else may write to it meanwhile.
        vocabulary: Its name.
        paths: Only from what lies there; from all when there are none.
        options: `where` and `dry_run` count.

    Returns:
        The files with the tags that are, or with `dry_run` would be, gone.

    Raises:
        BadInput: The library knows nothing at a path.
    """
    report = TagReport(vocabulary, dry_run=options.dry_run)
    types = (AnnotationType.TAG, AnnotationType.TAGGED)
    known = {origin for of in types for origin in catalog.annotation_origins(of)}
    origins = sorted(origin for origin in known if origin.startswith(f"{vocabulary}/"))
    contents = {content_id for of in types for content_id in catalog.annotated_contents(of, origins)}
    selection = Selection(catalog, np.array(sorted(contents), np.int64), paths, options.where)
    for _, located in selection.chunks():
        kinds = {content_id: info.kind for content_id, info in catalog.content_info(located).items()}
        for content_id, given in catalog.annotations(located, of=AnnotationType.TAG).items():
            tags, kind = tags_of([one for one in given if one.origin in origins]), kinds.get(content_id)
            if tags and kind is not None:
                report.removed += len(tags)
                report.assets += [TaggedAsset(asset.path, kind, tags) for asset in located[content_id]]
        if located and not options.dry_run:
            with catalog.transaction() as writer:
                for of in types:
                    writer.remove_annotations(of, origins=origins, content_ids=list(located))
    if not paths and options.where is None and not options.dry_run:
        with catalog.transaction() as writer:  # what is left is of files that are gone and may come back
            for of in types:
                writer.remove_annotations(of, origins=origins)
    report.assets.sort(key=lambda asset: asset.path)
    return report
