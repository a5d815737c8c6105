"""Options of `dermaug run` and `dermaug train` that change what is asked."""

import html
from pathlib import Path

import pytest
import typer.testing

from dermaug.cli import app
from dermaug.config import PhantomConfig
from dermaug.data.sources.phantom import write_phantoms
from dermaug.experiment.run.records import TrialRecord

FILE = """
name = "small"

[data]
size = 32
classes = ["mel", "nv"]

[splits]
folds = 3
run = [0]

[[classifiers]]
images = 96
batch = 8
validations = 2

[[arms]]
name = "real"
"""


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Words that name a small study and its data."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(FILE)
    phantoms = write_phantoms(tmp_path / "data", PhantomConfig(number=84, balanced=True), 32)
    return ["small.toml", "--data", str(phantoms)]


def called(*words: str) -> tuple[int, str]:
    ended = typer.testing.CliRunner().invoke(app, list(words), env={"COLUMNS": "200"})
    assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
    return ended.exit_code, ended.output


def test_plan_of_a_study_that_checks_its_convergence(small: list[str]) -> None:
    code, output = called("run", *small, "--dry-run", "--check-convergence")
    assert code == 0
    lines = [line.split() for line in output.splitlines() if "classifiers/real" in line]
    assert [(line[1], line[3]) for line in lines] == [
        ("classifiers/real/fridadar/fold0-seed0", "96"),
        ("classifiers/real-half-length/fridadar/fold0-seed0", "48"),
    ]
    code, output = called("run", *small, "--dry-run", "--no-check-convergence")
    assert code == 0
    assert "half-length" not in output


def test_shorter_training_of_the_reference_is_half_as_long(small: list[str]) -> None:
    words = [*small, "--launcher", "serial", "--output", "run", "--check-convergence"]
    assert called("train", "classifier", *words)[0] == 0
    shown = {
        arm: TrialRecord.read(Path(f"run/classifiers/{arm}/fridadar/fold0-seed0/record.json"))
        for arm in ("real", "real-half-length")
    }
    assert {arm: trial.training and trial.training.images for arm, trial in shown.items()} == {
        "real": 96,
        "real-half-length": 48,
    }
    assert shown["real-half-length"].arm.convergence_of == "real"
    assert (shown["real"].shown, shown["real"].prior) == (
        shown["real-half-length"].shown,
        shown["real-half-length"].prior,
    )


def test_run_and_report_end_with_the_answer(small: list[str]) -> None:
    with Path("small.toml").open("a") as file:
        file.write('[[arms]]\nname = "classic"\npolicy = "standard"\n')
    code, output = called("run", *small, "--launcher", "serial", "--output", "run")
    assert code == 0, output
    told = output.partition("writing the report\n")[2].splitlines()
    assert told[0].startswith("With fridadar, classic minus real in mean sensitivity")
    assert told[-1] == "report: run/report.html"
    page = html.unescape(Path("run/report.html").read_text("utf-8"))
    assert all(sentence in page for sentence in told[:-1])
    assert called("report", "run")[1].splitlines() == told


def test_option_and_setting_contradict_each_other(small: list[str]) -> None:
    code, output = called("run", *small, "--check-convergence", "--set", "check_convergence=false")
    assert code == 2
    assert "exclude each other" in output
