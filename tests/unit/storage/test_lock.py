import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from anyseek.errors import LibraryError, LibraryLocked, StorageFull
from anyseek.storage.layout import LibraryFolder
from anyseek.storage.lock import WriterLock

HOLD = """
import sys
from pathlib import Path
from anyseek.storage.layout import LibraryFolder
from anyseek.storage.lock import WriterLock
with WriterLock(LibraryFolder(Path(sys.argv[1])), "indexing"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(folder):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(folder.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_taken_lock_names_its_holder(folder, holder):
    with (
        pytest.raises(LibraryLocked, match=rf"written by process {holder.pid} on .* \(indexing, since ") as caught,
        WriterLock(folder, "more"),
    ):
        pass
    assert caught.value.path == folder.path


def test_a_killed_holder_holds_nothing(folder, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with WriterLock(folder, "indexing"):
        assert str(os.getpid()) in folder.holder.read_text()


def test_one_process_cannot_take_it_twice(folder):
    assert not WriterLock.held_here(folder)
    with WriterLock(folder, "indexing"):
        assert WriterLock.held_here(folder)
        with pytest.raises(LibraryLocked, match=f"process {os.getpid()} "), WriterLock(folder, "repairing"):
            pass
        assert WriterLock.held_here(folder)
    assert not WriterLock.held_here(folder)
    assert not folder.holder.exists()
    with WriterLock(folder, "indexing"):
        pass


@pytest.mark.parametrize("note", [None, "", "{", "[]", '{"pid": 1}'])
def test_a_holder_whose_note_cannot_be_read(folder, holder, note):
    if note is None:
        folder.holder.unlink()
    else:
        folder.holder.write_text(note)
    with pytest.raises(LibraryLocked, match="another process"), WriterLock(folder, "more"):
        pass


def test_the_lock_is_free_after_an_error(folder):
    with pytest.raises(RuntimeError), WriterLock(folder, "indexing"):
        raise RuntimeError
    with WriterLock(folder, "indexing"):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_is_called_one_and_the_lock_is_free_after_it(folder):
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.holder.symlink_to("/dev/full")
    with pytest.raises(StorageFull, match="no room left on the disk"), WriterLock(folder, "tagging"):
        pass
    with WriterLock(folder, "tagging"):
        assert WriterLock.held_here(folder)


def test_a_place_where_nothing_can_be_written(unprivileged):
    unprivileged.chmod(0o500)
    with pytest.raises(LibraryError, match="cannot be written"), WriterLock(LibraryFolder(unprivileged / "new"), "indexing"):
        pass
