"""Several runs in one table: what each answered, and what stays of it under one rule for all."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawn import drawn_run_record, scored
from typer.testing import CliRunner

from dermaug.cli import app
from dermaug.errors import DermaugError
from dermaug.experiment.run.layout import RunFolder
from dermaug.experiment.run.results import RunResults
from dermaug.files import content_digest, read_sealed, write_json, write_sealed
from dermaug.scoring.leaderboard import CONTRASTS, compare_runs, list_runs
from dermaug.scoring.scoring import Scoring
from dermaug.stats.multiplicity import holm

Study = Callable[..., RunResults]


NEW = "classifiers/real/fridadar/fold4-seed9"


def written(folder: Path, results: RunResults, question: str = "", finished: str = "") -> RunFolder:
    """The files of a run of which nothing is left but its experiment."""
    files = RunFolder(folder)
    asked = results.experiment.model_dump(mode="json") | {"question": question}
    write_sealed(files.experiment, asked)
    noted = {"id": folder.name, "experiment": content_digest(asked), "finished": finished}
    drawn_run_record(results.catalog).model_copy(update=noted).write(files.record)
    return files


def forged(run: Path, **entries: object) -> None:
    """A `run.json` with other entries, sealed again."""
    write_sealed(run / "run.json", read_sealed(run / "run.json") | entries)


def trained(run: Path) -> None:
    """A training has ended."""
    forged(run, jobs=[NEW])
    write_json(run / NEW / "record.json", {})


@pytest.fixture(scope="module")
def runs(drawn_study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two finished runs, one begun one, and one of another version."""
    place = tmp_path_factory.mktemp("runs")
    for name, skill in (("weak", 1.3), ("nested/strong", 3.0)):
        results = drawn_study(skill={"real": 1.2, "classic": skill}, seeds=(0, 1))
        files = written(place / name, results, f"Is this {name}?", "2026-01-01T01:30:00+00:00")
        scored(results).write(files.path, files)
    written(place / "begun", drawn_study())
    write_json(place / "old/run.json", {"format": 1})
    write_json(place / "old/experiment.json", {})
    return place


def test_runs_are_listed_with_state_time_and_answer(runs: Path) -> None:
    table = list_runs(runs).set_index("run")
    assert table["state"].to_dict() == {
        "begun": "unfinished",
        "nested/strong": "finished",
        "old": "unreadable",
        "weak": "finished",
    }
    assert table.loc["weak", "hours"] == 1.5
    assert table.loc["nested/strong", "answer"] == "other arms: helps 1"
    assert table.loc["begun", "answer"] == "–"


def test_verdicts_on_generated_images_are_not_mixed_with_those_of_other_arms(
    drawn_study: Study, tmp_path: Path
) -> None:
    skill = {"real": 1.2, "classic": 3.0, "synthetic": 1.2, "synthetic-replay": 1.2}
    results = drawn_study(skill=skill, seeds=(0, 1))
    files = written(tmp_path / "run", results)
    scored(results).write(files.path, files)
    table = compare_runs([files.path])
    dosed = table["arm"] == "synthetic"
    assert 0 < dosed.sum() < len(table)
    ours, others = list_runs(tmp_path)["answer"].item().split("; other arms: ")
    for told, rows in ((ours, table[dosed]), (others, table[~dosed])):
        counts = dict(part.rsplit(" ", 1) for part in told.split(", "))
        expected = rows["verdict"].value_counts().to_dict()
        assert {verdict: int(count) for verdict, count in counts.items()} == expected


def test_the_table_holds_the_verdicts_of_each_run_best_first(runs: Path) -> None:
    folders = [runs / "weak", runs / "nested/strong"]
    table = compare_runs(folders)
    assert list(table.columns) == list(CONTRASTS)
    assert table["run"].tolist() == ["strong", "weak"]
    for folder in folders:
        verdicts = Scoring.read(folder).verdicts
        own = verdicts[verdicts["family"] == "mean sensitivity"].iloc[0]
        row = table.set_index("run").loc[folder.name]
        assert (row["verdict"], row["p_holm"]) == (own["verdict"], own["p_holm"])


def test_one_rule_for_all_adjusts_the_raw_p_values_of_all(runs: Path) -> None:
    folders = [runs / "weak", runs / "nested/strong"]
    raw = pd.concat(Scoring.read(folder).verdicts for folder in folders)
    raw = raw[raw["family"] == "mean sensitivity"]["p"].to_numpy()
    table = compare_runs(folders, across=True).set_index("run")
    np.testing.assert_allclose(table.loc[["weak", "strong"], "p_holm"], holm(raw))
    assert table.loc["strong", "p_holm"] > compare_runs(folders).set_index("run")["p_holm"].min()


def test_a_run_without_scores_and_one_named_twice_are_refused(runs: Path, tmp_path: Path) -> None:
    with pytest.raises(DermaugError, match=r"found no scores\.csv; run `dermaug score"):
        compare_runs([runs / "begun"])
    copy = shutil.copytree(runs / "weak", tmp_path / "copy")
    with pytest.raises(DermaugError, match="found copies of one run"):
        compare_runs([runs / "weak", copy])
    with pytest.raises(DermaugError, match="found one of them twice"):
        compare_runs([runs / "weak", runs / "weak"])


def test_the_commands_print_both_tables(runs: Path) -> None:
    listed = CliRunner().invoke(app, ["runs", str(runs)])
    assert "nested/strong" in listed.stdout
    compared = CliRunner().invoke(app, ["compare", str(runs / "weak"), "--json"])
    assert '"run": "weak"' in compared.stdout
    assert CliRunner().invoke(app, ["runs", str(runs / "absent")]).exit_code == 2


def edited(path: Path) -> None:
    """Another verdict, in a table that is otherwise whole."""
    path.write_text(path.read_text().replace("helps", "hurts"))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda run: edited(run / "scoring/verdicts.csv"), "found that it was changed since"),
        (lambda run: (run / "scoring/verdicts.csv").write_text(""), "found that it was changed"),
        (lambda run: (run / "scoring/ladder.csv").unlink(), r"found no ladder\.csv"),
        (lambda run: (run / "scoring/digests.json").unlink(), r"found no digests\.json"),
        (
            lambda run: (run / "scoring/digests.json").write_text('{"before": 1}'),
            r"found a digests\.json that is damaged or of another version",
        ),
        (
            lambda run: shutil.copytree(
                run.parent / "weak/scoring", run / "scoring", dirs_exist_ok=True
            ),
            "found that of other results",
        ),
        (trained, "found that of other results"),
    ],
    ids=["verdict", "empty", "table", "digests", "version", "other run", "new training"],
)
def test_tables_that_are_not_those_of_the_run_are_refused(
    runs: Path, tmp_path: Path, change: Callable[[Path], object], expected: str
) -> None:
    shutil.copytree(runs / "nested/strong", tmp_path / "run")
    shutil.copytree(runs / "weak", tmp_path / "weak")
    change(tmp_path / "run")
    with pytest.raises(DermaugError, match=f"{expected}.*run `dermaug score {tmp_path / 'run'}`"):
        compare_runs([tmp_path / "run"])
    answers = list_runs(tmp_path).set_index("run")["answer"]
    assert answers["run"] == "to be scored again"
    assert answers["weak"] != "to be scored again"


def test_a_run_that_lost_a_training_is_unfinished(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "weak", tmp_path / "run")
    forged(tmp_path / "run", jobs=[NEW])
    assert list_runs(tmp_path)["state"].item() == "unfinished"
    copied = tmp_path / "run" / NEW.replace("seed9", "seed9 (copy)") / "record.json"
    write_json(copied, {})
    listed = list_runs(tmp_path)
    assert (listed["state"].item(), listed["trials"].item()) == ("unfinished", 0)


def test_a_run_whose_experiment_is_damaged_is_unreadable(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "weak", tmp_path / "weak")
    (tmp_path / "weak/experiment.json").write_text("{")
    assert list_runs(tmp_path)["state"].tolist() == ["unreadable"]


@pytest.mark.parametrize("name", ["run.json", "experiment.json"])
def test_a_run_that_lost_what_says_what_it_is_is_unreadable(
    runs: Path, tmp_path: Path, name: str
) -> None:
    shutil.copytree(runs / "weak", tmp_path / "weak")
    trained(tmp_path / "weak")
    shutil.copytree(tmp_path / "weak", tmp_path / "published")
    (tmp_path / "published" / "tables.md").touch()
    (tmp_path / "weak" / name).unlink()
    assert list_runs(tmp_path)[["run", "state"]].values.tolist() == [["weak", "unreadable"]]


@pytest.mark.skipif(sys.platform != "linux", reason="names are text there")
def test_a_run_whose_name_is_not_utf_8_hides_no_other(runs: Path, tmp_path: Path) -> None:
    for name in (b"r\xff", b"weak"):
        shutil.copytree(runs / "weak", tmp_path / os.fsdecode(name))
    listed = list_runs(tmp_path)
    assert listed["state"].tolist() == ["unreadable", "finished"]
    assert listed["run"].tolist() == ["r\\udcff", "weak"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("name", ["", "run.json", "experiment.json", "scoring", NEW])
def test_a_run_without_rights_hides_no_other(runs: Path, tmp_path: Path, name: str) -> None:
    for run in ("closed", "open"):
        shutil.copytree(runs / "weak", tmp_path / run)
    trained(tmp_path / "closed")
    (tmp_path / "closed" / name).chmod(0)
    try:
        assert list_runs(tmp_path)["state"].tolist() == ["unreadable", "finished"]
    finally:
        (tmp_path / "closed" / name).chmod(0o700)
