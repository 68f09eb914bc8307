"""The front end of the picture tower: pixels → the square that EfficientNet-Lite2 was trained on.

Source: the published evaluation of EfficientNet-Lite: the middle 0.89 of the short side, bicubic to 260 x 260, (pixel - 127) / 128.
Pillow resizes here, on arrays and never on files, because its bicubic filter widens when it shrinks, and that is the one thing of the
preprocessing that plain numpy does not do quickly. It is imported when the first picture comes, since a search by text needs none.
"""

from __future__ import annotations

import numpy as np

__all__ = ["CROP", "SIDE", "SMALLEST_USEFUL", "network_input"]

SIDE = 260
CROP = 260 / 292
SMALLEST_USEFUL = 292
"""The short side that, once cropped, needs no enlarging."""

MEAN, SPREAD = 127.0, 128.0


def network_input(pixels: np.ndarray) -> np.ndarray:
    """Crop, resize and scale one (height, width, 3) uint8 picture to (1, 3, 260, 260) float32."""
    from PIL import Image

    height, width = pixels.shape[:2]
    side = CROP * min(height, width)
    box = ((width - side) / 2, (height - side) / 2, (width + side) / 2, (height + side) / 2)
    square = Image.fromarray(np.ascontiguousarray(pixels)).resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box)
    scaled = (np.asarray(square, np.float32) - MEAN) / SPREAD
    return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None])
