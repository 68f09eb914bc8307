"""Write how the scores of the starter are made, anyseek/search/calibrations.json: its curves, as data/queries.json gives them on data/demo.

Nothing is taken off hubs: on labelled media that costs right answers (docs/relevance.md). Run it again whenever the starter, the reference
captions or the judged queries change.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from anyseek import Library
from anyseek.calibrating import calibrate
from anyseek.evaluation.formats import read_queries
from anyseek.search.measuring import PLAIN

ROOT = Path(__file__).parents[1]
CALIBRATIONS = ROOT / "anyseek" / "search" / "calibrations.json"


def main() -> None:
    with TemporaryDirectory() as folder, Library.open(Path(folder) / "library", encoder="starter") as library:
        library.index(ROOT / "data" / "demo")
        queries = read_queries(ROOT / "data" / "queries.json")
        (chosen,) = calibrate(library, queries, [ROOT / "data" / "demo", ROOT / "data"], candidates=(PLAIN,), keep=False)
        (space,) = library.catalog.spaces("serving")
    written = {space.space.fingerprint: json.loads(chosen.calibration.to_json())}
    CALIBRATIONS.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
