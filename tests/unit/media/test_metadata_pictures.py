"""EXIF, XMP, IPTC and PNG texts, written by Pillow or byte by byte and read back."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from pathlib import Path

import pytest
from odd_files.pictures import encoded, png_chunks, two_halves
from PIL import Image, PngImagePlugin
from PIL.TiffImagePlugin import IFDRational

from anyseek.media.metadata import MediaTags, image_metadata, sidecar_metadata, with_sidecar
from anyseek.media.metadata.exif import camera_name, exif_orientation
from anyseek.media.metadata.iptc import parse_iim
from anyseek.media.metadata.xmp import xmp_tags
from anyseek.types import Capture

TAKEN = datetime(2024, 5, 17, 14, 30, 21, tzinfo=timezone(timedelta(hours=2)))

XMP = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
 xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/">
<rdf:Description rdf:about="" xmp:Rating="4" photoshop:DateCreated="2023-01-02T03:04:05" tiff:Model="One"
 exif:GPSLatitude="48,51.462N" exif:GPSLongitude="2,17.7E">
<dc:subject><rdf:Bag><rdf:li>dog</rdf:li><rdf:li>beach &amp; sea</rdf:li><rdf:li>Dog</rdf:li></rdf:Bag></dc:subject>
<dc:title><rdf:Alt><rdf:li xml:lang="de">Hund</rdf:li><rdf:li xml:lang="x-default">A dog</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>Ann</rdf:li><rdf:li>Bob</rdf:li></rdf:Seq></dc:creator>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""
XMP_TAGS = MediaTags(
    capture=Capture(datetime(2023, 1, 2, 3, 4, 5), "xmp"),
    camera="One",
    latitude=48.8577,
    longitude=2.295,
    title="A dog",
    artist="Ann, Bob",
    rating=4,
    keywords=("dog", "beach & sea"),
)


def full_exif() -> Image.Exif:
    exif = Image.Exif()
    exif[271], exif[272], exif[315], exif[18246] = "NIKON CORPORATION", "NIKON D850", "Ann\0", 3
    exif[306] = "2026:01:01 00:00:00"
    exif[40091], exif[40094] = "A title".encode("utf-16-le"), "dog;sea; dog\0".encode("utf-16-le")
    exif.get_ifd(34665).update({36867: "2024:05:17 14:30:21", 36881: "+02:00", 36868: "2025:01:01 00:00:00"})
    degrees = (IFDRational(48), IFDRational(51), IFDRational(2772, 100)), (IFDRational(2), IFDRational(17), IFDRational(42))
    exif.get_ifd(34853).update({1: "N", 2: degrees[0], 3: "E", 4: degrees[1]})
    return exif


EXIF_TAGS = MediaTags(
    capture=Capture(TAKEN, "exif"),
    camera="NIKON D850",
    latitude=48.8577,
    longitude=2.295,
    title="A title",
    artist="Ann",
    rating=3,
    keywords=("dog", "sea"),
)


def tags_of(data: bytes, *, load: bool = False) -> MediaTags:
    with Image.open(BytesIO(data)) as image:
        if load:
            image.load()
        return image_metadata(image)


def iim(*records: tuple[int, int, bytes]) -> bytes:
    return b"".join(struct.pack(">BBBH", 0x1C, record, number, len(value)) + value for record, number, value in records)


def jpeg_with_iim(data: bytes) -> bytes:
    block = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(data)) + data
    jpeg = encoded(two_halves(), "JPEG")
    return jpeg[:2] + struct.pack(">HH", 0xFFED, len(block) + 2) + block + jpeg[2:]


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_exif_is_read_from_every_format(format: str) -> None:  # noqa: A002
    assert tags_of(encoded(two_halves(), format, exif=full_exif().tobytes())) == EXIF_TAGS


def test_exif_is_read_from_heic() -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()
    assert tags_of(encoded(two_halves(), "HEIF", exif=full_exif())) == EXIF_TAGS


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_xmp_is_read_from_every_format(format: str) -> None:  # noqa: A002
    if format == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", XMP)
        options: dict[str, object] = {"pnginfo": info}
    else:
        options = {"tiffinfo": {700: XMP.encode()}} if format == "TIFF" else {"xmp": XMP.encode()}
    assert tags_of(encoded(two_halves(), format, **options)) == XMP_TAGS


def test_exif_comes_before_xmp_before_iptc_and_keywords_are_joined() -> None:
    exif = Image.Exif()
    exif[272] = "Two"
    exif[306] = "2026:01:01 00:00:00"
    records = iim((2, 5, b"IPTC title"), (2, 25, b"beach & sea"), (2, 25, b"holiday"), (2, 55, b"20220101"))
    jpeg = encoded(two_halves(), "JPEG", exif=exif, xmp=XMP.encode())
    photoshop = jpeg_with_iim(records)
    both = jpeg[:2] + photoshop[2 : 4 + int.from_bytes(photoshop[4:6], "big")] + jpeg[2:]
    found = tags_of(both)
    assert found.capture == XMP_TAGS.capture
    assert (found.camera, found.title, found.keywords) == ("Two", "A dog", ("dog", "beach & sea", "holiday"))


def test_date_of_last_change_counts_only_when_nothing_else_is_known() -> None:
    exif = Image.Exif()
    exif[306] = "2024:05:17 14:30:21"
    assert tags_of(encoded(two_halves(), "JPEG", exif=exif)) == MediaTags(capture=Capture(datetime(2024, 5, 17, 14, 30, 21), "exif"))


def test_satellite_time_serves_where_the_camera_has_no_clock() -> None:
    exif = Image.Exif()
    exif.get_ifd(34853).update({29: "2024:05:17", 7: (IFDRational(12), IFDRational(30), IFDRational(21))})
    found = tags_of(encoded(two_halves(), "JPEG", exif=exif))
    assert found.capture == Capture(datetime(2024, 5, 17, 12, 30, 21, tzinfo=UTC), "exif")


def test_fraction_of_the_second_and_digitized_date() -> None:
    exif = Image.Exif()
    exif.get_ifd(34665).update({36867: "0000:00:00 00:00:00", 36868: "2024:05:17 14:30:21", 37522: "25"})
    found = tags_of(encoded(two_halves(), "JPEG", exif=exif))
    assert found.capture == Capture(datetime(2024, 5, 17, 14, 30, 21, 250_000), "exif")


def test_impossible_exif_values_count_as_absent() -> None:
    exif = Image.Exif()
    exif[18246], exif[271], exif[272] = 99, " \0", "\0\0"
    exif.get_ifd(34853).update({1: "N", 2: (IFDRational(0, 0),) * 3, 3: "E", 4: (IFDRational(2),) * 3})
    assert tags_of(encoded(two_halves(), "JPEG", exif=exif)) == MediaTags()


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0",
        b"Exif\0\0MM\0*",
        b"Exif\0\0MM\0*\0\0\0\x08",
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01",
        b"Exif\0\0XXXXXXXXXXXXXXXXXX",
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\xff\xff\xff\x7f\0\0\0\0",  # the EXIF directory lies nowhere
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x25\x88\x02\0\x02\0\0\0A\0\0\0\0\0\0\0",  # the GPS directory is a text
    ],
)
def test_malformed_exif_counts_as_absent(exif: bytes) -> None:
    image = Image.new("RGB", (1, 1))
    image.info["exif"] = exif
    assert image_metadata(image) == MediaTags()
    assert exif_orientation(image) == 1


@pytest.mark.parametrize(("value", "orientation"), [(1, 1), (8, 8), (0, 1), (9, 1), (65535, 1)])
def test_orientation_is_one_to_eight(value: int, orientation: int) -> None:
    image = Image.new("RGB", (1, 1))
    exif = Image.Exif()
    exif[274] = value
    image.info["exif"] = exif.tobytes()
    assert exif_orientation(image) == orientation


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("Canon", "Canon EOS R5", "Canon EOS R5"),
        ("NIKON CORPORATION", "NIKON D850", "NIKON D850"),
        ("OLYMPUS IMAGING CORP.", "E-M10", "OLYMPUS E-M10"),
        ("SONY", "ILCE-7M3", "SONY ILCE-7M3"),
        ("Apple", "iPhone 15 Pro", "Apple iPhone 15 Pro"),
        ("EASTMAN KODAK COMPANY", "KODAK Z740", "EASTMAN KODAK KODAK Z740"),
        ("samsung", None, "samsung"),
        (None, "One", "One"),
        (None, None, None),
        (7, b"x", None),
    ],
)
def test_camera_names_the_make_once(make: object, model: object, camera: str | None) -> None:
    assert camera_name(make, model) == camera


def test_xmp_may_be_plain_elements_and_many_descriptions() -> None:
    packet = XMP.replace('xmp:Rating="4"', "").replace(
        "</rdf:Description>",
        "<xmp:Rating>2</xmp:Rating></rdf:Description><rdf:Description><xmp:CreateDate>2020-01-01</xmp:CreateDate></rdf:Description>",
    )
    assert xmp_tags(packet).rating == 2
    assert xmp_tags(packet.replace('photoshop:DateCreated="2023-01-02T03:04:05"', "")).capture == Capture(datetime(2020, 1, 1), "xmp")


@pytest.mark.parametrize(
    ("rating", "stars"), [("5", 5), ("0", 0), ("3.0", 3), ("-1", None), ("6", None), ("many", None), ("nan", None), ("", None)]
)
def test_xmp_ratings(rating: str, stars: int | None) -> None:
    assert xmp_tags(XMP.replace('xmp:Rating="4"', f'xmp:Rating="{rating}"')).rating == stars


def test_xmp_of_another_encoding_and_with_padding() -> None:
    assert xmp_tags(XMP.encode("utf-16")) == XMP_TAGS
    assert xmp_tags(XMP.encode() + b"\0" * 100 + b"\n") == XMP_TAGS


@pytest.mark.parametrize(
    "packet",
    [
        "",
        b"",
        "<x",
        b"\xff\xfe\xfd",
        "<a/>",
        '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><x>&b;</x>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
        '<!DOCTYPE x SYSTEM "http://192.0.2.1/x.dtd"><x/>',
        b"<?xml version='1.0' encoding='no-such-code'?><x/>",
        "<a>" * 50_000 + "</a>" * 50_000,
        "<a>" + " " * 5_000_000 + "</a>",
    ],
)
def test_hostile_or_broken_xmp_says_nothing(packet: str | bytes) -> None:
    assert xmp_tags(packet) == MediaTags()


def test_iptc_records_of_a_jpeg() -> None:
    records = iim(
        (1, 90, b"\x1b%G"),
        (2, 5, "Möwe".encode()),
        (2, 25, b"bird"),
        (2, 25, "Öse".encode()),
        (2, 25, b"Bird"),
        (2, 55, b"20240517"),
        (2, 60, b"143021+0200"),
        (2, 80, b"Ann"),
    )
    assert tags_of(jpeg_with_iim(records)) == MediaTags(capture=Capture(TAKEN, "tag"), title="Möwe", artist="Ann", keywords=("bird", "Öse"))


def test_iptc_records_of_a_tiff() -> None:
    records = iim((2, 25, b"bird"), (2, 25, b"sea"))
    records += b"\0" * (-len(records) % 4)
    as_bytes = encoded(two_halves(), "TIFF", tiffinfo={33723: records})
    assert tags_of(as_bytes) == MediaTags(keywords=("bird", "sea"))


def test_iptc_texts_without_a_mark_are_utf8_if_they_can_be_else_latin_1() -> None:
    assert parse_iim(iim((2, 25, "Öse".encode()), (2, 25, "Öl".encode("latin-1")))).keywords == ("Öse", "Öl")


@pytest.mark.parametrize("data", [b"", b"\x1c", b"\x1c\x02\x19\x00\x10short", b"\x1c\x02\x19\x80\x04\0\0\0\1a", b"junk"])
def test_malformed_iptc_counts_as_absent(data: bytes) -> None:
    assert parse_iim(data) == MediaTags()
    assert parse_iim(iim((2, 25, b"bird")) + data).keywords == ("bird",)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Fri, 17 May 2024 14:30:21 +0200", TAKEN),
        ("2024-05-17T14:30:21+02:00", TAKEN),
        ("2024:05:17 14:30:21", datetime(2024, 5, 17, 14, 30, 21)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
        ("long ago", None),
    ],
)
def test_png_texts(text: str, moment: datetime | None) -> None:
    info = PngImagePlugin.PngInfo()
    for name, value in (("Creation Time", text), ("Title", "A title"), ("Author", "Ann")):
        info.add_text(name, value)
    capture = Capture(moment, "tag") if moment else None
    assert tags_of(encoded(two_halves(), "PNG", pnginfo=info)) == MediaTags(capture=capture, title="A title", artist="Ann")


def test_png_texts_behind_the_pixels_are_there_once_it_is_loaded() -> None:
    data = encoded(two_halves(), "PNG")
    late = data[:-12] + png_chunks((b"tEXt", b"Title\0late"))[8:] + data[-12:]
    assert tags_of(late) == MediaTags()
    assert tags_of(late, load=True) == MediaTags(title="late")


@pytest.mark.parametrize("name", ["photo.jpg.xmp", "photo.xmp"])
def test_sidecars_of_both_fashions(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(XMP)
    assert sidecar_metadata(tmp_path / "photo.jpg") == XMP_TAGS
    assert sidecar_metadata(tmp_path / "other.jpg") == MediaTags()


def test_sidecar_wins_for_what_a_person_decides_and_not_for_what_the_camera_knew(tmp_path: Path) -> None:
    (tmp_path / "photo.xmp").write_text(XMP)
    found = with_sidecar(tmp_path / "photo.jpg", EXIF_TAGS)
    assert (found.title, found.rating, found.keywords) == ("A dog", 4, ("dog", "sea", "beach & sea"))
    assert (found.capture, found.camera, found.artist) == (EXIF_TAGS.capture, "NIKON D850", "Ann")


def test_sidecars_that_cannot_be_read_say_nothing(tmp_path: Path) -> None:
    (tmp_path / "photo.xmp").mkdir()
    (tmp_path / "photo.jpg.xmp").write_bytes(b"<" * 5_000_000)
    assert sidecar_metadata(tmp_path / "photo.jpg") == MediaTags()
    assert sidecar_metadata(tmp_path / ("x" * 255)) == MediaTags()
