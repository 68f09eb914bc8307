"""Odd and hostile files, made on the spot: what people's disks hold, and what somebody with bad intentions would put there.

`ODD_FILES` is the one table: a name, how the file is made, and how it must end. `plant` writes them all into a folder.
"""

from odd_files.corpus import ODD_FILES, plant
from odd_files.table import Expected, OddFile

__all__ = ["ODD_FILES", "Expected", "OddFile", "plant"]
