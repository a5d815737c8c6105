"""Whoever lacks an optional extra is told how to install it, by pip and in a clone."""

import re
import sys
from pathlib import Path

import pytest

from dermaug.cli.doctor import EXTRAS
from dermaug.data.workbook import workbook_cells
from dermaug.errors import DermaugError
from dermaug.extras import to_install

SOURCES = Path(__file__).parents[1] / "src" / "dermaug"


def test_a_missing_extra_names_both_commands(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(DermaugError) as caught:
        workbook_cells(tmp_path / "list.xlsx")
    assert "`pip install 'dermaug[excel]'`" in caught.value.message
    assert "`uv sync --extra excel`" in caught.value.message


def test_one_place_knows_the_commands() -> None:
    told = [
        (path.name, found[0])
        for path in SOURCES.rglob("*.py")
        if (found := re.search(r"uv sync|dermaug\[", path.read_text("utf-8")))
    ]
    assert told == [("extras.py", "dermaug[")]


def test_every_extra_is_asked_for_by_a_name_that_exists() -> None:
    pyproject = (SOURCES.parents[1] / "pyproject.toml").read_text("utf-8")
    asked = {
        name
        for path in SOURCES.rglob("*.py")
        for name in re.findall(r"to_install\(['\"](\w+)['\"]\)", path.read_text("utf-8"))
    }
    assert asked <= set(EXTRAS)
    assert all(f"\n{name} = [" in pyproject and f"[{name}]" in to_install(name) for name in EXTRAS)
