"""Fetches a model's files from the Hugging Face hub into its cache.

The hub's own library throws away what an interrupted run has fetched of a file, and weights are one file of gigabytes. So the large files
are fetched here, each into ``blobs/<sha256>.incomplete`` from where it stopped, and the library finds them in its cache; the rest (small
files, links, the listing of the version) is left to it.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import AnyseekError, ModelUnavailable, StorageFull
from .hub import cache_folder, is_commit, needed
from .protocol import OnDownload

__all__ = ["download"]

NO_ROOM = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


@dataclass(frozen=True, slots=True)
class Blob:
    """A large file: its name in the repository, its SHA-256 and size in bytes, and where it goes."""

    name: str
    sha256: str
    size: int
    path: Path

    @property
    def partial(self) -> Path:
        """Where it grows until it is whole."""
        return self.path.with_name(f"{self.path.name}.incomplete")

    @property
    def here(self) -> int:
        """How many of its bytes are on this machine."""
        if self.path.exists():
            return self.size
        return self.partial.stat().st_size if self.partial.exists() else 0


def download(spec: str, repository: str, revision: str | None, patterns: Sequence[str], on_download: OnDownload | None) -> tuple[Path, str]:
    """Fetch what is needed of a repository; gives the folder of the snapshot and its commit.

    The name of the version (``main``) points to the new commit only when all of it is here: whoever interrupts an update keeps the model.

    Raises:
        ModelUnavailable: It cannot be had; the reason and the remedy say why and what to do.
        StorageFull: There is no room for it.
    """
    from huggingface_hub import HfApi, snapshot_download

    folder = cache_folder(repository)
    with _quiet(), _said_plainly(spec, repository, revision, folder):
        info = HfApi(library_name="anyseek").model_info(repository, revision=revision, files_metadata=True)
        sizes = {sibling.rfilename: sibling.size or 0 for sibling in info.siblings}
        names = needed(sizes, patterns)
        if not names:
            raise ModelUnavailable(spec, f"{repository} has no files that fit", "choose another model, or another back-end for this one")
        wanted = set(names)
        blobs = [
            Blob(file.rfilename, file.lfs.sha256, file.lfs.size, folder / "blobs" / file.lfs.sha256)
            for file in info.siblings
            if file.rfilename in wanted and file.lfs is not None
        ]
        total = sum(sizes[name] for name in names)
        _check_room(folder, sum(blob.size - blob.here for blob in blobs))
        tell = on_download or (lambda repository, here, total: None)
        done = 0
        for blob in blobs:
            _fetch_blob(repository, info.sha, blob, lambda here, done=done: tell(repository, done + here, total))
            done += blob.size
        path = snapshot_download(repository, revision=info.sha, allow_patterns=[_literally(name) for name in names], tqdm_class=_silent())
        tell(repository, total, total)
    if not (revision and is_commit(revision)):
        _point(folder / "refs" / (revision or "main"), info.sha)
    return Path(path), info.sha


def _fetch_blob(repository: str, commit: str, blob: Blob, tell: Any) -> None:
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import WeakFileLock, build_hf_headers

    locks = blob.path.parents[2] / ".locks" / blob.path.parents[1].name
    locks.mkdir(parents=True, exist_ok=True)
    blob.path.parent.mkdir(parents=True, exist_ok=True)
    with WeakFileLock(locks / f"{blob.sha256}.lock"):
        if blob.path.exists():
            tell(blob.size)
            return
        if blob.here > blob.size:
            blob.partial.unlink()
        with blob.partial.open("ab") as file:
            http_get(
                hf_hub_url(repository, blob.name, revision=commit),
                file,
                resume_size=blob.here,
                headers={**build_hf_headers(library_name="anyseek"), "Accept-Encoding": "identity"},
                expected_size=blob.size,
                tqdm_class=_counting(tell),
            )
        if _digest(blob.partial) != blob.sha256:
            blob.partial.unlink()
            raise OSError(errno.EIO, f"{blob.name} came damaged")
        blob.partial.replace(blob.path)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _counting(tell: Any) -> Any:
    """A class that `http_get` takes for a progress bar: it counts the bytes and draws nothing."""

    class Counter:
        def __init__(self, initial: int = 0, **_: Any) -> None:
            self.here = initial

        def __enter__(self) -> Counter:
            return self

        def __exit__(self, *_: object) -> None:
            return None

        def update(self, count: int) -> None:
            self.here += count
            tell(self.here)

    return Counter


def _silent() -> Any:
    from huggingface_hub.utils import tqdm

    class Silent(tqdm):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **{**options, "disable": True})

    return Silent


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the hub's library from writing to the terminal: what counts is raised."""
    from huggingface_hub.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity(logging.CRITICAL)
    try:
        yield
    finally:
        logging.set_verbosity(before)


def _check_room(folder: Path, missing: int) -> None:
    place = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if shutil.disk_usage(place).free < missing:
        raise StorageFull(folder)


def _literally(name: str) -> str:
    return "".join(f"[{character}]" if character in "*?[" else character for character in name)


def _point(reference: Path, commit: str) -> None:
    reference.parent.mkdir(parents=True, exist_ok=True)
    written = reference.with_name(f"{reference.name}.anyseek")
    written.write_text(commit, encoding="utf-8")
    written.replace(reference)


@contextmanager
def _said_plainly(spec: str, repository: str, revision: str | None, folder: Path) -> Iterator[None]:
    """Translate what the hub's library and the connection raise."""
    from huggingface_hub import constants, errors

    page = f"{constants.ENDPOINT}/{repository}"
    try:
        yield
    except AnyseekError:
        raise
    except errors.OfflineModeIsEnabled as error:
        reason = "it is not on this machine, and HF_HUB_OFFLINE forbids to fetch it"
        raise ModelUnavailable(spec, reason, f"unset it, or {_carry(spec)}") from error
    except errors.GatedRepoError as error:
        remedy = f"accept them at {page} and run  hf auth login"
        raise ModelUnavailable(spec, f"{repository} is only given to those who accept its terms", remedy) from error
    except errors.RepositoryNotFoundError as error:
        remedy = "check the name; for a private one, run  hf auth login"
        raise ModelUnavailable(spec, f"there is no repository {repository}, or it is private", remedy) from error
    except errors.RevisionNotFoundError as error:
        raise ModelUnavailable(spec, f"{repository} has no version {revision}", f"look for one at {page}") from error
    except errors.HFValidationError as error:
        remedy = "write it as organisation/name, or name a folder"
        raise ModelUnavailable(spec, f"{repository!r} is no name of a repository", remedy) from error
    except (errors.HTTPError, errors.LocalEntryNotFoundError) as error:
        raise ModelUnavailable(spec, *_broken(spec, error, constants.ENDPOINT)) from error
    except OSError as error:
        if error.errno in NO_ROOM:
            raise StorageFull(folder) from error
        if isinstance(error, PermissionError):
            raise ModelUnavailable(spec, f"{folder} cannot be written", "set HF_HOME to a folder that can") from error
        reason = f"the download broke off: {error.strerror or error}"
        raise ModelUnavailable(spec, reason, f"run it again, it goes on from there; or {_carry(spec)}") from error


def _broken(spec: str, error: Exception, endpoint: str) -> tuple[str, str]:
    """Reason and remedy for a connection that could not be made or did not hold."""
    if isinstance(error.__cause__, Exception):
        error = error.__cause__
    response = getattr(error, "response", None)
    if response is not None:
        return f"{endpoint} answers {response.status_code}", "try again later"
    return (
        f"{endpoint} cannot be reached: {error or type(error).__name__}",
        f"connect and run it again, it goes on where it was; or {_carry(spec)}",
    )


def _carry(spec: str) -> str:
    backend = spec.partition(":")[0]
    example = "open_clip:local-dir:FOLDER" if backend == "open_clip" else f"{backend}:FOLDER"
    return f"copy the model from another machine, its cache by setting HF_HOME or its folder as {example}"
