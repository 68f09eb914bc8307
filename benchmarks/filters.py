"""What a filter costs on a large catalog: from the condition to the ids that the index may answer with."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

from anyseek.filters import Condition, parse
from anyseek.storage.catalog import Catalog
from anyseek.storage.layout import LibraryFolder

from .libraries import fill_library, made_up_files
from .measure import Row

__all__ = ["measure"]

ASSETS = 1_000_000
ROUNDS = 3

# Every property belongs to a share of the contents that is independent of the others.
DESCRIBE = """
UPDATE content SET
    captured_at = strftime('%Y-%m-%dT%H:%M:%S', 946684800 + abs(id * 7919 % 26000) * 30000, 'unixepoch'),
    captured_origin = 'exif',
    camera = CASE id % 5 WHEN 0 THEN NULL WHEN 1 THEN 'Canon EOS R5' WHEN 2 THEN 'NIKON Z 6' ELSE 'Fujifilm X-T' || (id % 40) END,
    rating = CASE WHEN id % 3 = 0 THEN id / 3 % 6 END,
    latitude = CASE WHEN id % 2 = 0 THEN (id * 31 % 180000) / 1000.0 - 90 END,
    longitude = CASE WHEN id % 2 = 0 THEN (id * 7919 % 360000) / 1000.0 - 180 END,
    keywords = CASE WHEN id % 4 = 0 THEN '["holiday", "sea ' || (id % 100) || '"]' ELSE '[]' END,
    duration_ms = CASE WHEN kind = 'audio' THEN id % 600000 END
"""
OWN = """UPDATE asset SET user_metadata = '{"project": "p' || (id % 1000) || '"}' WHERE id % 10 = 0"""
TAGS = """
INSERT INTO annotation (content_id, type, origin, text, start_ms, end_ms, confidence)
SELECT id, 'tag', 'made up', 'thing ' || (id % 200), 0, 0, (id / 200 % 100) / 100.0 FROM content
"""

FILTERS = (
    "kind:audio",
    "date:2015",
    "date:2015-05-17",
    "camera:canon",
    "rating>=4",
    "size>=990kB",
    "path:19*/**",
    "path:**/photo00001?.jpg",
    "ext:jpg",
    "keyword:holiday",
    'keyword:"sea 4"',
    'tag:"thing 7"',
    'tag:"thing 7">=0.9',
    'near:"52.5,13.4 200km"',
    "meta.project:p70",
    "not has:gps",
    "kind:image date>=2015 rating>=3 not camera:canon",
)


def measure(folder: Path, *, quick: bool) -> list[Row]:
    """Time filters whose answer is not kept yet, beside all that may be shown without one.

    Args:
        folder: For the library; emptied by the caller.
        quick: A catalog of a twentieth.
    """
    count = ASSETS // 20 if quick else ASSETS
    place = folder / "library"
    fill_library(place, folder / "media", made_up_files(count))
    with Catalog.open(LibraryFolder.at(place)) as catalog:
        with catalog.database.writing() as connection:
            for statement in (DESCRIBE, OWN, TAGS):
                connection.exec_driver_sql(statement)
        space_id = catalog.spaces()[0].id
        least, everything = _ask(catalog, space_id, None)
        rows = [Row(f"ids that may be shown, of {count:,} assets, no filter", f"{least:,.0f} ms for {everything:,}")]
        for text in FILTERS:
            took, found = _ask(catalog, space_id, parse(text))
            rows.append(Row(f"the same with `{text}`", f"{took:,.0f} ms for {found:,}", ratio=f"{took / least:.2f}"))
    return rows


def _ask(catalog: Catalog, space_id: int, where: Condition | None) -> tuple[float, int]:
    """The median in milliseconds when nothing is kept, and how many ids there are."""
    times = []
    for _ in range(ROUNDS):
        catalog.forget_live()
        started = time.perf_counter()
        found = len(catalog.live_embeddings(space_id, where=where))
        times.append((time.perf_counter() - started) * 1000)
    return median(times), found
