"""What a run may show the world, from a small study."""

import html
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from begun import open_run
from drawn import reported, scored
from PIL import Image

from dermaug.errors import DermaugError
from dermaug.experiment.launchers.launch import run_experiment
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.run.layout import JobFolder, RunFolder
from dermaug.experiment.run.reading import read_results
from dermaug.experiment.run.records import GeneratorRecord, RunRecord
from dermaug.experiment.run.results import RunResults
from dermaug.experiment_file import validate_experiment
from dermaug.files import read_json, read_sealed, write_sealed
from dermaug.inspection.audit_run import read_audit, write_audit
from dermaug.inspection.planes import audit_images
from dermaug.report.blocks import Table
from dermaug.report.formats import markdown
from dermaug.report.publish import drawings, publish
from dermaug.report.sections.copies import unaudited
from dermaug.report.untold import without_folders
from dermaug.synthesis.synthetic_set import read_synthetic_set

TREE = {
    "name": "published",
    "question": "Do they help?",
    "data": {"size": 32, "classes": ["mel", "nv"], "phantom": {"number": 300, "balanced": True}},
    "splits": {"folds": 3, "run": [0]},
    "classifiers": [{"images": 64, "batch": 16, "validations": 1}],
    "generators": [{"family": "dcgan", "images": 64, "batch": 16, "width": 4, "latent": 8}],
    "arms": [{"name": "real"}, {"name": "more", "replay": False, "synthetic": {"dose": 20}}],
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> RunResults:
    folder = tmp_path_factory.mktemp("published") / "run"
    asked, command = validate_experiment(TREE, "test"), f"dermaug run x.toml --output {folder}"
    run = run_experiment(folder, asked, Launch("cpu", "32-true"), command)
    audit_images(run, "cpu")
    results = read_results(run)
    reported(results)
    return results


@pytest.fixture
def results(ran: RunResults, tmp_path: Path) -> RunResults:
    """A copy of the run, to be changed at will."""
    folder = shutil.copytree(ran.folder, tmp_path / "run")
    return read_results(open_run(folder, ran.experiment))


def published(results: RunResults, output: Path) -> Path:
    return publish(results, scored(results), output)


def test_numbers_plots_and_cleared_samples_go_out_and_no_path(
    results: RunResults, tmp_path: Path
) -> None:
    page = published(results, tmp_path / "out").read_text(encoding="utf-8")
    assert "`dermaug run x.toml --output PATH/TO/run`" in page
    assert "| more − real | not judged |" in page.replace("\N{NO-BREAK SPACE}", " ")
    files = {
        path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*")
    }
    assert {
        "scoring/scores.csv",
        "scoring/verdicts.csv",
        "audit.csv",
        "experiment.json",
        "run.json",
    } <= files
    assert "figures/differences-0-fridadar.svg" in files
    texts = [path for path in (tmp_path / "out").rglob("*") if path.suffix not in {".png", ""}]
    assert not [path for path in texts if str(tmp_path.parent) in path.read_text(encoding="utf-8")]
    pd.testing.assert_frame_equal(
        pd.read_csv(tmp_path / "out/scoring/scores.csv"),
        pd.read_csv(results.folder / "scoring/scores.csv"),
    )


def test_no_name_of_a_photograph_goes_out(results: RunResults, tmp_path: Path) -> None:
    files = RunFolder(results.folder)
    record = RunRecord.read(files.record)
    named = {
        "notes": ("IMG_7.JPG is of Mrs Smith",),
        "external_notes": ("Left out as unclear: Smith.jpg",),
        "skipped": {"Smith/IMG_8.JPG": "empty"},
    }
    command = """dermaug run x --set 'data.exclude=["Smith 1", "Jo [Smith]"]' --output runs/x"""
    entries = {"data": record.data.model_copy(update=named), "command": command}
    record = record.model_copy(update=entries)
    record.write(files.record)
    asked = read_sealed(files.experiment)
    write_sealed(files.experiment, asked | {"data": asked["data"] | {"exclude": ["Smith 1"]}})
    page = published(replace(results, record=record), tmp_path / "out")
    assert "`dermaug run x --set 'data.exclude=[...]' --output runs/x`" in page.read_text("utf-8")
    shown = read_json(tmp_path / "out" / "experiment.json")
    assert shown["data"]["exclude"] == ["1 image, not named here"]
    texts = [path for path in (tmp_path / "out").rglob("*") if path.suffix not in {".png", ""}]
    assert not [path for path in texts if "Smith" in path.read_text(encoding="utf-8")]


def test_failure_cases_stay_in_the_run(results: RunResults, tmp_path: Path) -> None:
    kept = {path.name for path in (results.folder / "figures").glob("failures*")}
    assert "failures.csv" in kept
    assert [name for name in kept if name.endswith(".png")]
    published(results, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").rglob("*.png")} == {"samples-dcgan.png"}
    texts = [path for path in (tmp_path / "out").rglob("*") if path.suffix not in {".png", ""}]
    assert not [path for path in texts if "<image" in path.read_text(encoding="utf-8")]
    assert not [path for path in texts if "failures" in path.read_text(encoding="utf-8")]


def test_where_a_gain_comes_from_is_published_with_its_legend(
    drawn_study: Callable[..., RunResults],
) -> None:
    study = drawn_study(seeds=(0, 1))
    drawn = {figure.name: figure for figure in drawings(study, scored(study))}
    (panel,) = drawn["ladder"].panels
    assert "argmax against a prior-adjusted reference" in panel.data.decode()


def test_a_copy_is_on_no_sheet(results: RunResults, tmp_path: Path) -> None:
    folder = next(one.folder for one in results.generators if one.label == "mel")
    audit = read_audit(folder)
    assert audit is not None
    drawn = np.asarray(read_synthetic_set(folder / "synthetic").images)
    marked = audit.pairs.assign(synthetic=range(len(audit.pairs)), score=2.0)
    marked.loc[marked["synthetic"] == 1, "score"] = 0.5
    numbers = audit.numbers.assign(copies=1)
    digest = GeneratorRecord.read(JobFolder(folder).record).digest
    write_audit(folder / "audit.json", "key", digest, type(audit)(numbers, marked))
    published(results, tmp_path / "out")
    with Image.open(tmp_path / "out/figures/samples-dcgan.png") as sheet:
        first = np.asarray(sheet.convert("RGB"))[: drawn.shape[1] + 4]
    found = [any((window == image).all() for window in windows(first, 32)) for image in drawn[:7]]
    assert found == [True, False, True, True, True, True, True]


def windows(sheet: np.ndarray, side: int) -> list[np.ndarray]:
    """All squares of a sheet's first row of images."""
    starts = range(sheet.shape[1] - side + 1)
    return [sheet[top : top + side, k : k + side] for top in range(5) for k in starts]


def test_a_class_whose_copies_are_not_all_known_is_not_shown(
    results: RunResults, tmp_path: Path
) -> None:
    for one in results.generators:
        told = read_sealed(JobFolder(one.folder).audit)
        told["numbers"][0]["copies"] = told["numbers"][0]["copy_examined"]
        write_sealed(JobFolder(one.folder).audit, told)
    published(results, tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*.png"))


def test_a_lost_audit_is_told(results: RunResults, tmp_path: Path) -> None:
    assert unaudited(results) == []
    lost = JobFolder(results.networks[0].folder).audit
    lost.unlink()
    (told,) = unaudited(results)
    assert told.startswith("Not audited: the images of dcgan of mel, fold 0, seed 0. Nothing is")
    assert f"**{told}**" in published(results, tmp_path / "out").read_text(encoding="utf-8")
    assert told in html.unescape(reported(results).read_text(encoding="utf-8"))
    assert unaudited(replace(results, trials=results.trials[:1])) == []  # it is at work


def test_a_run_without_results_or_a_folder_in_use_is_refused(
    results: RunResults, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep")
    with pytest.raises(DermaugError):
        published(results, tmp_path / "out")
    with pytest.raises(DermaugError, match="inside the run folder"):
        published(results, results.folder / "out")
    with pytest.raises(DermaugError, match="no trained classifier"):
        published(replace(results, trials=()), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_numbers_are_computed_anew_and_what_is_missing_is_told(
    results: RunResults, tmp_path: Path
) -> None:
    (results.folder / "scoring/scores.csv").write_text("arm,")
    page = published(replace(results, trials=results.trials[:1]), tmp_path / "out").read_text()
    assert "not finished: 1 of 2 trials" in page
    assert list(pd.read_csv(tmp_path / "out/scoring/scores.csv")["arm"]) == ["real"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/home/me/a b", "PATH/TO/a b"),
        ("~/data/x", "PATH/TO/x"),
        ('["/a/b/c.csv"]', '["PATH/TO/c.csv"]'),
        ("https://host/a/b", "https://host/a/b"),
        ("runs/a/b and 1/2, ./c / d", "runs/a/b and 1/2, ./c / d"),
        ("--data ../../home/me/HAM", "--data PATH/TO/HAM"),
        ("--data /HAM --seed 1", "--data PATH/TO/HAM --seed 1"),
        ("~me/HAM/", "PATH/TO/HAM"),
        ("--data '/home/John Doe/HAM' -x", "--data 'PATH/TO/HAM' -x"),
        ('{"source": "/data/x y/HAM"}', '{"source": "PATH/TO/HAM"}'),
        ("/home/me/ /Users/me", "PATH/TO/HOME PATH/TO/HOME"),
    ],
)
def test_paths_keep_their_last_part(text: str, expected: str) -> None:
    assert without_folders(text) == expected


def test_a_table_is_markdown() -> None:
    table = Table("All of it.", ("a", "b"), (("group",), ("x|y", "1")))
    assert markdown(table) == (
        "| a | b |\n| --- | ---: |\n| **group** |  |\n| x\\|y | 1 |\n\nAll of it."
    )


def test_no_html_of_others_goes_out(results: RunResults, tmp_path: Path) -> None:
    asked = results.experiment.model_copy(update={"question": "<script>alert(1)</script>\n# b"})
    named = replace(results, experiment=asked)
    page = published(named, tmp_path / "out").read_text(encoding="utf-8")
    assert page.startswith("# &lt;script>alert(1)&lt;/script> # b\n")
    assert "<script" not in page
