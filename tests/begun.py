"""A run that is begun and of which no job is done."""

from pathlib import Path

from dermaug.config import Experiment
from dermaug.experiment.run.run import Run, begin_run, prepare_run
from dermaug.output_places import require_writable


def open_run(folder: Path, experiment: Experiment, command: str = "") -> Run:
    """Start or resume a run."""
    require_writable(folder)
    run = prepare_run(folder, experiment)
    begin_run(run, command)
    return run
