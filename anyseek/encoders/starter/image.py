"""The front end of the picture tower: pixels → the square that EfficientNet-Lite2 was trained on.

Source: the published evaluation of EfficientNet-Lite: the middle 0.89 of the short side, bicubic to 260 x 260, (pixel - 127) / 128.
Pillow resizes here, on arrays and never on files, because its bicubic filter widens when it shrinks, and that is the one thing of the
preprocessing that plain numpy does not do quickly. It is imported when the first picture comes, since a search by text needs none.
"""

from __future__ import annotations

import numpy as np

from ...errors import BadInput

__all__ = ["CROP", "SIDE", "SMALLEST_USEFUL", "checked", "network_input"]

SIDE = 260
CROP = 260 / 292
SMALLEST_USEFUL = 292
"""The short side that, once cropped, needs no enlarging."""

MEAN, SPREAD = 127.0, 128.0


def checked(pixels: np.ndarray) -> np.ndarray:
    """Return the picture as it is, or say what is wrong with it.

    Raises:
        BadInput: It is not (height, width, 3) uint8 or has no pixels.
    """
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        found = f"{pixels.dtype} {pixels.shape}" if isinstance(pixels, np.ndarray) else type(pixels).__name__
        raise BadInput(f"a picture must be a (height, width, 3) uint8 array, not {found}: decode it to RGB")
    if pixels.size == 0:
        raise BadInput(f"a picture of {pixels.shape[1]} x {pixels.shape[0]} pixels has nothing to see: give at least one pixel")
    return pixels


def network_input(pixels: np.ndarray) -> np.ndarray:
    """Crop, resize and scale one (height, width, 3) uint8 picture to (1, 3, 260, 260) float32."""
    from PIL import Image

    height, width = pixels.shape[:2]
    side = CROP * min(height, width)
    box = ((width - side) / 2, (height - side) / 2, (width + side) / 2, (height + side) / 2)
    square = Image.fromarray(np.ascontiguousarray(pixels)).resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box)
    scaled = (np.asarray(square, np.float32) - MEAN) / SPREAD
    return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None])
