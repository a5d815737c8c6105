"""An array of jobs, by submitit's executor of this machine, shares a run as SLURM's would."""

from pathlib import Path

import pytest
from small_grid import done, results

from dermaug.errors import DermaugError
from dermaug.experiment_file import read_experiment

pytest.importorskip("submitit", reason="NOT TESTED: the extra `submitit` is not installed")


@pytest.mark.slow
def test_array_gives_the_results_of_one_process(tmp_path: Path, grid: Path, serially: Path) -> None:
    folder = done(tmp_path / "run", read_experiment(grid), launcher="submitit", jobs=2)
    assert results(folder) == results(serially)
    assert not list(folder.rglob("claim.json"))


def test_unknown_setting_is_refused(tmp_path: Path, grid: Path) -> None:
    asked = read_experiment(grid)
    with pytest.raises(DermaugError, match="--submit: expected settings of submitit"):
        done(tmp_path / "run", asked, launcher="submitit", jobs=2, submit=("no_such=1",))
