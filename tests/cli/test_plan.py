"""`dermaug plan`, and `dermaug run --data` without an experiment file."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
import typer.testing
from click.testing import Result

from dermaug.cli import app
from dermaug.cli.plan import planned
from dermaug.config import PhantomConfig
from dermaug.data.sources import open_catalog
from dermaug.data.sources.phantom import write_phantoms
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.recipe.clock import Clock
from dermaug.experiment.recipe.wishes import Wishes
from dermaug.experiment.run.run import prepare_run
from dermaug.experiment_file import read_experiment

Command = Callable[..., Result]


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    asked = PhantomConfig(number=70, balanced=True)
    return write_phantoms(tmp_path_factory.mktemp("data") / "my phantoms", asked, 16)


@pytest.fixture
def dermaug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command in an empty folder of a machine of known speed."""
    seconds = {
        "classifiers/fridadar": 6e-4,
        "generators/cgan": 3e-3,
        "classifiers/efficientnet-tuned": 6e-3,
        "generators/projected": 6e-3,
    }
    monkeypatch.setattr(Clock, "measure", lambda clock, *_: clock.measured.update({32: seconds}))
    monkeypatch.chdir(tmp_path)

    def run(*words: str | Path) -> Result:
        ended = typer.testing.CliRunner().invoke(app, [str(word) for word in words])
        assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
        return ended

    return run


def test_plan_is_written_told_and_not_written_over(
    dermaug: Command, tmp_path: Path, phantoms: Path
) -> None:
    ended = dermaug("plan", phantoms, "--json")
    assert ended.exit_code == 0
    record = json.loads(ended.stdout)
    assert record["path"] == "my-phantoms.toml"
    assert read_experiment(tmp_path / record["path"]).data.source == str(phantoms)
    assert "next: dermaug run my-phantoms.toml" in ended.stderr
    again = dermaug("plan", phantoms)
    assert (again.exit_code, again.stdout) == (2, "")
    assert "my-phantoms.toml: expected the name of a new file" in again.stderr


@pytest.mark.usefixtures("dermaug")
def test_run_without_a_file_plans_once_beside_its_folder(
    tmp_path: Path, phantoms: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = planned(phantoms, None, Wishes(), Launch("cpu"))
    assert path == Path("runs/my-phantoms.toml")
    assert "what it can tell:" in capsys.readouterr().err
    written = path.read_text("utf-8")
    assert planned(phantoms, None, Wishes(), Launch("cpu")) == path
    assert path.read_text("utf-8") == written
    assert "what it can tell:" not in capsys.readouterr().err
    assert list((tmp_path / "runs").iterdir()) == [tmp_path / path]


def test_plan_for_other_data_is_not_run(dermaug: Command, tmp_path: Path, phantoms: Path) -> None:
    (tmp_path / "runs").mkdir()
    planned(phantoms, None, Wishes(), Launch("cpu"))
    other = tmp_path / "other" / "my phantoms"
    other.mkdir(parents=True)
    ended = dermaug("run", "--data", other)
    assert ended.exit_code == 2
    assert "runs/my-phantoms.toml: expected a plan for" in ended.stderr


def test_data_set_is_named_once(dermaug: Command, tmp_path: Path, phantoms: Path) -> None:
    ended = dermaug("plan", phantoms, "--set", "data.source=phantom")
    assert ended.exit_code == 2
    assert "exclude each other" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_columns_named_once_are_kept_in_the_plan(
    dermaug: Command, tmp_path: Path, phantoms: Path
) -> None:
    table = next(phantoms.glob("*metadata.csv")).read_text().splitlines()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "Bilder").symlink_to(phantoms)
    lines = [",".join(row.split(",")[:3]) for row in table[1:]]
    (tmp_path / "mine" / "Liste.csv").write_text("\n".join(["Fall,Datei,Befund", *lines]))
    names = ("--image-column", "Datei", "--label-column", "Befund", "--patient-column", "Fall")
    ended = dermaug("plan", tmp_path / "mine", *names)
    assert ended.exit_code == 0, ended.stderr
    data = read_experiment(tmp_path / "mine.toml").data
    assert data.columns == {"file_name": "Datei", "label": "Befund", "patient_id": "Fall"}


def test_a_plan_is_refused_where_a_run_would_refuse_it(
    dermaug: Command, tmp_path: Path, phantoms: Path
) -> None:
    asked = {
        'splits.use="given"': "the data come with no training and test split",
        'splits.file="none.csv"': "none.csv",
        'data.external_test=["nowhere"]': "nowhere: expected a data set",
        "splits.lesions=[0, 500]": "give the same training split",
    }
    for setting, why in asked.items():
        ended = dermaug("plan", phantoms, "--set", setting)
        assert ended.exit_code == 2, setting
        assert why in ended.stderr
    assert not list(tmp_path.iterdir())


def test_a_plan_for_given_splits_is_what_a_run_takes(
    dermaug: Command, tmp_path: Path, phantoms: Path
) -> None:
    root = tmp_path / "own set"
    root.mkdir()
    lines = ["file_name,label,split"]
    table = open_catalog(phantoms).table.drop_duplicates("lesion_id").sort_values("label")
    for place, (label, path) in enumerate(zip(table["label"], table["path"], strict=True)):
        (root / Path(path).name).symlink_to(path)
        lines.append(f"{Path(path).name},{label},{'test' if place % 3 == 0 else 'train'}")
    (root / "metadata.csv").write_text("\n".join(lines))
    ended = dermaug("plan", root, "--set", "splits.use=given", "--output", "my plan.toml")
    assert ended.exit_code == 0, ended.stderr
    assert "next: dermaug run 'my plan.toml'" in ended.stderr
    assert 'splits.use = "given": Trained and tested once' in ended.stdout
    asked = read_experiment(tmp_path / "my plan.toml")
    (fold,) = prepare_run(tmp_path / "run", asked).folds
    assert len(fold.test) == -(-len(table) // 3)
    assert "folds" not in (tmp_path / "my plan.toml").read_text("utf-8").partition("[splits]")[2]


def test_the_command_that_a_check_ends_with_can_be_typed(
    dermaug: Command, tmp_path: Path, phantoms: Path
) -> None:
    root = tmp_path / "unsere Bilder"
    root.mkdir()
    lines = ["Datei;Klasse;Fall"]
    for place, path in enumerate(sorted(phantoms.rglob("*.jpg"))[:40]):
        (root / path.name).symlink_to(path)
        label = ("Naevus", "nv", "Melanom", "melanom")[place % 4]
        lines.append(f"{path.name};{label};{place}")
    (root / "Liste.csv").write_text("\n".join(lines))
    (tmp_path / "unsere-Bilder.toml").write_text("taken")
    asked = ("--image-column", "Datei", "--label-column", "Klasse", "--lesion-column", "Fall")
    ended = dermaug("data", "check", "unsere Bilder", *asked)
    assert ended.exit_code == 2
    told = ended.stderr.partition("plans a study: ")[2]
    command, at_once = (shlex.split(part) for part in told.split("or plan and run it at once: "))
    assert command[3:9] == list(asked)
    assert at_once[:4] == ["dermaug", "run", "--data", "unsere Bilder"]
    assert dermaug(*at_once[1:], "--dry-run").exit_code == 0
    planned = dermaug(*command[1:])
    assert planned.exit_code == 0, planned.stderr
    assert "written: unsere-Bilder-2.toml" in planned.stderr
    refused = dermaug("plan", "unsere Bilder", *asked, "--output", "other.toml").stderr
    hint = refused.partition("  `")[2].partition("`")[0]
    assert shlex.split(hint) == ["dermaug", "data", "check", str(root), *asked]
