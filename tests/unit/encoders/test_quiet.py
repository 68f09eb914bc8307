"""Nothing that libraries say while they load reaches the terminal, and nothing of it lasts."""

from __future__ import annotations

import importlib.util
import logging
import sys
import warnings

import pytest
from tqdm import tqdm

from anyseek.encoders.quiet import quiet


@pytest.fixture
def open_clip(tmp_path):
    """A module that logs as OpenCLIP does."""
    folder = tmp_path / "open_clip"
    folder.mkdir()
    (folder / "factory.py").write_text("import logging\ndef load():\n    logging.warning('No pretrained weights loaded')\n")
    spec = importlib.util.spec_from_file_location("factory", folder / "factory.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_nothing_is_said(open_clip, capfd, monkeypatch):
    from transformers.utils import logging as chatter

    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # as in a program that knows nothing of logging
    with quiet():
        warnings.warn("QuickGELU mismatch", UserWarning, stacklevel=1)
        open_clip.load()
        chatter.get_logger("transformers.modeling_utils").error("LOAD REPORT")
        for _ in chatter.tqdm(range(3), file=sys.stderr):
            pass
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger().handlers == []


def test_all_is_as_before(caplog):
    from transformers.utils import logging as chatter

    before = chatter.get_verbosity(), chatter.is_progress_bar_enabled(), list(warnings.filters), list(logging.getLogger().filters)
    with pytest.raises(KeyError), quiet():
        raise KeyError
    assert before == (
        chatter.get_verbosity(),
        chatter.is_progress_bar_enabled(),
        list(warnings.filters),
        list(logging.getLogger().filters),
    )
    with pytest.raises(UserWarning, match="heard"):
        warnings.warn("heard", UserWarning, stacklevel=1)
    assert isinstance(chatter.tqdm(range(3), disable=True), tqdm)


def test_a_log_that_others_keep_hears_others_alone(open_clip, caplog):
    with quiet():
        open_clip.load()
        logging.getLogger("my.program").warning("mine")
        logging.warning("mine, too")
    assert caplog.messages == ["mine", "mine, too"]


def test_it_may_be_entered_twice(capfd):
    with quiet(), quiet():
        warnings.warn("once", UserWarning, stacklevel=1)
    assert capfd.readouterr().err == ""
