"""Tables of the generators, from a small study with a monitored generator and a curated arm."""

from pathlib import Path

from drawn import reported, scored

from dermaug.experiment.launchers.launch import run_experiment
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.run.reading import read_results
from dermaug.experiment_file import validate_experiment
from dermaug.inspection.planes import audit_images
from dermaug.report.sections.training import curation_table, health_table

TREE = {
    "name": "health",
    "seeds": [0, 1],
    "data": {"size": 32, "classes": ["mel", "nv"], "phantom": {"number": 600, "balanced": True}},
    "splits": {"folds": 3, "run": [0]},
    "classifiers": [{"images": 160, "batch": 16, "validations": 1}],
    "generators": [
        {"family": "dcgan", "classes": ["mel"], "images": 320, "batch": 16, "width": 4, "latent": 8}
    ],
    "arms": [
        {"name": "real"},
        {
            "name": "curated",
            "replay": False,
            "synthetic": {"dose": 20, "curation": {"confidence": 1.0}},
        },
    ],
}


def test_health_and_curation_are_told(tmp_path: Path) -> None:
    experiment = validate_experiment(TREE, "test")
    run = run_experiment(tmp_path / "run", experiment, Launch("cpu", "32-true"))
    audit_images(run, "cpu")
    results = read_results(run)
    health = health_table(results)
    assert health is not None
    (row,) = health.rows
    assert row[0] == "dcgan, mel"
    shown = results.generators[0].record.images
    assert row[3].endswith(f" of {shown}")
    assert all(float(value) >= 0.0 for value in row[5:7])
    curation = curation_table(results)
    assert curation is not None
    assert curation.rows[0][:3] == ("curated", "mel", "40")
    assert int(curation.rows[0][-2]) < 20
    rejected, real = (int(part) for part in curation.rows[0][-1].split(" of "))
    assert 0 <= rejected <= real
    curated = [trial.record.curation for trial in results.trials if trial.record.curation]
    assert curated[0]["mel"].real
    assert any(
        "fewer images than the dose, mean over trials: curated (mel): " in each
        for each in scored(results).threats["sentence"]
    )
    page = reported(results).read_text(encoding="utf-8")
    assert "Health of the generators" in page
    assert "Snapshots are thus selected on validation images" in page
    assert "The test split is used for neither." in page
    assert "A larger curation.pool gives more" in page
