"""A run is the same wherever its data lie: what lies there is told by its content."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import typer.testing
from begun import open_run
from PIL import Image

from dermaug.cli import app
from dermaug.config import Experiment, PhantomConfig
from dermaug.data.sources.phantom import draw_class, write_phantoms
from dermaug.errors import DermaugError
from dermaug.experiment.run.run import begin_run, prepare_run
from dermaug.experiment.stages.outside import look_outside
from dermaug.experiment_file import validate_experiment
from dermaug.files import read_json

Called = Callable[..., tuple[int, str]]
CLASSES = ("bcc", "mel", "nv")


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    asked = PhantomConfig(number=70, balanced=True)
    return write_phantoms(tmp_path_factory.mktemp("data") / "phantoms", asked, 32)


@pytest.fixture
def here(tmp_path: Path, phantoms: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the data below it."""
    shutil.copytree(phantoms, tmp_path / "here" / "data")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def asked(source: str | Path, external: tuple[str | Path, ...] = ()) -> Experiment:
    data = {
        "source": str(source),
        "size": 32,
        "classes": list(CLASSES),
        "phantom": {"number": 140, "balanced": True},
        "external_test": [str(path) for path in external],
    }
    tree = {"name": "small", "data": data, "splits": {"folds": 3}, "arms": [{"name": "real"}]}
    return validate_experiment(tree, "small")


def called(*words: str | Path) -> tuple[int, str]:
    ended = typer.testing.CliRunner().invoke(app, [str(word) for word in words])
    assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
    return ended.exit_code, ended.output


def test_report_is_written_from_another_folder(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_run(here / "run", asked("data"))
    (here.parent / "there").mkdir()
    monkeypatch.chdir(here.parent / "there")
    code, output = called("report", here / "run")
    assert code == 2
    assert "its data set was at data, which does not exist" in output
    assert "pass its new location with --data PATH" in output
    assert not (here / "run" / "report.html").exists()
    assert called("report", here / "run", "--data", "../here/data")[0] == 0
    assert "report.html" in {path.name for path in (here / "run").iterdir()}
    # The run keeps the name it was given.
    assert read_json(here / "run" / "experiment.json")["data"]["source"] == "data"


def test_report_does_not_disturb_a_run_at_work(here: Path) -> None:
    open_run(here / "run", asked("data"))
    at_work = here / "run" / ".partial-resume"
    at_work.write_text("half")
    assert called("report", here / "run", "--output", here / "page.html")[0] == 0
    assert at_work.exists()
    open_run(here / "run", asked("data"))
    assert not at_work.exists()


def test_the_same_data_spelt_otherwise_are_the_same(here: Path) -> None:
    open_run(here / "run", asked("data", external=()))
    moved = here.parent / "moved"
    shutil.copytree(here / "data", moved)
    for spelt in (here / "data", "./data/", "../here/data", moved):
        assert open_run(here / "run", asked(spelt)).experiment.data.source == str(spelt)


def renamed(folder: Path, number: int, seed: int) -> Path:
    """Phantoms in class folders as 0.png, 1.png and so on: the same names whatever the pixels."""
    for label in CLASSES:
        (folder / label).mkdir(parents=True)
        for place, pixels in enumerate(draw_class(label, number, seed, 32).images):
            Image.fromarray(pixels).save(folder / label / f"{place}.png")
    return folder


def test_other_images_of_the_same_names_are_other_data(here: Path) -> None:
    """A run begun on one folder never goes on with, nor is reported with, another one."""
    one, other = renamed(here / "one", 8, 0), renamed(here / "other", 8, 1)
    (here / "small.toml").write_text(
        'name = "small"\n[data]\nsize = 32\n[splits]\nfolds = 3\nrun = [0]\n'
        "[[classifiers]]\nimages = 32\nbatch = 16\nvalidations = 1\n"
        '[[arms]]\nname = "real"\n[[arms]]\nname = "classic"\npolicy = "standard"\n'
    )
    asked_for = ["small.toml", "--output", "run", "--data"]
    assert called("train", "classifier", *asked_for, one, "--arm", "real")[0] == 0
    for words in (("run", *asked_for, other), ("report", "run", "--data", other)):
        code, output = called(*words)
        assert code == 2
        assert "started with other data: 24 images differ (it had 24, now there are 24)" in output
        assert "24 images have other content under the same name" in output
    assert not (here / "run" / "report.html").exists()
    assert not (here / "run" / "classifiers" / "classic").exists()
    moved = shutil.copytree(one, here / "moved")
    assert called("run", *asked_for, moved)[0] == 0
    assert called("report", "run", "--data", one)[0] == 0


def test_other_data_at_the_same_path_are_others(here: Path) -> None:
    open_run(here / "run", asked("data"))
    shutil.rmtree(here / "data")
    write_phantoms(here / "data", PhantomConfig(number=84, balanced=True), 32)
    with pytest.raises(DermaugError, match="started with other data"):
        open_run(here / "run", asked("data"))


def test_patients_of_another_sex_are_other_data(here: Path) -> None:
    """Scores by sex would change, although no image and no label does."""
    open_run(here / "run", asked("data"))
    path = here / "data/HAM10000_metadata.csv"
    path.write_text(path.read_text().replace(",female,", ",male,"))
    with pytest.raises(DermaugError, match="started with other data") as caught:
        open_run(here / "run", asked("data"))
    (line,) = caught.value.details
    assert re.match(r"\d+ images have other sexes, for example ", line)


def test_phantoms_drawn_on_demand_are_no_folder(here: Path) -> None:
    """An oracle draws fresh phantoms for the one, and is refused for the other."""
    open_run(here / "run", asked("phantom"))
    with pytest.raises(DermaugError, match="another experiment") as caught:
        prepare_run(here / "run", asked("data"))
    assert caught.value.details == ('data.source: "phantom" -> "a path"',)


def three_classes(folder: Path, number: int) -> Path:
    """Images of three classes in a layout without lesions."""
    asked_for = PhantomConfig(number=number, balanced=True, seed=5)
    drawn = write_phantoms(folder.parent / f"{folder.name}-all", asked_for, 32)
    table = next(drawn.glob("*metadata.csv")).read_text().splitlines()
    columns = table[0].split(",")
    for line in table[1:]:
        row = dict(zip(columns, line.split(","), strict=True))
        if row["dx"] in CLASSES:
            (image,) = drawn.glob(f"*/{row['image_id']}.jpg")
            (folder / row["dx"]).mkdir(parents=True, exist_ok=True)
            shutil.copy(image, folder / row["dx"] / f"x{image.name}")
    return folder


def test_external_test_may_move_but_not_change(here: Path) -> None:
    first = three_classes(here / "first", 42)
    other = three_classes(here / "other", 49)
    open_run(here / "run", asked("data", external=(first,)))
    for path, told in ((first, None), (Path("first"), None), (other, "started with other data")):
        run = prepare_run(here / "run", asked("data", external=(path,)))
        begin_run(run)
        if told is None:
            look_outside(run, run.jobs.classifiers)
            continue
        with pytest.raises(DermaugError, match=f"data.external_test .*other: .*{told}"):
            look_outside(run, run.jobs.classifiers)
    with pytest.raises(DermaugError, match="another experiment"):
        prepare_run(here / "run", asked("data", external=(first, other)))


def test_external_test_that_cannot_be_opened_is_told_before_anything_is_written(
    here: Path,
) -> None:
    with pytest.raises(DermaugError, match="nowhere: expected a data set, found nothing"):
        open_run(here / "run", asked("data", external=("nowhere",)))
    odd = three_classes(here / "odd", 42)
    next(odd.iterdir()).rename(odd / "wart")
    data = {"source": "data", "size": 32, "external_test": [str(odd)]}  # every class is wanted
    tree = {"name": "small", "data": data, "splits": {"folds": 3}, "arms": [{"name": "real"}]}
    with pytest.raises(DermaugError, match="wart"):
        open_run(here / "run", validate_experiment(tree, "small"))
    assert not (here / "run").exists()
