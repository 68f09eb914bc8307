"""Pairs that a library holds already: each source by hand, with what is left out; and the demo media as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import ColourEncoder
from samples import write_picture, write_tone

from anyseek import Library
from anyseek.errors import BadInput
from anyseek.search.references import Reference
from anyseek.training.own_pairs import pairs_from
from anyseek.training.pairs import SOURCES, Pairs
from anyseek.training.resolving import resolve
from anyseek.types import Annotation, AnnotationType

KEYWORDS = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="{rating}">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:subject><rdf:Bag>{keywords}</rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>"""


def write_xmp(path: Path, title: str, *keywords: str, rating: int = 0) -> None:
    listed = "".join(f"<rdf:li>{keyword}</rdf:li>" for keyword in keywords)
    path.write_text(KEYWORDS.format(title=title, keywords=listed, rating=rating), encoding="utf-8")


@pytest.fixture
def media(tmp_path: Path) -> Path:
    media = tmp_path / "media"
    write_picture(media / "Sea trip" / "IMG_0001.png", "red")
    write_picture(media / "Sea trip" / "sunset.png", "green")
    write_picture(media / "copies" / "dusk.png", "green")
    write_tone(media / "low.wav", 200, seconds=9)
    return media


@pytest.fixture
def library(tmp_path: Path, media: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", encoder=ColourEncoder()) as library:
        yield library


def said(pairs: Pairs, media: Path) -> list[tuple[str, str, bool, int]]:
    def name(reference: Reference) -> str:
        return str(Reference(reference.path.relative_to(media), reference.start_ms, reference.end_ms))

    return sorted(
        (pair.query if isinstance(pair.query, str) else name(pair.query), name(pair.target), pair.positive, pair.grade) for pair in pairs
    )


def content_of(library: Library, path: Path) -> int:
    found = library.catalog.find_asset(path)
    assert found is not None
    assert found.content_id is not None
    return found.content_id


def test_filenames(library: Library, media: Path) -> None:
    """A content is called what any of its copies is; its target is the first of them."""
    library.index(media)
    assert said(pairs_from(library, ["filenames"]), media) == [
        ("copies", "Sea trip/sunset.png", True, 1),
        ("dusk", "Sea trip/sunset.png", True, 1),
        ("low", "low.wav", True, 1),
        ("sea trip", "Sea trip/IMG_0001.png", True, 1),
        ("sea trip", "Sea trip/sunset.png", True, 1),
        ("sunset", "Sea trip/sunset.png", True, 1),
    ]


def test_names_of_the_folders_that_are_scanned(library: Library, media: Path) -> None:
    """They tell files apart where there are several."""
    library.index(media / "Sea trip", media / "copies")
    found = {pair.query for pair in pairs_from(library, ["filenames"])}
    assert found == {"sea trip", "copies", "dusk", "sunset"}


def test_keywords_titles_and_stars(library: Library, media: Path) -> None:
    write_xmp(media / "Sea trip" / "IMG_0001.xmp", "Glimmer on its stand", "Glimmer", "lamp", "***", rating=4)
    for copy in ("Sea trip/sunset.xmp", "copies/dusk.xmp"):  # whichever of them is read first gives what both say
        write_xmp(media / copy, "DSC_0001", rating=1)
    library.index(media)
    red = "Sea trip/IMG_0001.png"
    found = pairs_from(library, ["keywords"])
    assert said(found, media) == [("Glimmer", red, True, 1), ("lamp", red, True, 1)]
    assert found.left_out == {"of texts without a letter": 1}
    titled = pairs_from(library, ["captions"], ratings=True)
    assert said(titled, media) == [("Glimmer on its stand", red, True, 4)]
    assert titled.left_out == {"of titles and notes that say nothing": 1}


def test_texts_beside_files(library: Library, media: Path) -> None:
    folder = media / "Sea trip"
    (folder / "IMG_0001.txt").write_text("A lamp.\n\n  a  glimmering lamp \nA lamp.\n", encoding="utf-8-sig")
    (folder / "img_0001.PNG.TXT").write_text("of the lamp\n" + "x" * 1001)
    (folder / "sunset.txt").write_bytes(b"\xff\xfe nothing")
    (media / "low.wav.txt").write_text("\n".join(f"line {number}" for number in range(21)))
    (media / "notes.txt").write_text("beside nothing")
    (media / "copies" / "dusk.txt").write_text("beside the copy")
    library.index(media)
    found = pairs_from(library, ["captions"])
    assert said(found, media) == [
        ("A lamp.", "Sea trip/IMG_0001.png", True, 1),
        ("a glimmering lamp", "Sea trip/IMG_0001.png", True, 1),
        ("beside the copy", "Sea trip/sunset.png", True, 1),
        ("of the lamp", "Sea trip/IMG_0001.png", True, 1),
    ]
    assert found.left_out == {
        "of texts of more than 1,000 characters": 1,
        "of files with a text beside them of more than 20 lines, which is no caption": 1,
        "of files with a text beside them that cannot be read or is not in UTF-8": 1,
    }


def test_captions_and_tags_of_the_library(library: Library, media: Path) -> None:
    """What anyseek tagged by itself says what the model says already."""
    library.index(media)
    low, red = content_of(library, media / "low.wav"), content_of(library, media / "Sea trip" / "IMG_0001.png")
    tag, caption, tagged = AnnotationType.TAG, AnnotationType.CAPTION, AnnotationType.TAGGED
    with library.catalog.transaction() as writer:
        writer.replace_annotations(caption, "me", {low: [Annotation(caption, "me", "a hum", 3000, 6000)]})
        writer.replace_annotations(tag, "me", {low: [Annotation(tag, "me", "humming")], red: [Annotation(tag, "me", "Glimmer")]})
        writer.replace_annotations(tag, "builtin/colour", {red: [Annotation(tag, "builtin/colour", "red", confidence=0.9)]})
        writer.replace_annotations(tagged, "builtin/colour", {red: [Annotation(tagged, "builtin/colour", "digest 1")]})
    library.set_metadata(media / "Sea trip" / "IMG_0001.png", {"product": "Glimmer Mini", "number": 7, "code": "X-200"})
    assert said(pairs_from(library, ["captions"]), media) == [("a hum", "low.wav@0:03.000-0:06.000", True, 1)]
    found = pairs_from(library, ["annotations"])
    assert said(found, media) == [
        ("Glimmer", "Sea trip/IMG_0001.png", True, 1),
        ("Glimmer Mini", "Sea trip/IMG_0001.png", True, 1),
        ("humming", "low.wav", True, 1),
    ]
    assert found.left_out == {"of tags that anyseek gave by itself": 1, "of titles and notes that say nothing": 1}


def test_feedback(library: Library, media: Path) -> None:
    """What was said last holds, in whichever session; to open a hit takes nothing back."""
    library.index(media)
    library.enable_feedback()
    red, green, low = media / "Sea trip" / "IMG_0001.png", media / "Sea trip" / "sunset.png", media / "low.wav"
    library.record_feedback("glimmer", red, "liked")
    library.record_feedback("glimmer", red, "opened", session="later")
    library.record_feedback("glimmer", green, "liked")
    library.record_feedback("glimmer", green, "rejected", session="later")
    library.record_feedback("glimmer", low, "opened", 3000, 6000)
    library.record_feedback(Reference(low), red, "rejected")
    found = pairs_from(library, ["feedback"])
    assert said(found, media) == [
        ("glimmer", "Sea trip/IMG_0001.png", True, 2),
        ("glimmer", "Sea trip/sunset.png", False, 2),
        ("glimmer", "low.wav@0:03.000-0:06.000", True, 1),
        ("low.wav", "Sea trip/IMG_0001.png", False, 2),
    ]
    assert found.left_out == {}
    red.unlink()
    library.index(media)
    assert pairs_from(library, ["feedback"]).left_out == {"of feedback on files that are gone": 3}


def test_what_most_files_are_called_says_nothing(library: Library, media: Path, tmp_path: Path) -> None:
    for number in range(8):
        write_picture(media / "Shop" / f"item{number}.png", "blue", (32, 24 + number))
    library.index(media)
    found = pairs_from(library, ["filenames"])
    assert {pair.query for pair in found} == {"copies", "dusk", "low", "sea trip", "sunset"}
    assert found.left_out == {"with a text that most files have": 16}
    assert len(pairs_from(library, ["filenames"], most_share=1)) == 6 + 16
    assert len(pairs_from(library, ["filenames"], most_share=0.1)) == 4


def test_sources_together(library: Library, media: Path) -> None:
    """What is believed first comes first, however sources are named; an unknown one is refused."""
    (media / "low.txt").write_text("Low")
    library.index(media)
    found = pairs_from(library, ["filenames", "captions"])
    assert [pair.source for pair in found] == ["captions", *["filenames"] * 6]
    assert len(pairs_from(library, SOURCES)) == 7
    examples = resolve(library, library.catalog.spaces("serving")[0], found)
    assert len(examples) == 6
    assert examples.left_out == {"that were there already": 1}
    with pytest.raises(BadInput, match="pairs cannot be taken from 'names': use annotations, captions, feedback, filenames, keywords"):
        pairs_from(library, ["names"])


def test_an_empty_library(library: Library) -> None:
    assert not pairs_from(library, SOURCES)


def test_the_demo_media(tmp_path: Path, demo: Path) -> None:
    """Their names, as they are, in the space that every new library has."""
    with Library.open(tmp_path / "demo", encoder="starter") as library:
        library.index(demo)
        found = pairs_from(library, SOURCES)
        counts = Counter(pair.query for pair in found)
        assert counts == {
            "holiday": 20,
            "zoo": 18,
            "farm": 8,
            "nature": 8,
            **dict.fromkeys(("alps", "band practice", "bunny", "chelsea", "city trip", "egypt", "morning", "rome"), 1),
        }
        examples = resolve(library, library.catalog.spaces("serving")[0], found)
        assert {query.label for query in examples.queries} == set(counts)
        assert len(examples) == 64  # two of the films are seen and heard
        silent = {"photos": 18, "sounds": 18, "films": 3}
        assert examples.left_out == {"of files whose names say nothing": sum(silent.values())}
