"""`--json` prints one JSON document to standard output, and all messages to standard error."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer.testing
from begun import open_run

from dermaug.cli import app
from dermaug.config import PhantomConfig
from dermaug.data.sources.phantom import write_phantoms
from dermaug.experiment.launchers.duration import START_SECONDS
from dermaug.experiment_file import validate_experiment


def printed(*words: str | Path, code: int = 0) -> Any:
    ended = typer.testing.CliRunner().invoke(app, [*map(str, words), "--json"])
    assert ended.exit_code == code, ended.output
    return json.loads(ended.stdout)


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    asked = PhantomConfig(number=70, balanced=True)
    return write_phantoms(tmp_path_factory.mktemp("data") / "phantoms", asked, 32)


def test_data_check(phantoms: Path, tmp_path: Path) -> None:
    found = printed("data", "check", phantoms)
    assert found["images"] == 70
    assert [row["images"] for row in found["classes"]] == [10] * 7
    assert found["refused"] == []
    (tmp_path / "one" / "mel").mkdir(parents=True)
    some = sorted(phantoms.rglob("ISIC*.jpg"))[:4]
    for path in some:
        (tmp_path / "one" / "mel" / path.name).write_bytes(path.read_bytes())
    assert len(printed("data", "check", tmp_path / "one", code=2)["refused"]) == 1


def test_dry_run(phantoms: Path, tmp_path: Path) -> None:
    study = tmp_path / "small.toml"
    study.write_text(
        'name = "small"\nseeds = [0, 1]\n[data]\nsize = 32\n[splits]\nrun = [0]\n'
        '[[classifiers]]\nimages = 64\nbatch = 16\n[[arms]]\nname = "real"\n'
    )
    found = printed("run", study, "--data", phantoms, "--dry-run", "--device", "cpu")
    assert [job["images"] for job in found["jobs"]] == [64, 64]
    total = sum(job["minutes"] for job in found["jobs"])  # two jobs, perhaps at the same time
    assert 0.49 * total < found["minutes"] - START_SECONDS / 60 < 1.01 * total
    assert set(found["detectable"]) >= {"balanced_accuracy", "sensitivity", "is_judged"}
    assert "needs --dry-run" in printed("run", study, code=2)["error"]


def test_a_refused_set_is_told_in_json(tmp_path: Path) -> None:
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "metadata.csv").write_text("file_name,label\na.jpg,mel\nb.jpg,nv\n")
    for words in (["data", "check"], ["data", "summary"], ["plan"]):
        found = printed(*words, tmp_path / "odd", code=2)
        assert "expected a complete and consistent data set" in found["error"]
        assert "no image file for file_name 'a.jpg'" in found["details"][0]
    assert not list(tmp_path.glob("*.toml"))


def test_data_summary(phantoms: Path, tmp_path: Path) -> None:
    found = printed("data", "summary", phantoms, "--size", "16", "--output", tmp_path / "figures")
    (first, *_) = found["tables"]["Images and lesions"]
    assert (first["class"], first["images"]) == ("akiec", 10)
    assert all(Path(figure).is_file() for figure in found["figures"])


def test_score_and_report(phantoms: Path, tmp_path: Path) -> None:
    tree = {
        "name": "small",
        "data": {"source": str(phantoms), "size": 32},
        "splits": {"folds": 3},
        "arms": [{"name": "real"}],
    }
    open_run(tmp_path / "run", validate_experiment(tree, "small"))
    found = printed("score", tmp_path / "run")
    assert found["scores"] == []
    assert (Path(found["folder"]) / "verdicts.csv").is_file()
    found = printed("report", tmp_path / "run")
    assert Path(found["report"]).is_file()
    assert found["verdicts"] == []
