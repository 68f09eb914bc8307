"""The door: any local file by its content, and never another file or an address that it names."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import av
import pytest
from films import film, sound, tone
from PIL import Image

from anyseek.errors import FailureCode, MediaError
from anyseek.media.containers import open_container
from anyseek.media.open import open_media
from anyseek.media.protocol import DecodeOptions
from anyseek.types import Kind


def test_content_decides_and_the_name_does_not(tmp_path: Path) -> None:
    made = {
        Kind.IMAGE: tmp_path / "picture.mp3",
        Kind.AUDIO: tmp_path / "sound.jpg",
        Kind.VIDEO: tmp_path / "film.txt",
    }
    Image.new("RGB", (8, 8)).save(made[Kind.IMAGE], "PNG")
    sound(tmp_path / "s.wav", tone(1)[None]).rename(made[Kind.AUDIO])
    film(tmp_path / "f.mp4", at=[0.0, 0.1]).rename(made[Kind.VIDEO])
    for kind, path in made.items():
        with open_media(path, DecodeOptions()) as file:
            assert file.info.kind is kind
            assert list(file.segments())


SCRIPTS = {
    "concat": "ffconcat version 1.0\nfile inner.ts\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:2,\ninner.ts\n#EXT-X-ENDLIST\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><AdaptationSet><Representation><BaseURL>inner.ts'
    "</BaseURL></Representation></AdaptationSet></Period></MPD>",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
}


@pytest.mark.parametrize("suffix", [".mp4", ".m3u8", ".mpd", ".ffconcat", ".sdp"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_what_names_other_files_is_refused_and_they_are_not_opened(tmp_path: Path, script: str, suffix: str) -> None:
    inner = tmp_path / "inner.ts"
    os.mkfifo(inner)  # whoever opens it waits for ever
    path = tmp_path / f"list{suffix}"
    path.write_text(SCRIPTS[script])
    with pytest.raises(MediaError) as caught:
        open_media(path, DecodeOptions())
    assert caught.value.code is FailureCode.NOT_MEDIA
    with pytest.raises(MediaError) as caught, open_container(path):  # libav's own fence, should the content ever pass for media
        pass
    assert caught.value.code in (FailureCode.NOT_MEDIA, FailureCode.DAMAGED)


def test_numbered_pictures_are_not_gathered(tmp_path: Path) -> None:
    for number in range(3):
        Image.new("RGB", (16, 16)).save(tmp_path / f"{number}.png")
    with pytest.raises(MediaError), open_container(tmp_path / "%d.png"):
        pass


@pytest.mark.parametrize("name", ["concat:inner.wav", "subfile,,start,0,end,100,,:inner.wav", "http:inner.wav", "data:x", "pipe:0", "-"])
def test_a_name_that_looks_like_an_address_is_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MediaError) as caught:
        open_media(Path(name), DecodeOptions())
    assert caught.value.code is FailureCode.VANISHED
    sound(tmp_path / "s.wav", tone(1)[None]).rename(tmp_path / name)
    with open_media(Path(name), DecodeOptions()) as file:
        assert len(list(file.segments())) == 1


def test_a_name_that_is_no_utf_8_is_opened(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9 \xff.wav")
    try:
        sound(tmp_path / "s.wav", tone(1)[None]).rename(path)
    except OSError:
        return  # this file system takes none
    with open_media(path, DecodeOptions()) as file:
        assert len(list(file.segments())) == 1


def test_missing_and_unreadable_files_say_so(tmp_path: Path) -> None:
    with pytest.raises(MediaError) as caught:
        open_media(tmp_path / "none.mp4", DecodeOptions())
    assert caught.value.code is FailureCode.VANISHED
    with pytest.raises(MediaError) as caught:
        open_media(tmp_path, DecodeOptions())
    assert caught.value.code is FailureCode.NOT_MEDIA
    path = film(tmp_path / "f.mp4", at=[0.0, 0.1])
    with open_media(path, DecodeOptions()) as file:
        path.unlink()
        with pytest.raises(MediaError) as caught:
            list(file.segments())
    assert caught.value.code is FailureCode.VANISHED


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (av.error.OSError(errno.EIO, "Input/output error"), FailureCode.DAMAGED),
        (av.error.OSError(errno.EMFILE, "Too many open files"), FailureCode.READ_ERROR),
        (OSError(errno.EIO, "Input/output error"), FailureCode.READ_ERROR),
        (av.error.PermissionError(errno.EACCES, "Permission denied"), FailureCode.PERMISSION),
        (av.error.MemoryError(errno.ENOMEM, "Cannot allocate memory"), FailureCode.MEMORY),
        (av.error.PatchWelcomeError(1, "Not yet implemented in FFmpeg, patches welcome"), FailureCode.UNSUPPORTED),
        (av.error.DecoderNotFoundError(1, "Decoder not found"), FailureCode.UNSUPPORTED),
        (av.error.UnknownError(1, "Unknown error"), FailureCode.DAMAGED),
        (IndexError("tuple index out of range"), FailureCode.DAMAGED),
    ],
)
def test_errors_of_the_decoder_become_media_errors(tmp_path: Path, error: Exception, code: FailureCode) -> None:
    path = sound(tmp_path / "s.wav", tone(0.1)[None])
    with pytest.raises(MediaError) as caught, open_container(path):
        raise error
    assert (caught.value.code, caught.value.path) == (code, path)
    assert caught.value.__cause__ is error


def test_a_torn_matroska_is_damaged_and_no_fault_of_the_disk(tmp_path: Path) -> None:
    data = film(tmp_path / "f.mkv", at=[0.0, 0.1]).read_bytes()
    path = tmp_path / "t.mkv"
    for length in range(100, 400, 20):
        path.write_bytes(data[:length])
        with pytest.raises(MediaError) as caught, open_media(path, DecodeOptions()) as file:
            list(file.segments())
        assert caught.value.code in (FailureCode.DAMAGED, FailureCode.NO_CONTENT)


def test_damage_is_told_by_an_error_and_not_on_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = film(tmp_path / "f.mkv", at=[number / 25 for number in range(100)])
    data = bytearray(path.read_bytes())
    for at in range(1000, len(data), 97):
        data[at] ^= 0xA5
    path.write_bytes(data)
    cut = tmp_path / "c.mp4"
    cut.write_bytes(film(tmp_path / "w.mp4").read_bytes()[:200])
    capfd.readouterr()
    level = av.logging.get_level()
    for backend in ("pyav", "decord"):
        for bad in (path, cut):
            with suppress(MediaError), open_media(bad, DecodeOptions(video_backend=backend)) as file:
                list(file.segments())
    assert capfd.readouterr() == ("", "")
    assert av.logging.get_level() == level


def test_importing_the_door_loads_no_decoder() -> None:
    code = "import sys, anyseek.media.open; print(sorted({'av', 'decord', 'pillow_heif', 'mutagen'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
