"""Any picture Pillow can hold as small sRGB pixels: shrunk first, then alpha over white, then colour management."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image, ImageCms

__all__ = ["shrunk_rgb"]

_REDUCING_GAP = 2.0  # box-average down to twice the size first: same picture (55 dB), a quarter of the time
_KEPT_MODES = {"L", "RGB", "RGBA", "CMYK", "LAB"}
_PROFILE_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}


def shrunk_rgb(image: Image.Image, size: tuple[int, int]) -> np.ndarray:
    """Shrink a loaded picture and bring it to sRGB.

    Args:
        image: In any mode; its `info` may hold an ICC profile, which is ignored when broken or meant for another colour space.
        size: (width, height) of the result in pixels.

    Returns:
        (height, width, 3) uint8.
    """
    from PIL import Image

    small = _resizable(image)
    if small.size != size:
        small = small.resize(size, Image.Resampling.BICUBIC, reducing_gap=_REDUCING_GAP)
    if small.mode == "RGBA":
        white = Image.new("RGBA", size, "white")
        small = Image.alpha_composite(white, small).convert("RGB")
    return np.array(_srgb(small, image.info.get("icc_profile")))


def _resizable(image: Image.Image) -> Image.Image:
    """The picture in one of `_KEPT_MODES`: 8 bits a channel, no palette, with alpha where anything is transparent."""
    from PIL import Image

    if image.mode.startswith(("I", "F")):
        return Image.fromarray(_eight_bits(np.asarray(image)))
    if image.mode == "La":
        image = image.convert("LA")
    if image.has_transparency_data:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in _KEPT_MODES else image.convert("RGB")


def _eight_bits(values: np.ndarray) -> np.ndarray:
    """Scale grey of 16 or 32 bits or of floats to 0..255, where Pillow's own conversion clips (test_deep_grey_is_scaled).

    16 bits have a known white. Wider numbers have none: theirs is taken as 1.0 (floats only), 255 or 65535, whichever is the
    first that holds them all, and values beyond or below zero are stretched from their least to their greatest.
    """
    if values.dtype.itemsize == 2:
        return (values >> 8).astype(np.uint8)
    finite = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    least, greatest = float(finite.min()), float(finite.max())
    if least < 0 or greatest > 65_535:
        black, white = least, greatest
    else:
        whites = (1.0, 255.0, 65_535.0) if values.dtype.kind == "f" else (255.0, 65_535.0)
        black, white = 0.0, next(white for white in whites if greatest <= white)
    scale = 255.0 / (white - black) if white > black else 0.0
    scaled: np.ndarray = np.rint((finite - black) * scale).astype(np.uint8)
    return scaled


def _srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    from PIL import ImageCms

    transform = _to_srgb(profile, image.mode) if profile or image.mode == "LAB" else None
    managed = ImageCms.applyTransform(image, transform) if transform is not None else None
    return managed if managed is not None else image.convert("RGB")


@lru_cache(maxsize=8)  # the photos of a camera share a profile, and building one for CMYK takes longer than decoding
def _to_srgb(profile: bytes | None, mode: str) -> ImageCms.ImageCmsTransform | None:
    """From an ICC profile to sRGB; None when there is nothing to do, or when the profile is broken or does not fit the mode.

    LAB, which Pillow cannot convert otherwise, needs no profile and trusts none.
    """
    from PIL import ImageCms

    try:
        if profile is None or mode == "LAB":
            source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        else:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            if source.profile.xcolor_space.strip() != _PROFILE_SPACES[mode] or "sRGB" in (source.profile.profile_description or ""):
                return None
        return ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
