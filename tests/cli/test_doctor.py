"""What `dermaug doctor` and `dermaug cache` tell."""

import json
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dermaug.cli import app
from dermaug.cli.doctor import EXTRAS

ROOT = Path(__file__).parents[2]
runner = CliRunner()


def test_every_extra_has_a_purpose() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(EXTRAS) == set(project["optional-dependencies"])


def test_doctor_tells_what_a_report_of_a_problem_needs() -> None:
    told = json.loads(runner.invoke(app, ["doctor", "--json"]).stdout)
    assert set(told) == {"versions", "machine", "disk", "extras"}
    assert {"dermaug", "python", "torch"} <= set(told["versions"])
    assert {"processor", "memory", "device", "precision"} <= set(told["machine"])
    shown = runner.invoke(app, ["doctor"])
    assert shown.exit_code == 0


def test_the_cache_is_emptied_only_after_a_yes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DERMAUG_CACHE", str(tmp_path))
    drawn = tmp_path / "phantoms" / "few"
    drawn.mkdir(parents=True)
    (drawn / "a.png").write_bytes(b"0" * 10)
    told = json.loads(runner.invoke(app, ["cache", "list", "--json"]).stdout)
    assert [(each["name"], each["bytes"]) for each in told["entries"]] == [("phantoms/few", 10)]
    assert runner.invoke(app, ["cache", "clear"], input="n\n").exit_code != 0
    assert drawn.exists()
    assert runner.invoke(app, ["cache", "clear", "--yes"]).exit_code == 0
    assert not drawn.exists()


def test_a_cache_that_is_a_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").touch()
    monkeypatch.setenv("DERMAUG_CACHE", str(tmp_path / "cache"))
    ended = runner.invoke(app, ["cache", "list"])
    assert ended.exit_code == 2
    assert "DERMAUG_CACHE: expected a folder, found the file" in ended.output
