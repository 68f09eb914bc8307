"""A Hugging Face hub on this machine: the few answers that its library asks for, and the faults that a real one has."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

__all__ = ["COMMIT", "FakeHub", "Repository", "serve"]

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = (".safetensors", ".bin")


@dataclass
class Repository:
    """One version of a model's files; those whose names end as in `LARGE` are kept apart from the others, as Git LFS does."""

    files: dict[str, bytes]
    commit: str = COMMIT
    gated: bool = False


@dataclass
class FakeHub:
    """What the hub has, what it was asked, and how it misbehaves.

    Attributes:
        repositories: By name.
        asked: ``(method, path, range, authorization)`` of every request.
        drops: After how many bytes the next downloads of large files break off, one number each.
        stalls_after: After how many bytes a download of a large file stands still until `go_on` is set.
        spoils: Whether the last byte of every large file is another than it should be.
        ignores_ranges: Whether a large file always comes from its first byte, as from some caches on the way.
    """

    repositories: dict[str, Repository]
    address: str = ""
    asked: list[tuple[str, str, str | None, str | None]] = field(default_factory=list)
    drops: list[int] = field(default_factory=list)
    stalls_after: int | None = None
    stalled: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    spoils: bool = False
    ignores_ranges: bool = False

    def ranges(self) -> list[str | None]:
        """From where each download of a large file began."""
        return [start for method, path, start, _ in self.asked if method == "GET" and path.startswith("/cdn/")]

    def fetched(self) -> set[str]:
        """Which files were asked for by name."""
        return {
            path.split("/resolve/", 1)[1].split("/", 1)[1] for method, path, *_ in self.asked if method == "GET" and "/resolve/" in path
        }


@contextmanager
def serve(hub: FakeHub) -> Iterator[FakeHub]:
    """Answer on a port of 127.0.0.1, which `hub.address` names, until the end of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    server.daemon_threads = True
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        hub.go_on.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append((self.command, path, self.headers.get("Range"), self.headers.get("Authorization")))
        if path.startswith("/cdn/"):
            return self.send_large(self.large(path.removeprefix("/cdn/")))
        found = re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/(?:revision|tree)/([^/]+))?|/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        if found is None:
            return self.refuse(404, "NoSuchPage")
        name, version = found[1] or found[3], found[2] or found[4] or "main"
        repository = self.hub.repositories.get(name)
        if repository is None:
            return self.refuse(404, "RepoNotFound")
        if repository.gated and not self.headers.get("Authorization"):
            return self.refuse(403, "GatedRepo")
        if version not in {"main", repository.commit}:
            return self.refuse(404, "RevisionNotFound")
        if found[5]:
            return self.send_file(repository, found[5])
        return self.send_json(_tree(repository) if "/tree/" in path else _info(name, repository))

    def send_file(self, repository: Repository, name: str) -> None:
        content = repository.files[name]
        headers = {"X-Repo-Commit": repository.commit}
        if name.endswith(LARGE):
            sha256 = _sha256(content)
            headers |= {"X-Linked-Etag": f'"{sha256}"', "X-Linked-Size": str(len(content))}
            other_host = self.hub.address.replace("127.0.0.1", "localhost")
            return self.send(302, b"", headers | {"Location": f"{other_host}/cdn/{sha256}"})
        return self.send(200, content, headers | {"ETag": f'"{_git_hash(content)}"'})

    def large(self, sha256: str) -> bytes:
        return next(
            content for repository in self.hub.repositories.values() for content in repository.files.values() if _sha256(content) == sha256
        )

    def send_large(self, content: bytes) -> None:
        hub = self.hub
        if hub.spoils:
            content = content[:-1] + bytes([content[-1] ^ 1])
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        asked = None if hub.ignores_ranges else asked
        start = int(asked[1]) if asked else 0
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(content) - start))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        first = hub.drops.pop(0) if hub.drops else hub.stalls_after
        self.wfile.write(content[start:][:first])
        self.wfile.flush()
        if first is not None and hub.stalls_after is None:
            self.close_connection = True
        elif first is not None:
            hub.stalled.set()
            hub.go_on.wait(60)
            self.close_connection = True

    def send_json(self, value: Any) -> None:
        self.send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def refuse(self, status: int, code: str) -> None:
        self.send(status, b"{}", {"X-Error-Code": code, "X-Error-Message": code})

    def send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


def _info(name: str, repository: Repository) -> dict[str, Any]:
    siblings = [
        {"rfilename": path, "size": len(content), "blobId": _git_hash(content), **_lfs(path, content, "sha256")}
        for path, content in repository.files.items()
    ]
    return {
        "id": name,
        "modelId": name,
        "sha": repository.commit,
        "siblings": siblings,
        "tags": [],
        "private": False,
        "downloads": 0,
        "likes": 0,
    }


def _tree(repository: Repository) -> list[dict[str, Any]]:
    return [
        {"type": "file", "path": path, "size": len(content), "oid": _git_hash(content), **_lfs(path, content, "oid")}
        for path, content in repository.files.items()
    ]


def _lfs(path: str, content: bytes, key: str) -> dict[str, Any]:
    return {"lfs": {key: _sha256(content), "size": len(content), "pointerSize": 134}} if path.endswith(LARGE) else {}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _git_hash(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
