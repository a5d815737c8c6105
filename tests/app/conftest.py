"""A study of seconds with its scoring, as the page opens it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dermaug.app.opened import Opened, open_for_page
from dermaug.experiment.launchers.launch import run_experiment
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.run.layout import RunFolder
from dermaug.experiment.run.reading import read_results
from dermaug.experiment.run.run import prepare_run
from dermaug.experiment_file import validate_experiment
from dermaug.scoring.scoring import score

STUDY = {
    "name": "page",
    "question": "Do drawn images help?",
    "data": {"size": 32, "classes": ["mel", "nv"], "phantom": {"number": 60, "balanced": True}},
    "splits": {"folds": 3, "run": [0]},
    "seeds": [0],
    "check_convergence": False,
    "classifiers": [{"model": "fridadar", "images": 64, "batch": 16, "validations": 2}],
    "generators": [
        {"family": "dcgan", "classes": ["mel"], "images": 32, "batch": 16, "width": 4, "latent": 8},
        {"family": "flow", "images": 16, "batch": 8, "width": 8, "options": {"steps": 2}},
    ],
    "arms": [
        {"name": "classic", "policy": "standard"},
        *(
            {
                "name": f"classic+{family}",
                "policy": "standard",
                "synthetic": {"family": family, "dose": {"mel": 8}, "max_per_real": 0},
            }
            for family in ("dcgan", "flow")
        ),
    ],
}


@pytest.fixture(scope="session")
def scored_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the study, run and scored."""
    folder = tmp_path_factory.mktemp("page") / "run"
    experiment = validate_experiment(STUDY, "page")
    run_experiment(folder, experiment, Launch("cpu", "32-true"))
    score(read_results(prepare_run(folder, experiment)), resamples=40).write(
        folder, RunFolder(folder)
    )
    return folder


@pytest.fixture(scope="session")
def shown(scored_run: Path) -> Opened:
    """The study, opened once."""
    return open_for_page(scored_run, None, torch.device("cpu"), scored_run / "app")


@pytest.fixture
def opened(shown: Opened, tmp_path: Path) -> Opened:
    """The study, which saves into an empty folder."""
    return replace(shown, output=tmp_path / "saved")


@pytest.fixture(scope="session")
def server(scored_run: Path) -> Iterator[tuple[int, int]]:
    """Port and process of the page of the study, served by the command."""
    pytest.importorskip("gradio", reason="NOT TESTED: the page; install the extra app")
    command = [sys.executable, "-c", "from dermaug.cli import main; main()"]
    with subprocess.Popen(
        [*command, "app", str(scored_run), "--port", "0", "--device", "cpu"],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"HOME": str(scored_run.parent), "COLUMNS": "200"},
    ) as served:
        assert served.stderr is not None
        found = None
        while found is None and (line := served.stderr.readline()):
            found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        assert found, "the page did not start"
        yield int(found[1]), served.pid
        served.terminate()
        _, told = served.communicate(timeout=30)
        assert served.returncode == 143
        assert "Traceback" not in told


@pytest.fixture(scope="session")
def port(server: tuple[int, int]) -> int:
    """Port of the page of the study."""
    return server[0]
