"""What a file says about itself: EXIF, XMP, IPTC, PNG texts, container and audio tags, sidecars.

Nothing here raises over a malformed tag: it counts as absent, since a picture is worth more than its label.
"""

from .container import av_metadata
from .picture import image_metadata
from .sidecar import sidecar_metadata, with_sidecar
from .tags import MediaTags, merge

__all__ = ["MediaTags", "av_metadata", "image_metadata", "merge", "sidecar_metadata", "with_sidecar"]
