"""Finding and fetching a model's files, against a hub on this machine.

What the hub's library reads from the environment it reads once, so every question is asked by a process of its own.
"""

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fake_hub import COMMIT, FakeHub, Repository, serve

from anyseek.encoders import hub
from anyseek.errors import ModelUnavailable

pytestmark = pytest.mark.enable_socket

PATTERNS = ["*.json", "*.safetensors", "*.bin"]
WEIGHTS = bytes(range(256)) * 4000
SNAPSHOT = f"hub/models--some--model/snapshots/{COMMIT}"

ASK = """
import json, sys
from pathlib import Path
import huggingface_hub.constants
from anyseek.encoders import hub
from anyseek.encoders.protocol import EncoderSettings
from anyseek.errors import ModelUnavailable, StorageFull

huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE = 1000
verb, options = sys.argv[1], json.loads(sys.argv[2])
heard = []
patterns = options.pop("patterns")
repository = options.pop("repository")
try:
    if verb == "find":
        found = hub.find(repository, patterns=patterns, **options)
    else:
        settings = EncoderSettings(on_download=lambda *numbers: heard.append(numbers), **options)
        found = hub.obtain("st:some/model", repository, settings, patterns)
    answer = {"found": found and [str(found.path), found.revision], "heard": heard}
except ModelUnavailable as error:
    answer = {"reason": error.reason, "remedy": error.remedy}
except StorageFull as error:
    answer = {"full": str(error.path)}
print(json.dumps(answer))
"""


class Machine:
    """A machine with a cache, and the questions asked on it."""

    def __init__(self, home: Path, address: str) -> None:
        self.home = home
        self.environment = {**os.environ, "HF_HOME": str(home), "HF_ENDPOINT": address, "HF_HUB_DISABLE_TELEMETRY": "1"}
        for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "HF_HUB_CACHE"):
            self.environment.pop(name, None)

    def start(self, verb, *, before="", patterns=PATTERNS, repository="some/model", env=None, **options):
        command = [sys.executable, "-c", before + ASK, verb, json.dumps({"patterns": patterns, "repository": repository, **options})]
        return subprocess.Popen(command, env=self.environment | (env or {}), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def ask(self, verb, **options):
        process = self.start(verb, **options)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, ""), err
        return json.loads(out)

    def find(self, **options):
        return self.ask("find", **options)["found"]

    def obtain(self, **options):
        return self.ask("obtain", **{"download": True, **options})

    def path(self, relative):
        return self.home / relative


@pytest.fixture
def fake():
    files = {"config.json": b"{}", "README.md": b"read me", "model.safetensors": WEIGHTS, "1_Pooling/config.json": b"[]"}
    with serve(FakeHub({"some/model": Repository(files), "with/terms": Repository({"config.json": b"{}"}, gated=True)})) as serving:
        yield serving


@pytest.fixture
def machine(fake, tmp_path):
    return Machine(tmp_path / "hf", fake.address)


def names_below(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_needed_is_fetched_and_nothing_else_and_then_found_without_asking(fake, machine):
    assert machine.find() is None
    fetched = machine.obtain()["found"]
    assert fetched == [str(machine.path(SNAPSHOT)), COMMIT]
    assert names_below(machine.path(SNAPSHOT)) == {"config.json": b"{}", "model.safetensors": WEIGHTS, "1_Pooling/config.json": b"[]"}
    asked = len(fake.asked)
    assert machine.find() == machine.find(revision=COMMIT) == machine.obtain()["found"] == fetched
    assert len(fake.asked) == asked


def test_a_version_with_a_file_missing_is_not_found(machine):
    machine.obtain()
    machine.path(f"{SNAPSHOT}/1_Pooling/config.json").unlink()
    assert machine.find() is None
    assert machine.find(patterns=["*.safetensors"])[1] == COMMIT
    machine.obtain()
    assert machine.find()[1] == COMMIT


def test_progress_grows_to_the_whole(machine):
    total = len(WEIGHTS) + 4
    heard = machine.obtain()["heard"]
    here = [numbers[1] for numbers in heard]
    assert {(repository, of) for repository, _, of in heard} == {("some/model", total)}
    assert here == sorted(here)
    assert here[0] == 1000
    assert here[-1] == total
    assert len(here) > 1000


def test_nothing_is_fetched_unless_it_is_allowed(fake, machine):
    assert machine.obtain(download=False) == {"reason": "it is not on this machine", "remedy": "run  anyseek models pull st:some/model"}
    assert fake.asked == []


def test_an_interrupted_download_is_not_found_and_goes_on_where_it_stopped(fake, machine):
    fake.stalls_after = 400_000
    process = machine.start("obtain", download=True)
    try:
        assert fake.stalled.wait(60)
        partial = wait_for_size(machine.path("hub/models--some--model/blobs"), 390_000)
    finally:
        process.kill()
        process.communicate()
        fake.go_on.set()
    fake.stalls_after = None
    assert machine.find() is None
    stopped = partial.stat().st_size
    assert machine.obtain()["heard"][0][1] == stopped + 1000
    assert fake.ranges() == [None, f"bytes={stopped}-"]
    assert machine.path(f"{SNAPSHOT}/model.safetensors").read_bytes() == WEIGHTS
    assert list(partial.parent.glob("*.incomplete")) == []


def wait_for_size(folder, least):
    """Wait until a file in a folder has so many bytes; the last few thousand may still be in the writer's memory."""
    for _ in range(1000):
        partial = next(folder.glob("*.incomplete"))
        if partial.stat().st_size >= least:
            return partial
        time.sleep(0.01)
    raise AssertionError(f"{partial} stays at {partial.stat().st_size} bytes")


def test_a_connection_that_drops_is_taken_up_again_at_once(fake, machine):
    fake.drops = [300_000]
    assert machine.obtain()["found"] is not None
    first, second = fake.ranges()
    assert first is None
    assert second == "bytes=300000-"
    assert machine.path(f"{SNAPSHOT}/model.safetensors").read_bytes() == WEIGHTS


def test_a_server_that_knows_no_ranges_begins_anew(fake, machine):
    fake.drops = [300_000]
    fake.ignores_ranges = True
    said = machine.obtain()
    assert fake.ranges() == [None, "bytes=300000-"]
    assert machine.path(f"{SNAPSHOT}/model.safetensors").read_bytes() == WEIGHTS
    assert max(numbers[1] for numbers in said["heard"]) == len(WEIGHTS) + 4


def test_what_another_run_began_counts_from_where_it_is(fake, machine):
    fake.ignores_ranges = True
    partial = machine.path(f"hub/models--some--model/blobs/{hashlib.sha256(WEIGHTS).hexdigest()}.incomplete")
    partial.parent.mkdir(parents=True)
    partial.write_bytes(WEIGHTS[:5000])
    assert machine.obtain()["heard"][0][1] == 1000
    assert machine.path(f"{SNAPSHOT}/model.safetensors").read_bytes() == WEIGHTS


def test_a_file_that_came_damaged_is_not_kept(fake, machine):
    fake.spoils = True
    said = machine.obtain()
    assert said["reason"] == "the download broke off: model.safetensors came damaged"
    assert said["remedy"].startswith("run it again")
    assert machine.find() is None
    fake.spoils = False
    assert machine.obtain()["found"] is not None
    assert fake.ranges() == [None, None]


def test_an_update_replaces_the_model_only_when_all_of_it_is_here(fake, machine):
    machine.obtain()
    newer = "f" * 40
    fake.repositories["some/model"] = Repository({"config.json": b"{}", "model.safetensors": WEIGHTS[::-1]}, commit=newer)
    fake.spoils = True
    assert "reason" in machine.obtain(revision=newer)
    assert machine.find()[1] == COMMIT
    fake.spoils = False
    assert machine.obtain(revision=newer)["found"][1] == newer
    assert machine.find()[1] == COMMIT
    assert machine.find(revision=newer)[1] == newer


def test_a_named_version_is_found_under_its_name(machine):
    assert machine.obtain(revision="main")["found"][1] == COMMIT
    assert machine.find(revision="main")[1] == COMMIT
    assert machine.find(revision="v2") is None


def test_the_same_weights_in_other_formats_are_left_out(fake, machine):
    doubles = {"pytorch_model.bin": b"b", "onnx/model.onnx": b"o", "openvino/openvino_model.bin": b"v", "model.gguf": b"g"}
    kept = {"model.safetensors": WEIGHTS, "2_Dense/pytorch_model.bin": b"only this"}
    fake.repositories["some/model"] = Repository({**kept, **doubles, "onnx/config.json": b"{}"})
    machine.obtain(patterns=["*"])
    assert names_below(machine.path(SNAPSHOT)) == kept


def test_pickled_weights_are_fetched_where_there_are_no_others(fake, machine):
    fake.repositories["some/model"] = Repository({"config.json": b"{}", "pytorch_model.bin": b"weights"})
    machine.obtain()
    assert names_below(machine.path(SNAPSHOT)) == {"config.json": b"{}", "pytorch_model.bin": b"weights"}


def test_offline_says_that_it_is_offline(fake, machine):
    said = machine.obtain(env={"HF_HUB_OFFLINE": "1"})
    assert said["reason"] == "it is not on this machine, and HF_HUB_OFFLINE forbids to fetch it"
    assert said["remedy"].startswith("unset it, or copy the model from another machine")
    assert fake.asked == []


def test_offline_finds_what_is_here(fake, machine):
    fetched = machine.obtain()["found"]
    assert machine.obtain(env={"HF_HUB_OFFLINE": "1"})["found"] == fetched


def test_without_a_network_it_says_how_to_carry_the_model_over(machine):
    said = machine.obtain(env={"HF_ENDPOINT": "http://127.0.0.1:9"})
    assert said["reason"].startswith("http://127.0.0.1:9 cannot be reached: ")
    assert "setting HF_HOME" in said["remedy"]
    assert "st:FOLDER" in said["remedy"]
    assert "\n" not in said["reason"] + said["remedy"]


def test_a_model_with_terms_names_its_page_and_the_login(fake, machine):
    said = machine.obtain(repository="with/terms")
    assert said["reason"] == "with/terms is only given to those who accept its terms"
    assert said["remedy"] == f"accept them at {fake.address}/with/terms and run  hf auth login"
    assert machine.obtain(repository="with/terms", env={"HF_TOKEN": "hf_secret"})["found"] is not None


def test_a_token_stays_with_the_hub(fake, machine):
    machine.obtain(env={"HF_TOKEN": "hf_secret"})
    told = {path.startswith("/cdn/"): token for _, path, _, token in fake.asked if "/resolve/" in path or "/cdn/" in path}
    assert told == {False: "Bearer hf_secret", True: None}


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"repository": "no/such"}, "there is no repository no/such, or it is private"),
        ({"revision": "v9"}, "some/model has no version v9"),
        ({"patterns": ["*.gguf"]}, "some/model has no files that fit"),
        ({"repository": "one/two/three"}, "'one/two/three' is no name of a repository"),
    ],
)
def test_what_is_not_there_is_named(machine, options, reason):
    assert machine.obtain(**options)["reason"] == reason


def test_a_model_larger_than_the_disk_is_not_begun(fake, machine):
    before = "import collections, shutil; shutil.disk_usage = lambda _: collections.namedtuple('Usage', 'total used free')(9, 9, 1000)\n"
    assert machine.obtain(before=before) == {"full": str(machine.path("hub/models--some--model"))}
    assert fake.ranges() == []


FULL_DISK = """
import errno
import huggingface_hub.file_download

def http_get(*arguments, **options):
    raise OSError(errno.ENOSPC, "no space left")

huggingface_hub.file_download.http_get = http_get
"""


def test_a_disk_that_fills_up_meanwhile_is_said_so(machine):
    assert machine.obtain(before=FULL_DISK) == {"full": str(machine.path("hub/models--some--model"))}


def cached(machine, files):
    """Lay files into the cache as another program does that fetches them one by one."""
    for name, content in files.items():
        path = machine.path(SNAPSHOT) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    reference = machine.path("hub/models--some--model/refs/main")
    reference.parent.mkdir(parents=True)
    reference.write_text(COMMIT)


INDEX = json.dumps({"weight_map": {"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"}}).encode()


@pytest.mark.parametrize(
    ("files", "whole"),
    [
        ({"config.json": b"{}", "model.safetensors": b"w"}, True),
        ({"config.json": b"{}", "pytorch_model.bin": b"w"}, True),
        ({"config.json": b"{}"}, False),
        ({"model.safetensors.index.json": INDEX, "model-1-of-2.safetensors": b"w"}, False),
        ({"model.safetensors.index.json": INDEX, "model-1-of-2.safetensors": b"w", "model-2-of-2.safetensors": b"w"}, True),
    ],
)
def test_what_another_program_has_fetched_is_found_when_its_weights_are_whole(machine, files, whole):
    cached(machine, files)
    assert (machine.find() is not None) is whole


def test_a_local_folder_is_known_by_its_content(tmp_path):
    for name in ("first", "second"):
        (tmp_path / name / ".cache").mkdir(parents=True)
        (tmp_path / name / "config.json").write_text("{}")
        (tmp_path / name / "model.safetensors").write_bytes(b"weights")
        (tmp_path / name / "pytorch_model.bin").write_text(name)
        (tmp_path / name / ".cache" / "when.json").write_text(name)
        (tmp_path / name / "README.md").write_text(name)
    first, second = (hub.local("st:x", tmp_path / name, PATTERNS) for name in ("first", "second"))
    assert first.path == tmp_path / "first"
    assert first.revision == second.revision
    assert first.revision.startswith("files-")
    (tmp_path / "second" / "config.json").write_text("[]")
    assert hub.local("st:x", tmp_path / "second", PATTERNS).revision != first.revision


def test_a_local_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ModelUnavailable, match="holds no model"):
        hub.local("st:x", tmp_path, PATTERNS)
    with pytest.raises(ModelUnavailable, match="there is no folder"):
        hub.local("st:x", tmp_path / "none", PATTERNS)
