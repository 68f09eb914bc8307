"""Adobe's XMP: the packet inside a picture, or a sidecar file beside it (ISO 16684-1)."""

from __future__ import annotations

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from ...types import Capture
from .dates import iso_date
from .places import xmp_place
from .tags import MediaTags, clean_text, clean_texts

__all__ = ["xmp_tags"]

_MAX_PACKET = 4 * 1024**2
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_XMP = "{http://ns.adobe.com/xap/1.0/}"
_EXIF = "{http://ns.adobe.com/exif/1.0/}"
_PHOTOSHOP = "{http://ns.adobe.com/photoshop/1.0/}"
_TIFF = "{http://ns.adobe.com/tiff/1.0/}"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_DATES = (f"{_EXIF}DateTimeOriginal", f"{_PHOTOSHOP}DateCreated", f"{_XMP}CreateDate")


def xmp_tags(packet: bytes | str) -> MediaTags:
    """The tags of a packet; none at all when it is too large, not XML, or XML with a document type or entities.

    Args:
        packet: The XML text. UTF-8 where it is bytes, unless it says otherwise itself.
    """
    properties = _properties(packet)
    dates = (iso_date(_first(properties.get(name))) for name in _DATES)
    taken = next((date for date in dates if date is not None), None)
    place = xmp_place(_first(properties.get(f"{_EXIF}GPSLatitude")), _first(properties.get(f"{_EXIF}GPSLongitude")))
    return MediaTags(
        capture=Capture(taken, "xmp") if taken else None,
        camera=clean_text(_first(properties.get(f"{_TIFF}Model"))),
        latitude=place[0] if place else None,
        longitude=place[1] if place else None,
        title=clean_text(_first(properties.get(f"{_DC}title"))),
        artist=clean_text(", ".join(clean_texts(properties.get(f"{_DC}creator", [])))),
        rating=_stars(_first(properties.get(f"{_XMP}Rating"))),
        keywords=clean_texts(properties.get(f"{_DC}subject", [])),
    )


def _properties(packet: bytes | str) -> dict[str, list[str]]:
    """The first value of each property: as an attribute, as an element's text, or as the items of its container."""
    found: dict[str, list[str]] = {}
    root = _parsed(packet)
    if root is None:
        return found
    for description in root.iter(f"{_RDF}Description"):
        for name, value in description.attrib.items():
            found.setdefault(name, [value])
        for child in description:
            values = [text for item in _items(child) if (text := item.text) and text.strip()]
            if values:
                found.setdefault(child.tag, values)
    return found


def _items(element: Element) -> Iterator[Element]:
    """The list items below a property, the default language first, or the property itself when it is a plain value."""
    items = [item for container in element for item in container if item.tag == f"{_RDF}li"]
    default = [item for item in items if item.get(_LANG) == "x-default"]
    yield from default
    yield from (item for item in items if item not in default)
    if not items:
        yield element


def _parsed(packet: bytes | str) -> Element | None:
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    if len(packet) > _MAX_PACKET:
        return None
    try:
        if isinstance(packet, bytes) and packet.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
            packet = packet.decode("utf-16")
        trimmed = packet.strip("\0\ufeff \r\n\t") if isinstance(packet, str) else packet.strip(b"\0 \r\n\t")
        root: Element = fromstring(trimmed, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        return None
    return root


def _first(values: list[str] | None) -> str | None:
    return values[0] if values else None


def _stars(text: str | None) -> int | None:
    """0 to 5; -1 means rejected, which is no number of stars."""
    try:
        rating = float(text) if text is not None else -1.0
    except ValueError:
        return None
    return round(rating) if 0 <= rating <= 5 else None
