"""Makers of odd pictures."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

RED, BLUE = (200, 30, 40), (10, 20, 220)
Maker = Callable[[Path], None]


def two_halves(size: tuple[int, int] = (64, 32)) -> Image.Image:
    """Red on the left, blue on the right: shows every rotation and mirroring but up and down."""
    picture = Image.new("RGB", size, RED)
    picture.paste(BLUE, (size[0] // 2, 0, *size))
    return picture


def four_corners() -> Image.Image:
    """16 x 8: black, red over green, blue. No rotation or mirroring leaves it as it is."""
    picture = Image.new("RGB", (16, 8))
    for colour, corner in (((255, 0, 0), (8, 0)), ((0, 255, 0), (0, 4)), ((0, 0, 255), (8, 4))):
        picture.paste(colour, (*corner, corner[0] + 8, corner[1] + 4))
    return picture


def encoded(picture: Image.Image, format: str, **options: object) -> bytes:  # noqa: A002
    buffer = BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def saved(format: str, mode: str = "RGB", **options: object) -> Maker:  # noqa: A002
    """Two halves in that format and mode."""
    return lambda path: path.write_bytes(encoded(two_halves().convert(mode), format, **options)) and None


def written(data: bytes) -> Maker:
    return lambda path: path.write_bytes(data) and None


def cut(format: str, share: float, **options: object) -> Maker:  # noqa: A002
    """A noisy picture of which only the first `share` of the bytes arrived."""

    def make(path: Path) -> None:
        noise = np.random.default_rng(1).integers(0, 256, (96, 128, 3), dtype=np.uint8)
        data = encoded(Image.fromarray(noise), format, **options)
        path.write_bytes(data[: int(len(data) * share)])

    return make


def turned(orientation: int, format: str = "JPEG") -> Maker:  # noqa: A002
    """Four corners, stored so that EXIF's orientation brings them back upright."""
    flips = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }

    def make(path: Path) -> None:
        flip = flips[orientation]
        stored = four_corners() if flip is None else four_corners().transpose(flip)
        exif = Image.Exif()
        exif[274] = orientation
        options: dict[str, object] = {"tiffinfo": {274: orientation}} if format == "TIFF" else {"exif": exif}
        if format == "JPEG":
            options |= {"quality": 100, "subsampling": 0}
        path.write_bytes(encoded(stored, format, **options))

    return make


def heic(path: Path, exif_orientation: int = 1) -> None:
    """A HEIC of four corners; a rotation goes into HEIF's own transformation *and* stays in EXIF, as phones write it."""
    import pillow_heif

    exif = Image.Exif()
    exif[274] = exif_orientation
    pillow_heif.register_heif_opener()
    stored = four_corners().resize((64, 32), Image.Resampling.NEAREST)
    if exif_orientation == 6:
        stored = stored.transpose(Image.Transpose.ROTATE_90)
    path.write_bytes(encoded(stored, "HEIF", quality=95, exif=exif.tobytes()))


def animation(format: str, frames: int = 10, duration: int = 100) -> Maker:  # noqa: A002
    """Frame n is (20 n, 0, 0)."""

    def make(path: Path) -> None:
        pictures = [Image.new("RGB", (20, 20), (20 * number, 0, 0)) for number in range(frames)]
        timing = {} if format == "TIFF" else {"duration": duration}
        path.write_bytes(encoded(pictures[0], format, save_all=True, append_images=pictures[1:], **timing))

    return make


def cut_animation(path: Path) -> None:
    animation("GIF")(path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])


def grey16(format: str) -> Maker:  # noqa: A002
    """0x6666 everywhere, which is 102 of 255."""
    return lambda path: path.write_bytes(encoded(Image.fromarray(np.full((8, 16), 0x6666, np.uint16)), format)) and None


def grey_floats(path: Path) -> None:
    """Half black, half 0.4 of 1.0."""
    values = np.zeros((8, 16), np.float32)
    values[:, 8:] = 0.4
    path.write_bytes(encoded(Image.fromarray(values), "TIFF"))


def lab(path: Path) -> None:
    transform = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    path.write_bytes(encoded(ImageCms.applyTransform(two_halves(), transform), "TIFF"))


def see_through(mode: str) -> Maker:
    """Left half opaque red, right half fully transparent over hidden blue."""

    def make(path: Path) -> None:
        picture = two_halves().convert("RGBA")
        picture.putalpha(Image.fromarray(np.repeat(np.uint8([[255, 0]]), 32, axis=1).repeat(32, axis=0)))
        if mode == "P":
            palette = two_halves().quantize(2)
            see_through_index = palette.getpixel((63, 0))
            path.write_bytes(encoded(palette, "PNG", transparency=see_through_index))
        else:
            path.write_bytes(encoded(picture.convert(mode), "PNG"))

    return make


def profiled(profile: bytes, colour: tuple[int, ...] = (150, 100, 100), mode: str = "RGB") -> Maker:
    return lambda path: path.write_bytes(encoded(Image.new(mode, (32, 16), colour), "TIFF", icc_profile=profile)) and None


def display_p3() -> bytes:
    """An ICC profile of Display P3: sRGB's own with other primaries (adapted to D50) and another name."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    primaries = {
        b"rXYZ": (0.515102, 0.241182, -0.001049),
        b"gXYZ": (0.291965, 0.692236, 0.041882),
        b"bXYZ": (0.157153, 0.066582, 0.784378),
    }
    (count,) = struct.unpack_from(">I", profile, 128)
    for tag in range(count):
        name, at, size = struct.unpack_from(">4sII", profile, 132 + 12 * tag)
        if name in primaries:
            struct.pack_into(">3i", profile, at + 8, *(round(value * 65536) for value in primaries[name]))
        elif name == b"desc":
            profile[at : at + size] = bytes(profile[at : at + size]).replace("sRGB".encode("utf-16-be"), "Test".encode("utf-16-be"))
    return bytes(profile)


def grey_ink_profile() -> bytes:
    """An ICC profile of a press whose every ink is a neutral grey: any full ink gives L* 50, none gives white."""
    grid = [255 if node == 0 else 128 for node in range(16)]
    ramp = bytes(range(256))
    table = b"".join(bytes([lightness, 128, 128]) for lightness in grid)
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + ramp * 4 + table + ramp * 3
    text = "Grey".encode("utf-16-be")
    name = b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(text), 28) + text
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    tags, body, at = b"", b"", 132 + 12 * 3
    for key, data in ((b"A2B0", lut), (b"desc", name), (b"wtpt", white)):
        data += b"\0" * (-len(data) % 4)
        tags += struct.pack(">4sII", key, at + len(body), len(data))
        body += data
    header = struct.pack(">I4sI4s4s4s", at + len(body), b"lcms", 0x02400000, b"prtr", b"CMYK", b"Lab ")
    header += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + b"\0" * 28 + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + struct.pack(">I", 3) + tags + body


def jpeg_of_size(width: int, height: int) -> bytes:
    """A JPEG that claims that size and holds next to nothing."""
    data = bytearray(encoded(two_halves(), "JPEG"))
    at = data.index(b"\xff\xc0")
    struct.pack_into(">HH", data, at + 5, height, width)
    return bytes(data)


def png_chunks(*chunks: tuple[bytes, bytes]) -> bytes:
    parts = (struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def png_bomb(path: Path) -> None:
    """900 megapixels of white in about 100 KB."""
    width = height = 30_000
    press = zlib.compressobj(1)
    row = b"\0" + b"\xff" * ((width + 7) // 8)
    data = b"".join(press.compress(row * 1000) for _ in range(height // 1000)) + press.flush()
    path.write_bytes(png_chunks((b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)), (b"IDAT", data), (b"IEND", b"")))


def png_text_bomb(path: Path) -> None:
    """A tiny picture with 20 MB of packed text."""
    good = encoded(two_halves(), "PNG")
    bomb = png_chunks((b"zTXt", b"Comment\0\0" + zlib.compress(b"\0" * 20_000_000)))[8:]
    path.write_bytes(good[:33] + bomb + good[33:])


def webp_of_size(width: int, height: int) -> bytes:
    """A WebP that claims a canvas of that size."""
    extended = b"VP8X" + struct.pack("<II", 10, 0) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBP" + extended + encoded(two_halves(), "WEBP")[12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def broken_exif(path: Path) -> None:
    """EXIF whose directory points behind its end."""
    path.write_bytes(encoded(two_halves(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\x01\x12\x00\x03" * 3))


def entity_bomb(path: Path) -> None:
    """XMP with a billion laughs."""
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    xmp = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{entities}]><x>&l9;</x>'
    path.write_bytes(encoded(two_halves(), "JPEG", xmp=xmp.encode()))


def raw_photo(path: Path) -> None:
    """A camera's raw file as far as TIFF readers see it: a thumbnail first, the picture in a sub-directory."""
    picture = Image.new("RGB", (16, 12), RED)
    path.write_bytes(encoded(picture, "TIFF", tiffinfo={254: 1, 330: 8}))
