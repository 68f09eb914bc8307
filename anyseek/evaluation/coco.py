"""Captions in the format of COCO: each caption is a text that asks for its picture.

The format is that of ``captions_val2017.json`` (X. Chen et al., *Microsoft COCO Captions*, 2015), as many collections of captions for
pictures, sounds and films have it. Licences, sizes and whatever else there is beside file names and captions is passed over.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from ..types import Kind
from .fields import Fields
from .judged import JudgedQuery, RightAnswer

__all__ = ["is_coco", "read_coco"]


def is_coco(document: Fields) -> bool:
    """Whether a document looks like one."""
    return document.has("images") and document.has("annotations")


def read_coco(document: Fields) -> list[JudgedQuery]:
    """Read a document ``{"images": [{"id", "file_name"}], "annotations": [{"image_id", "caption", "id"?}]}``.

    Raises:
        BadInput: Something in it is wrong; names the caption.
    """
    files: dict[int, str] = {}
    for number, value in enumerate(document.items("images"), 1):
        image = Fields(value, f"{document.name}: image {number}")
        of = image.whole("id", 0)
        if of in files:
            raise document.wrong(f"two images have the id {of}")
        files[of] = image.text("file_name")
    queries: dict[str, JudgedQuery] = {}
    for number, value in enumerate(document.items("annotations"), 1):
        annotation = Fields(value, f"{document.name}: annotation {number}")
        name = f"caption-{annotation.whole('id', 0, number)}"
        annotation.name = f"{document.name}: query {name!r}"
        of = annotation.whole("image_id", 0)
        if of not in files:
            raise annotation.wrong(f"there is no image {of}")
        if name in queries:
            raise annotation.wrong("two annotations have that id")
        queries[name] = JudgedQuery(name, _kind_of(files[of]), (RightAnswer(files[of]),), text=(annotation.text("caption"),))
    return list(queries.values())


def _kind_of(file_name: str) -> str:
    from ..media.kinds import kind_by_suffix

    return (kind_by_suffix(PurePosixPath(file_name).name) or Kind.IMAGE).value
