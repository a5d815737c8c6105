"""The command of the page: what it needs, and where it listens."""

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dermaug.app.serve import listening_on
from dermaug.cli import app
from dermaug.errors import DermaugError


def test_without_the_extra_one_sentence_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)
    found = CliRunner().invoke(app, ["app", str(tmp_path)])
    assert found.exit_code == 2
    assert "pip install 'dermaug[app]'" in found.output


def test_the_page_listens_on_this_machine_only_and_a_port_in_use_is_refused() -> None:
    with listening_on(0) as first:
        address, port = first.getsockname()
        assert address == "127.0.0.1"
        with pytest.raises(DermaugError, match="another with --port"):
            listening_on(port)
