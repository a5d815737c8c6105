"""The grid done by one process, with which the launchers are compared; made once per worker."""

from pathlib import Path

import pytest
from small_grid import done, written

from dermaug.experiment_file import read_experiment


@pytest.fixture(scope="session")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The experiment file of the grid."""
    return written(tmp_path_factory.mktemp("grid"))


@pytest.fixture(scope="session")
def serially(grid: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The grid, one job after the other."""
    return done(tmp_path_factory.mktemp("runs") / "serially", read_experiment(grid))
