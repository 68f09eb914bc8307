"""OpenCLIP's bare model, our encoder and our indexing.

``python -m benchmarks.contestants.own WHICH CHECKPOINT PHOTOS FOLDER``, where WHICH is ``bare``, ``adapter`` or ``indexing``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from anyseek import Library
from anyseek.encoders.registry import load
from anyseek.indexer.report import IndexReport
from anyseek.media.open import open_media
from anyseek.media.protocol import DecodeOptions
from anyseek.types import Picture

from ..measure import spent

BATCH = 32
WARM = 16


def bare(checkpoint: Path, photos: Path, folder: Path) -> dict[str, Any]:
    """The model alone, on batches that are tensors already."""
    import open_clip
    import torch
    from PIL import Image

    model, transform = open_clip.create_model_from_pretrained(f"local-dir:{checkpoint}")
    model.eval()
    tensors = [transform(Image.open(path)) for path in sorted(photos.iterdir())]
    batches = [torch.stack(tensors[start : start + BATCH]) for start in range(0, len(tensors), BATCH)]
    rows: list[np.ndarray] = []
    with torch.inference_mode():
        model.encode_image(batches[0], normalize=True)
        run = spent(lambda: rows.extend(model.encode_image(batch, normalize=True).numpy() for batch in batches))
    return {"count": len(tensors), "seconds": run.wall, "cpu": run.cpu, "vector": rows[0][0].tolist()}


def adapter(checkpoint: Path, photos: Path, folder: Path) -> dict[str, Any]:
    """Our encoder, on pictures that are decoded already."""
    encoder = load(f"open_clip:local-dir:{checkpoint}")
    options = DecodeOptions(image_size=encoder.image_size)
    pictures: list[np.ndarray] = []
    for path in sorted(photos.iterdir()):
        with open_media(path, options) as media:
            pictures.extend(piece.pixels for piece in media.segments() if isinstance(piece, Picture))
    batches = [pictures[start : start + BATCH] for start in range(0, len(pictures), BATCH)]
    encoder.encode_images(batches[0])
    rows: list[np.ndarray] = []
    run = spent(lambda: rows.extend(map(encoder.encode_images, batches)))
    return {"count": len(pictures), "seconds": run.wall, "cpu": run.cpu, "vector": rows[0][0].tolist()}


def indexing(checkpoint: Path, photos: Path, folder: Path) -> dict[str, Any]:
    """All of `Library.index`: from files to a saved vector index, the start of the decoding processes included."""
    paths = sorted(photos.iterdir())
    (folder / "warm").mkdir()
    for path in paths[:WARM]:
        (folder / "warm" / path.name).write_bytes(path.read_bytes() + b"warm")
    encoder = load(f"open_clip:local-dir:{checkpoint}")
    with Library.open(folder / "library", encoder=encoder) as library:
        library.index(folder / "warm")
        reports: list[IndexReport] = []
        run = spent(lambda: reports.append(library.index(photos)))
        vector = encoder.encode_images([_pixels(paths[0], encoder.image_size)])[0]
        return {"count": reports[0].embedded, "seconds": run.wall, "cpu": run.cpu, "vector": vector.tolist()}


def _pixels(path: Path, image_size: int) -> np.ndarray:
    with open_media(path, DecodeOptions(image_size=image_size)) as media:
        return next(piece.pixels for piece in media.segments() if isinstance(piece, Picture))


if __name__ == "__main__":
    which = {"bare": bare, "adapter": adapter, "indexing": indexing}[sys.argv[1]]
    print(json.dumps(which(*map(Path, sys.argv[2:5]))))
