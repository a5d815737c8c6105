from pathlib import Path

import pytest

from dermaug.training import trackers
from dermaug.training.journal import Journal, read_journal


@pytest.fixture(autouse=True)
def unwarned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trackers, "_warned", set())


def write(folder: Path) -> None:
    with Journal(folder) as journal:
        journal.write(100, 1.0, {"loss": 0.5})
        journal.write(200, 2.0, {"loss": 0.25})


@pytest.mark.parametrize("name", ["minerva", "trackio"])
def test_a_tracker_that_fails_is_told_of_once_and_stops_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: str) -> trackers.Tracker:
        raise ConnectionError("no network\nat all")

    monkeypatch.setitem(trackers.TRACKERS, "trackio", broken)
    monkeypatch.setenv(trackers.VARIABLE, name)
    for folder in ("one", "two"):
        write(tmp_path / folder)
        assert [row["images"] for row in read_journal(tmp_path / folder / "journal.jsonl")] == [
            100,
            200,
        ]
    told = " ".join("".join(capsys.readouterr()).split())
    assert told.count(trackers.VARIABLE) == 1
    assert ("no network" if name == "trackio" else "expected trackio, wandb, mlflow") in told


def test_mlflow_holds_the_curves_of_a_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlflow = pytest.importorskip("mlflow", reason="NOT TESTED: MLflow; uv sync --extra mlflow")
    monkeypatch.setenv(trackers.VARIABLE, "mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlruns").as_uri())
    write(tmp_path / "runs" / "study" / "classifiers" / "real" / "net" / "fold0-seed0")
    client = mlflow.MlflowClient()
    (experiment,) = client.search_experiments(filter_string="name = 'dermaug'")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.run_name == "study/classifiers/real/net/fold0-seed0"
    assert run.info.status == "FINISHED"
    points = client.get_metric_history(run.info.run_id, "loss")
    assert [(point.step, point.value) for point in points] == [(100, 0.5), (200, 0.25)]
