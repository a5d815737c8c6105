"""Trackers: the numbers of a journal, also for trackio, Weights & Biases or MLflow.

The environment variable DERMAUG_TRACKER names one; it is no part of an experiment, because it
changes no result. Its library is imported when a training begins, and reads its own variables.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from dermaug.console import console
from dermaug.extras import to_install

VARIABLE, PROJECT = "DERMAUG_TRACKER", "dermaug"
_warned: set[str] = set()
"""Trackers whose failure this process has told of."""


class Tracker(Protocol):
    """What a tracker can do."""

    def log(self, images: int, values: Mapping[str, float]) -> None:
        """Add one point to each curve, at the number of images shown."""

    def finish(self, *, completed: bool) -> None:
        """Close the curves of this training."""


class _Trackio:
    def __init__(self, name: str) -> None:
        import trackio

        self._api: Any = trackio
        self._api.init(project=PROJECT, name=name)

    def log(self, images: int, values: Mapping[str, float]) -> None:
        self._api.log(dict(values), step=images)

    def finish(self, *, completed: bool) -> None:
        self._api.finish()


class _Wandb:
    def __init__(self, name: str) -> None:
        import wandb

        self._run: Any = wandb.init(project=PROJECT, name=name)

    def log(self, images: int, values: Mapping[str, float]) -> None:
        self._run.log(dict(values), step=images)

    def finish(self, *, completed: bool) -> None:
        self._run.finish(exit_code=0 if completed else 1)


class _Mlflow:
    def __init__(self, name: str) -> None:
        import mlflow

        experiment = mlflow.set_experiment(PROJECT)  # found or made, also by two processes at once
        self._client: Any = mlflow.MlflowClient()
        self._run = self._client.create_run(experiment.experiment_id, run_name=name).info.run_id

    def log(self, images: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._client.log_metric(self._run, name, value, step=images)

    def finish(self, *, completed: bool) -> None:
        self._client.set_terminated(self._run, "FINISHED" if completed else "KILLED")


TRACKERS: dict[str, Callable[[str], Tracker]] = {
    "trackio": _Trackio,
    "wandb": _Wandb,
    "mlflow": _Mlflow,
}


class GuardedTracker:
    """The tracker that the environment names, if any; its failure ends it, not the training.

    Args:
        folder: Folder of the training, whose last parts name its curves.
    """

    def __init__(self, folder: Path) -> None:
        self._name = os.environ.get(VARIABLE, "")
        self._tracker: Tracker | None = None
        if self._name and self._name not in TRACKERS:
            self._warn(f"expected {', '.join(TRACKERS)}")
        elif self._name:
            self._guarded(lambda: self._open("/".join(folder.absolute().parts[-5:])))

    def log(self, images: int, values: Mapping[str, float]) -> None:
        """Add one point to each curve."""
        if tracker := self._tracker:
            self._guarded(lambda: tracker.log(images, values))

    def finish(self, *, completed: bool) -> None:
        """Close the curves; those of a training that was interrupted say so where they can."""
        if tracker := self._tracker:
            self._guarded(lambda: tracker.finish(completed=completed))

    def _open(self, name: str) -> None:
        self._tracker = TRACKERS[self._name](name)

    def _guarded(self, do: Callable[[], None]) -> None:
        try:
            do()
        except ModuleNotFoundError:
            how = to_install("mlflow") if self._name == "mlflow" else f"`pip install {self._name}`"
            self._warn(f"it is not installed: {how}")
        except Exception as error:  # anything: the network, an account, another version of it
            self._tracker = None
            self._warn(f"{type(error).__name__}: {error}".splitlines()[0])

    def _warn(self, reason: str) -> None:
        if self._name not in _warned:
            _warned.add(self._name)
            console.print(
                f"{VARIABLE}={self._name}: no curves there ({reason}); trainings go on, and "
                "their journals and TensorBoard's files are complete"
            )
