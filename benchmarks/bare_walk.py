"""The least that looking at every file of a folder can cost in Python: ``python benchmarks/bare_walk.py FOLDER``."""

import os
import sys


def walk(folder: str) -> int:
    """Count the files below a folder, after a stat of each."""
    waiting, seen = [folder], 0
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    waiting.append(entry.path)
                else:
                    entry.stat()
                    seen += 1
    return seen


if __name__ == "__main__":
    print(walk(sys.argv[1]))
