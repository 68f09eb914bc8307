"""The table itself."""

from __future__ import annotations

import os
import random
from pathlib import Path

from PIL import Image

from anyseek.errors import FailureCode
from anyseek.types import Kind
from odd_files import names, pictures
from odd_files import sound_and_film as av
from odd_files.pictures import animation, encoded, saved, turned, written
from odd_files.table import OddFile, failed, indexed, skipped

__all__ = ["ODD_FILES", "plant"]

IMAGE, AUDIO, VIDEO = indexed(Kind.IMAGE), indexed(Kind.AUDIO), indexed(Kind.VIDEO)
NOT_MEDIA, DAMAGED, TOO_LARGE = failed(FailureCode.NOT_MEDIA), failed(FailureCode.DAMAGED), failed(FailureCode.TOO_LARGE)
UNSUPPORTED, NO_CONTENT = failed(FailureCode.UNSUPPORTED), failed(FailureCode.NO_CONTENT)

_NOISE = random.Random(7).randbytes(20_000)
_PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nplain.wav\n#EXT-X-ENDLIST\n"
_AT_TENTHS = [number / 10 for number in range(30)]
_UNEVEN = [0, 0.03, 0.06, 0.1, 0.9, 1.8, 2.0, 2.03, 2.06, 3.0]

_NO_MEDIA_AT_ALL = [
    OddFile("zero.jpg", written(b""), failed(FailureCode.EMPTY)),
    OddFile("zero.mp4", written(b""), failed(FailureCode.EMPTY)),
    OddFile("random.jpg", written(_NOISE), NOT_MEDIA),
    OddFile("random.mp3", written(_NOISE[::-1]), NOT_MEDIA),
    OddFile("text.jpg", written(b"Dear diary,\ntoday I renamed a file.\n"), NOT_MEDIA),
    OddFile("text.mp4", written(b"Dear diary,\ntoday I renamed another.\n" * 200), NOT_MEDIA),
    OddFile("text.mp3", written("Liebes Tagebuch, heute in UTF-16.\n".encode("utf-16")), NOT_MEDIA),
    OddFile("program.ts", written(b"export const answer: number = 42;\n"), NOT_MEDIA),
    OddFile("page.png", written(b"<!doctype html><title>404</title>"), NOT_MEDIA),
    OddFile("drawing.png", written(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), UNSUPPORTED),
    OddFile("document.jpg", written(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), NOT_MEDIA),
    OddFile("archive.png", written(b"PK\x03\x04" + b"\0" * 40), NOT_MEDIA),
    OddFile("next.jpg", written(b"\xff\x0a" + _NOISE[:500]), UNSUPPORTED),
    OddFile("playlist.mp4", written(_PLAYLIST), NOT_MEDIA),
    OddFile("remote.mp4", written(_PLAYLIST.replace(b"plain.wav", b"http://192.0.2.1/a.ts")), NOT_MEDIA),
    OddFile("concat.mp4", written(b"ffconcat version 1.0\nfile plain.wav\n"), NOT_MEDIA),
    OddFile("stations.mp3", written(b"[playlist]\nFile1=plain.wav\nNumberOfEntries=1\n"), NOT_MEDIA),
    OddFile("tagged playlist.mp3", av.playlist_behind_id3, DAMAGED),
    OddFile("notes.txt", written(b"no media by name either"), skipped("not media")),
]
_PICTURES = [
    OddFile("cut.jpg", pictures.cut("JPEG", 0.5), DAMAGED),
    OddFile("cut.png", pictures.cut("PNG", 0.5), DAMAGED),
    OddFile("cut.webp", pictures.cut("WEBP", 0.5), DAMAGED),
    OddFile("cut.avif", pictures.cut("AVIF", 0.5), DAMAGED),
    OddFile("cut header.jpg", written(b"\xff\xd8\xff\xe0\0\x10JFIF"), DAMAGED),
    OddFile("cut header.png", written(b"\x89PNG\r\n\x1a\n\0\0"), DAMAGED),
    OddFile("cut.gif", pictures.cut_animation, IMAGE),
    OddFile("png.jpg", saved("PNG"), IMAGE),
    OddFile("jpeg.png", saved("JPEG", quality=91), IMAGE),
    OddFile("picture.mp3", saved("BMP"), IMAGE),
    OddFile("bomb.png", pictures.png_bomb, TOO_LARGE),
    OddFile("text bomb.png", pictures.png_text_bomb, TOO_LARGE),
    OddFile("4 gigapixels.jpg", written(pictures.jpeg_of_size(65_500, 65_500)), TOO_LARGE),
    OddFile("16000 x 16000.webp", written(pictures.webp_of_size(16_000, 16_000)), TOO_LARGE),
    OddFile("200 megapixels, mostly missing.jpg", written(pictures.jpeg_of_size(16_320, 12_240)), IMAGE),
    OddFile("no height.jpg", written(pictures.jpeg_of_size(64, 0)), DAMAGED),
    OddFile("entities.jpg", pictures.entity_bomb, IMAGE),
    OddFile("broken exif.jpg", pictures.broken_exif, IMAGE),
    OddFile("trailing.jpg", lambda path: path.write_bytes(encoded(pictures.two_halves(), "JPEG", quality=92) + _NOISE) and None, IMAGE),
    OddFile("cmyk.jpg", saved("JPEG", "CMYK", quality=100), IMAGE),
    OddFile("progressive.jpg", saved("JPEG", progressive=True), IMAGE),
    OddFile("grey 16.png", pictures.grey16("PNG"), IMAGE),
    OddFile("grey 16.tif", pictures.grey16("TIFF"), IMAGE),
    OddFile("floats.tif", pictures.grey_floats, IMAGE),
    OddFile("lab.tif", pictures.lab, IMAGE),
    OddFile("bits.png", saved("PNG", "1"), IMAGE),
    OddFile("palette with alpha.png", pictures.see_through("P"), IMAGE),
    OddFile("alpha.png", pictures.see_through("RGBA"), IMAGE),
    OddFile("grey with alpha.png", pictures.see_through("LA"), IMAGE),
    *(OddFile(f"orientation {number}.jpg", turned(number), IMAGE) for number in range(1, 9)),
    OddFile("orientation 6.tif", turned(6, "TIFF"), IMAGE),
    OddFile("orientation 6.avif", turned(6, "AVIF"), IMAGE),
    OddFile("turned.heic", lambda path: pictures.heic(path, 6), IMAGE),
    OddFile("p3.tif", pictures.profiled(pictures.display_p3()), IMAGE),
    OddFile("press.tif", pictures.profiled(pictures.grey_ink_profile(), (255, 0, 0, 0), "CMYK"), IMAGE),
    OddFile("broken profile.tif", pictures.profiled(b"this is no profile"), IMAGE),
    OddFile("1 x 1.png", lambda path: Image.new("RGB", (1, 1), pictures.RED).save(path), IMAGE),
    OddFile("8000 x 1.png", lambda path: pictures.two_halves((8000, 1)).save(path), IMAGE),
    OddFile("1 x 8000.png", lambda path: pictures.two_halves((8000, 1)).rotate(90, expand=True).save(path), IMAGE),
    OddFile("pages.tif", animation("TIFF", 6), indexed(Kind.IMAGE, 4)),
    OddFile("animated.gif", animation("GIF"), indexed(Kind.IMAGE, 4)),
    OddFile("animated.webp", animation("WEBP"), indexed(Kind.IMAGE, 4)),
    OddFile("animated.png", animation("PNG"), indexed(Kind.IMAGE, 4)),
    OddFile("animated.avif", animation("AVIF"), indexed(Kind.IMAGE, 4)),
    OddFile("still.jp2", saved("JPEG2000"), IMAGE),
    OddFile("raw.tif", pictures.raw_photo, UNSUPPORTED),
]
_SOUNDS = [
    OddFile("plain.wav", av.wav(av.tone(2.0)), AUDIO),
    OddFile("8 bits.wav", av.wav(av.tone(1.0), 8), AUDIO),
    OddFile("24 bits.wav", av.wav(av.tone(1.0), 24), AUDIO),
    OddFile("floats.wav", av.wav(av.tone(1.5), 32), AUDIO),
    OddFile("nan.wav", av.wav(av.with_nan(), 32), AUDIO),
    OddFile("silent.wav", av.wav(0 * av.tone(2.0)), NO_CONTENT),
    OddFile("one sample.wav", av.wav(av.tone(1.0)[10:11]), AUDIO),
    OddFile("no samples.wav", av.wav(av.tone(0.0)), NO_CONTENT),
    OddFile("cut.flac", av.cut(av.sounding(codec="flac", format="flac", seconds=8.0), 0.5), AUDIO),
    OddFile("changing.mp3", av.changing_mp3, AUDIO),
    OddFile("mp3.mp4", av.sounding(codec="libmp3lame", format="mp3", rate=44_100), AUDIO),
    OddFile("sound only.mp4", av.sounding(codec="aac", format="mp4", rate=44_100), AUDIO),
    OddFile("sound only.webm", av.sounding(codec="libopus", format="webm", rate=48_000), AUDIO),
]
_FILMS = [
    OddFile("film without sound.mp4", av.filmed(), VIDEO),
    OddFile("film with sound.mp4", av.filmed(sound_codec="aac"), indexed(Kind.VIDEO, 2)),
    OddFile("film.mp3", av.filmed(at=_AT_TENTHS[:20]), VIDEO),
    OddFile("one frame.mp4", av.filmed(at=[0.0]), VIDEO),
    OddFile("uneven.mp4", av.filmed(at=_UNEVEN), VIDEO),
    OddFile("rotated.mp4", av.rotated_film, VIDEO),
    OddFile("10 bits.mp4", av.filmed(pixels="yuv420p10le"), VIDEO),
    OddFile("321 x 241.mp4", av.filmed(size=(321, 241), pixels="yuv444p", at=_AT_TENTHS[:12]), VIDEO),
    OddFile("vp9.webm", av.filmed(codec="libvpx-vp9", format="webm", at=_AT_TENTHS[:12]), VIDEO),
    OddFile("av1.mkv", av.filmed(codec="libsvtav1", format="matroska", size=(64, 64), at=_AT_TENTHS[:12]), VIDEO),
    OddFile("late start.ts", av.filmed(format="mpegts", options={"output_ts_offset": "10"}), VIDEO),
    OddFile("program stream.mpg", av.filmed(codec="mpeg2video", format="mpeg", pixels="yuv420p"), VIDEO),
    OddFile("cut.mp4", av.cut(av.filmed(options={"movflags": "faststart"}, at=[n / 10 for n in range(100)]), 0.7), VIDEO),
    OddFile("no index.mp4", av.cut(av.filmed(), 0.5), DAMAGED),
    OddFile("corrupt.mp4", av.corrupt_film, VIDEO),
]
_NAMES_AND_PLACES = [
    OddFile("na\u00efve \u732b \U0001f408.png", names.picture, IMAGE),
    OddFile("two\nlines.png", names.picture, IMAGE, where_possible=True),
    OddFile(os.fsdecode(b"latin-1 caf\xe9.png"), names.picture, IMAGE, where_possible=True),
    OddFile("x" * 251 + ".png", names.picture, IMAGE, where_possible=True),
    OddFile("-rf.png", names.picture, IMAGE),
    OddFile("100%_[a]*'quoted'.png", names.picture, IMAGE, where_possible=True),
    OddFile("SHOUTING.PNG", names.picture, IMAGE),
    OddFile(".hidden.png", names.picture, skipped("hidden")),
    OddFile("._resource fork.png", names.picture, skipped("junk")),
    OddFile("folder.jpg/inside.png", names.picture, IMAGE),
    OddFile("locked.png", names.unreadable, IMAGE if names.reads_everything() else failed(FailureCode.PERMISSION), where_possible=True),
    OddFile("pipe.mp4", names.pipe, skipped("special file"), where_possible=True),
    OddFile("broken link.png", names.broken_link, failed(FailureCode.VANISHED), where_possible=True),
    OddFile("link to itself.png", names.self_link, failed(FailureCode.READ_ERROR), where_possible=True),
    OddFile("folder loop", names.folder_loop, skipped("link to what is seen anyway"), where_possible=True),
]

ODD_FILES: list[OddFile] = [*_NO_MEDIA_AT_ALL, *_PICTURES, *_SOUNDS, *_FILMS, *_NAMES_AND_PLACES]


def plant(folder: Path) -> list[OddFile]:
    """Write the files into a folder.

    Returns:
        Those that this system can hold.
    """
    planted = []
    for file in ODD_FILES:
        path = folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            file.make(path)
        except (OSError, AttributeError):
            if not file.where_possible:
                raise
        else:
            planted.append(file)
    return planted
