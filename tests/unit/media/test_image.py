from __future__ import annotations

import logging
import warnings
from pathlib import Path

import numpy as np
import pytest
from odd_files import pictures
from odd_files import sound_and_film as av
from PIL import Image

from anyseek.errors import FailureCode, MediaError
from anyseek.media.image import ImageFile, picture_errors, silence_pillow
from anyseek.media.protocol import DecodeOptions, Limits
from anyseek.types import Kind, MediaInfo, Modality, Picture, Segment

RED, BLUE, WHITE = [*pictures.RED], [*pictures.BLUE], [255, 255, 255]


def read(path: Path, **options: object) -> tuple[MediaInfo, list[Picture]]:
    with ImageFile(path, DecodeOptions(**options)) as file:
        found = list(file.segments())
        return file.info, found


def pixels_of(tmp_path: Path, make: pictures.Maker, **options: object) -> np.ndarray:
    path = tmp_path / "picture"
    make(path)
    _, [picture] = read(path, **options)
    assert picture.segment == Segment(Modality.IMAGE, frame_ms=0)
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.flags.c_contiguous
    return picture.pixels


def corners(pixels: np.ndarray) -> list[list[int]]:
    return [pixels[row, column].tolist() for row in (0, -1) for column in (0, -1)]


@pytest.mark.parametrize(
    ("format", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("TIFF", {}, 0),
        ("JPEG2000", {}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("JPEG", {"quality": 100, "subsampling": 0}, 1),
        ("AVIF", {"quality": 100}, 2),
    ],
)
def test_formats_give_back_their_colours(tmp_path: Path, format: str, options: dict[str, object], tolerance: int) -> None:  # noqa: A002
    path = tmp_path / "a"
    pictures.saved(format, **options)(path)
    info, [picture] = read(path)
    assert (info.kind, info.format, info.width, info.height, info.frames) == (Kind.IMAGE, format.lower(), 64, 32, None)
    assert picture.pixels.shape == (32, 64, 3)
    assert np.abs(np.int16(corners(picture.pixels)) - [RED, BLUE, RED, BLUE]).max() <= tolerance


@pytest.mark.parametrize(
    ("make", "left", "right"),
    [
        (pictures.saved("PNG", "1"), None, [0, 0, 0]),
        (pictures.saved("PNG", "L"), [82] * 3, [40] * 3),
        (pictures.saved("TIFF", "CMYK"), RED, BLUE),
        (pictures.saved("JPEG", "CMYK", quality=100), RED, BLUE),  # Adobe's inks are inverted
        (pictures.saved("TIFF", "I"), [82] * 3, [40] * 3),
        (pictures.lab, [200, 28, 39], [21, 18, 220]),  # 8 bits of L*a*b* cannot hold them exactly
        (pictures.see_through("RGBA"), RED, WHITE),
        (pictures.see_through("P"), RED, WHITE),
        (pictures.see_through("LA"), [82] * 3, WHITE),
        (pictures.profiled(b"this is no profile"), [150, 100, 100], [150, 100, 100]),
        (pictures.profiled(pictures.grey_ink_profile()), [150, 100, 100], [150, 100, 100]),  # for inks: does not fit RGB
    ],
)
def test_modes_become_rgb(tmp_path: Path, make: pictures.Maker, left: list[int] | None, right: list[int]) -> None:
    pixels = pixels_of(tmp_path, make)
    assert pixels[-1, -1].tolist() == right
    assert left is None or pixels[0, 0].tolist() == left


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_deep_grey_is_scaled(tmp_path: Path, format: str) -> None:  # noqa: A002
    """Pillow's own `convert("RGB")` makes these white."""
    assert corners(pixels_of(tmp_path, pictures.grey16(format))) == [[102] * 3] * 4


@pytest.mark.parametrize(
    ("values", "greys"),
    [
        (np.float32([[0.0, 0.4, 1.0]]), [0, 102, 255]),
        (np.float32([[0.0, 102.0, 255.0]]), [0, 102, 255]),
        (np.float32([[0.0, 26214.0, 65535.0]]), [0, 102, 255]),
        (np.float32([[-1.0, 0.0, 1.0]]), [0, 128, 255]),
        (np.float32([[0.0, np.nan, 0.4]]), [0, 0, 102]),
        (np.float32([[np.inf, -np.inf, 0.4]]), [0, 0, 102]),
        (np.float32([[7e9, 7e9, 7e9]]), [0, 0, 0]),
        (np.int32([[0, 102, 255]]), [0, 102, 255]),
        (np.int32([[0, 26214, 65535]]), [0, 102, 255]),
        (np.int32([[0, 800_000, 2_000_000]]), [0, 102, 255]),
    ],
)
def test_grey_without_a_known_white_is_scaled_to_what_holds_it(tmp_path: Path, values: np.ndarray, greys: list[int]) -> None:
    def make(path: Path) -> None:
        path.write_bytes(pictures.encoded(Image.fromarray(values), "TIFF"))

    assert pixels_of(tmp_path, make)[0, :, 0].tolist() == greys


def test_display_p3_is_brought_to_srgb(tmp_path: Path) -> None:
    """(150, 100, 100) of P3 is (158.6, 97.2, 98.7) of sRGB by the two matrices of their primaries."""
    assert corners(pixels_of(tmp_path, pictures.profiled(pictures.display_p3()))) == [[159, 97, 99]] * 4


def test_ink_goes_through_its_profile(tmp_path: Path) -> None:
    """L* 50 is 118.9 of sRGB; without the profile full cyan would be (0, 255, 255)."""
    make = pictures.profiled(pictures.grey_ink_profile(), (255, 0, 0, 0), "CMYK")
    assert corners(pixels_of(tmp_path, make)) == [[119] * 3] * 4


FOUR_CORNERS = [[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_exif_orientation_is_applied_once(tmp_path: Path, format: str, orientation: int) -> None:  # noqa: A002
    """Pillow turns TIFFs by itself and tells HEIF's rotation of an AVIF as EXIF: nothing may turn twice."""
    path = tmp_path / "a"
    pictures.turned(orientation, format)(path)
    info, [picture] = read(path)
    assert (info.width, info.height) == (16, 8)
    assert picture.pixels.shape == (8, 16, 3)
    tolerance = 60 if format == "WEBP" else 5
    assert np.abs(np.int16(corners(picture.pixels)) - FOUR_CORNERS).max() <= tolerance


@pytest.mark.parametrize("orientation", [1, 6])
def test_heic_is_not_turned_twice(tmp_path: Path, orientation: int) -> None:
    path = tmp_path / "a.heic"
    pictures.heic(path, orientation)
    info, [picture] = read(path)
    assert (info.format, info.width, info.height) == ("heif", 64, 32)
    centres = picture.pixels[8::16, 16::32].reshape(4, 3)
    assert np.abs(np.int16(centres) - FOUR_CORNERS).max() <= 3


def test_png_with_exif_behind_its_pixels_is_turned_and_described(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274], exif[271], exif[272] = 6, "Acme", "One"
    stored = pictures.four_corners().transpose(Image.Transpose.ROTATE_90)
    data = pictures.encoded(stored, "PNG", exif=exif)
    at = data.index(b"eXIf") - 4
    length = int.from_bytes(data[at : at + 4], "big") + 12
    path = tmp_path / "late.png"
    path.write_bytes(data[:at] + data[at + length : -12] + data[at : at + length] + data[-12:])
    info, [picture] = read(path)
    assert corners(picture.pixels) == FOUR_CORNERS
    assert (info.width, info.height, info.camera) == (16, 8, "Acme One")


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ((640, 480), (320, 427, 3)),
        ((480, 640), (427, 320, 3)),
        ((320, 300), (300, 320, 3)),
        ((100, 50), (50, 100, 3)),
        ((1, 1), (1, 1, 3)),
        ((8000, 1), (1, 2560, 3)),
        ((1, 60_000), (2560, 1, 3)),
        ((60_000, 1), (1, 2560, 3)),
        ((12_000, 800), (171, 2560, 3)),
    ],
)
def test_short_side_is_shrunk_and_long_side_bounded(tmp_path: Path, size: tuple[int, int], shape: tuple[int, ...]) -> None:
    pixels = pixels_of(tmp_path, lambda path: path.write_bytes(pictures.encoded(pictures.two_halves(size), "PNG")) and None)
    assert pixels.shape == shape


def test_large_jpeg_in_draft_mode_is_the_same_picture_upright(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    photo = Image.fromarray(rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)).resize((2000, 1500), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[274] = 6
    path = tmp_path / "photo.jpg"
    path.write_bytes(pictures.encoded(photo.transpose(Image.Transpose.ROTATE_90), "JPEG", quality=90, exif=exif))
    info, [picture] = read(path)
    assert (info.width, info.height) == (2000, 1500)
    wanted = np.asarray(photo.resize((427, 320), Image.Resampling.BICUBIC), np.float64)
    error = np.mean((picture.pixels - wanted) ** 2)
    assert 10 * np.log10(255**2 / error) > 45


def test_caps_are_checked_before_decoding_and_jpeg_has_its_own(tmp_path: Path) -> None:
    limits = Limits(max_pixels=10_000, max_draft_pixels=100_000)
    jpeg, progressive, png = tmp_path / "a.jpg", tmp_path / "b.jpg", tmp_path / "a.png"
    large = pictures.two_halves((400, 250))
    jpeg.write_bytes(pictures.encoded(large, "JPEG"))
    progressive.write_bytes(pictures.encoded(large, "JPEG", progressive=True))
    png.write_bytes(pictures.encoded(large, "PNG"))
    assert read(jpeg, limits=limits, image_size=15)[1][0].pixels.shape == (15, 24, 3)
    for path in (progressive, png):
        with pytest.raises(MediaError, match=r"400 x 250 pixels, the limit is 0.01 million") as caught:
            read(path, limits=limits, image_size=32)
        assert (caught.value.code, caught.value.path) == (FailureCode.TOO_LARGE, path)
    with pytest.raises(MediaError, match="400 x 250 pixels"):  # cannot be decoded at a fraction: too large after all
        read(jpeg, limits=limits, image_size=200)
    jpeg.write_bytes(pictures.encoded(pictures.two_halves((401, 250)), "JPEG"))
    with pytest.raises(MediaError, match=r"401 x 250 pixels, the limit is 0.1 million"):
        read(jpeg, limits=limits, image_size=32)


def test_200_megapixels_of_a_phone_are_opened_without_touching_pillows_own_limit(tmp_path: Path) -> None:
    before = Image.MAX_IMAGE_PIXELS
    path = tmp_path / "phone.jpg"
    path.write_bytes(pictures.jpeg_of_size(16_320, 12_240))
    info, [picture] = read(path)
    assert (info.width, info.height, picture.pixels.shape) == (16_320, 12_240, (320, 427, 3))
    assert before == Image.MAX_IMAGE_PIXELS
    with pytest.raises(Image.DecompressionBombError):
        Image.open(path)


@pytest.mark.parametrize("layout", ["lossy", "lossless", "extended"])
def test_webp_is_measured_before_its_reader_takes_memory(tmp_path: Path, layout: str) -> None:
    path = tmp_path / "a.webp"
    options = {"extended": {"exif": Image.Exif()}}.get(layout, {"lossless": layout == "lossless"})
    path.write_bytes(pictures.encoded(pictures.two_halves((200, 100)), "WEBP", **options))
    assert read(path, limits=Limits(max_pixels=20_000))[0].width == 200
    with pytest.raises(MediaError, match="200 x 100 pixels"):
        read(path, limits=Limits(max_pixels=19_999))


@pytest.mark.parametrize(("format", "times"), [("GIF", [0, 200, 500, 700]), ("WEBP", [0, 200, 500, 700]), ("PNG", [0, 200, 500, 700])])
def test_animation_gives_four_frames_with_their_times(tmp_path: Path, format: str, times: list[int]) -> None:  # noqa: A002
    path = tmp_path / "a"
    pictures.animation(format)(path)
    ticks: list[int] = []
    with ImageFile(path, DecodeOptions()) as file:
        found = list(file.segments(lambda: ticks.append(1)))
        assert file.info.frames == 10
    assert [picture.segment for picture in found] == [Segment(Modality.IMAGE, 0, 0, at) for at in times]
    assert [round(picture.pixels[..., 0].mean() / 20) for picture in found] == [0, 2, 5, 7]
    assert len(ticks) == 8


def test_avif_sequence_gives_four_frames_with_their_times(tmp_path: Path) -> None:
    path = tmp_path / "a.avif"
    pictures.animation("AVIF", 3)(path)
    info, found = read(path)
    assert (info.frames, [picture.segment.frame_ms for picture in found]) == (3, [0, 100, 200])


def test_frames_of_no_length_still_differ_in_time(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    pictures.animation("GIF", 3, duration=0)(path)
    assert [picture.segment.frame_ms for picture in read(path)[1]] == [0, 1, 2]


def test_pages_are_numbered_and_each_is_shrunk_by_its_own_size(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    pages = [pictures.two_halves(size) for size in ((10, 10), (400, 200), (20, 30), (5, 5), (7, 7))]
    path.write_bytes(pictures.encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    info, found = read(path, image_size=100)
    assert (info.width, info.height, info.frames) == (10, 10, 5)
    assert [(picture.segment.frame_ms, picture.pixels.shape) for picture in found] == [
        (0, (10, 10, 3)),
        (1, (100, 200, 3)),
        (2, (30, 20, 3)),
        (3, (5, 5, 3)),
    ]


def test_second_picture_of_a_phones_jpeg_is_no_frame(tmp_path: Path) -> None:
    """Gain maps, depth and previews ride in the same file (MPO)."""
    path = tmp_path / "a.jpg"
    path.write_bytes(pictures.encoded(pictures.two_halves(), "MPO", save_all=True, append_images=[Image.new("RGB", (9, 9))]))
    info, found = read(path)
    assert (info.format, info.width, info.frames, len(found)) == ("jpeg", 64, None, 1)


def test_frames_before_the_damage_stand(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    pages = [pictures.two_halves((10, 10)), pictures.two_halves((300, 300))]
    path.write_bytes(pictures.encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    _, found = read(path, limits=Limits(max_pixels=1000))
    assert [picture.pixels.shape for picture in found] == [(10, 10, 3)]


def test_without_an_eye_nothing_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "cut.jpg"
    pictures.cut("JPEG", 0.5)(path)
    info, found = read(path, modalities=frozenset({Modality.AUDIO}))
    assert (info.width, info.height, found) == (128, 96, [])


def test_a_sound_is_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    av.wav(av.tone(0.1))(path)
    with pytest.raises(MediaError) as caught:
        read(path)
    assert caught.value.code is FailureCode.NOT_MEDIA


def test_tags_and_sidecar_reach_the_info(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[271], exif[272] = "Acme", "Acme One"
    path.write_bytes(pictures.encoded(pictures.two_halves(), "JPEG", exif=exif))
    sidecar = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    sidecar += '<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>'
    path.with_suffix(".xmp").write_text(sidecar)
    info, _ = read(path)
    assert (info.camera, info.rating) == ("Acme One", 4)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MemoryError(), FailureCode.MEMORY),
        (PermissionError(13, "no"), FailureCode.PERMISSION),
        (OSError("image file is truncated"), FailureCode.DAMAGED),
        (SyntaxError("Cannot handle 12-bit layers"), FailureCode.UNSUPPORTED),
        (NotImplementedError("Pixel format not supported"), FailureCode.UNSUPPORTED),
        (KeyError("x"), FailureCode.DAMAGED),
        (Image.DecompressionBombError("bomb"), FailureCode.TOO_LARGE),
    ],
)
def test_whatever_pillow_raises_leaves_as_one_error(error: Exception, code: FailureCode) -> None:
    with pytest.raises(MediaError) as caught, picture_errors(Path("a.jpg")):
        raise error
    assert (caught.value.code, caught.value.path) == (code, Path("a.jpg"))


def test_pillow_is_silenced_only_on_demand(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    pictures.broken_exif(path)
    log = logging.getLogger("PIL")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(MediaError):
            read(path)
        silence_pillow()
        assert len(read(path)[1]) == 1
        assert log.level == logging.CRITICAL
    log.setLevel(logging.NOTSET)
