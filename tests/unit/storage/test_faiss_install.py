"""A FAISS that is missing, broken or of two minds: each is told apart."""

import subprocess
import sys

import pytest

from anyseek.errors import MissingExtra
from anyseek.storage import checks
from anyseek.storage.vectors import faiss_index

BROKEN = {
    "raise ImportError('undefined symbol _ZTIN3rmm9bad_allocE')": "bad_allocE",
    "import swigfaiss_that_was_removed": "swigfaiss_that_was_removed",
    "raise RuntimeError('the CUDA libraries are missing')": "CUDA",
    "import sys; sys.this_is_not_there": "this_is_not_there",
    "": "its files are incomplete",
    None: "its files are incomplete",  # what remains in the folder after `pip uninstall` of one of two wheels
}


USE = """
import sys
sys.path.insert(int(sys.argv[2]), sys.argv[1])
from anyseek.errors import AnyseekError, MissingExtra
from anyseek.storage.checks import check_faiss
from anyseek.storage.vectors.choose import choose_backend
assert choose_backend().reason is None
try:
    choose_backend().index(8)
except AnyseekError as exc:
    assert not isinstance(exc, MissingExtra)
    print(exc)
assert "faiss_broken" in [finding.code for finding in check_faiss()]
"""


@pytest.mark.parametrize("source", BROKEN)
def test_a_broken_one_names_itself(tmp_path, source):
    """In a process of its own: a real FAISS cannot be imported twice."""
    (tmp_path / "faiss").mkdir()
    before = USE
    if source is None:  # a folder without code is found last, behind any real package, which is hidden here
        before = "import sys, importlib.machinery as m\nreal = m.PathFinder.find_spec\n" + HIDE_REAL_FAISS + USE
    else:
        (tmp_path / "faiss" / "__init__.py").write_text(source)
    said = subprocess.run([sys.executable, "-W", "error", "-c", before, tmp_path, "0"], check=True, capture_output=True, text=True).stdout
    assert said.startswith("FAISS is installed but broken (")
    assert BROKEN[source] in said
    assert "pip install 'anyseek[cpu]'" in said


HIDE_REAL_FAISS = """
def find_spec(name, path=None, target=None):
    return real(name, [sys.argv[1]] if name == "faiss" else path, target)
m.PathFinder.find_spec = find_spec
"""


def test_a_missing_one_is_asked_for(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)

    with pytest.raises(MissingExtra, match=r"pip install 'anyseek\[cpu\]'"):
        faiss_index.FaissIndex(8)


def test_without_faiss_everything_works():
    """In a process of its own, where importing it would fail."""
    code = (
        "import sys, numpy as np\nsys.path[:] = sys.path\n"
        "import importlib.util as u\nreal = u.find_spec\n"
        "u.find_spec = lambda name, package=None: None if name == 'faiss' else real(name, package)\nsys.modules['faiss'] = None\n"
        "from anyseek.storage.vectors.choose import choose_backend\n"
        "choice = choose_backend()\nindex = choice.index(4)\nindex.add(np.arange(4), np.eye(4, dtype='f4'))\n"
        "assert index.search(np.eye(4, dtype='f4')[2:3], 1)[1] == [[2]]\nassert 'not installed' in choice.reason\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


class Dist:
    def __init__(self, name):
        self.metadata = {"Name": name}


def codes(monkeypatch, *wheels):
    monkeypatch.setattr(checks, "distributions", lambda: [Dist("numpy"), *map(Dist, wheels)])
    return [finding.code for finding in checks.check_faiss()]


def test_two_wheels_at_once(monkeypatch):
    assert codes(monkeypatch, "faiss-cpu", "faiss-gpu")[0] == "faiss_conflict"


def test_the_files_of_another_wheel(monkeypatch):
    pytest.importorskip("faiss")
    gpu = "GPU" in faiss_index.import_faiss().get_compile_options().split()
    assert codes(monkeypatch, "faiss-cpu" if gpu else "faiss-gpu") == ["faiss_mismatch"]
    assert codes(monkeypatch, "faiss-gpu" if gpu else "faiss-cpu") == []


def test_none(monkeypatch):
    monkeypatch.setattr(checks, "find_spec", lambda name: None)
    assert codes(monkeypatch) == ["faiss_missing"]
