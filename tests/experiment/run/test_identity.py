"""A run is told apart from another one by all that its networks depend on, defaults included."""

from pathlib import Path

import pytest
from begun import open_run

from dermaug.errors import DermaugError
from dermaug.experiment.run.identity import read_run_experiment, with_own_options
from dermaug.experiment.run.layout import EXPERIMENT
from dermaug.experiment_file import validate_experiment
from dermaug.files import content_digest, read_sealed, write_json, write_sealed
from dermaug.generators import FAMILIES
from dermaug.generators.acgan import Acgan

TREE = {
    "name": "identity",
    "data": {"size": 32, "phantom": {"number": 70, "balanced": True}},
    "splits": {"folds": 3, "run": [0]},
    "generators": [{"family": "acgan", "options": {"kernel": 5}}],
    "arms": [{"name": "real"}],
}


@pytest.mark.parametrize("family", FAMILIES)
def test_run_of_any_family_goes_on(tmp_path: Path, family: str) -> None:
    """What was written down is what the file asks for: 10000 and 10000.0 are one number."""
    asked = validate_experiment(TREE | {"generators": [{"family": family}]}, "test")
    run = open_run(tmp_path / "run", asked)
    assert open_run(run.folder, asked).experiment == run.experiment
    assert with_own_options(read_run_experiment(run.folder)) == run.experiment


def test_every_option_is_written_down(tmp_path: Path) -> None:
    run = open_run(tmp_path / "run", validate_experiment(TREE, "test"))
    (written,) = read_run_experiment(run.folder).generators
    assert written.options == Acgan.Options(kernel=5).model_dump()
    assert all(job.config.options == written.options for job in run.jobs.generators)


def test_run_begun_with_another_default_is_another_one(tmp_path: Path) -> None:
    asked = validate_experiment(TREE, "test")
    folder = open_run(tmp_path / "run", asked).folder
    open_run(folder, asked)
    begun = read_sealed(folder / EXPERIMENT)
    begun["generators"][0]["options"]["joined"] = "concatenated"
    write_sealed(folder / EXPERIMENT, begun)
    with pytest.raises(DermaugError, match="expected the experiment with which this run was"):
        open_run(folder, asked)
    noted = read_sealed(folder / "run.json") | {"experiment": content_digest(begun)}
    write_sealed(folder / "run.json", noted)
    with pytest.raises(DermaugError, match="another experiment") as caught:
        open_run(folder, asked)
    assert caught.value.details == ('generators.0.options.joined: "concatenated" -> "product"',)


def test_sizes_that_give_one_training_part_are_refused(tmp_path: Path) -> None:
    for lesions, found in (([4, 500, 0], r"all \(0\) and 500"), ([600, 500], "600 and 500")):
        tree = TREE | {"splits": {"folds": 3, "run": [0], "lesions": lesions}}
        with pytest.raises(DermaugError, match=f"splits.lesions: .*{found} lesions per class"):
            open_run(tmp_path / "run", validate_experiment(tree, "test"))
    assert not (tmp_path / "run" / EXPERIMENT).exists()


def test_run_of_an_earlier_version_is_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "experiment.json", {"policy": "a key of old"})
    write_json(tmp_path / "run.json", {"command": "dermaug run"})
    with pytest.raises(DermaugError, match="another version of dermaug made it"):
        read_run_experiment(tmp_path)
