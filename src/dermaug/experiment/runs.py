"""The run folder: what lies where, what is done, and whether it belongs to this experiment."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8

import dermaug
from dermaug.config import Experiment
from dermaug.data.catalog import Catalog
from dermaug.data.dataset import open_dataset, read_pixels
from dermaug.data.pixels import PixelStore
from dermaug.data.splits import Fold, make_folds, read_folds, reduce_training, write_folds
from dermaug.errors import DermaugError
from dermaug.experiment.jobs import Jobs, enumerate_jobs
from dermaug.experiment_file import difference, validate_experiment
from dermaug.files import read_json, read_record, require_writable, sweep, write_json

EXPERIMENT = "experiment.json"
MANIFEST = "run.json"
FOLDS = "folds.json"
DONE = "done.json"
PACKAGES = ("torch", "torchvision", "timm", "numpy", "scikit-learn", "pillow")


@dataclass(frozen=True, eq=False)
class Run:
    """A run folder with its data at hand.

    Args:
        folder: Where everything is written.
        experiment: What is asked.
        store: The data set, decoded.
        folds: The folds that are run.
    """

    folder: Path
    experiment: Experiment
    store: PixelStore
    folds: tuple[Fold, ...]

    @property
    def catalog(self) -> Catalog:
        """The data set."""
        return self.store.catalog

    @property
    def images(self) -> UInt8[np.ndarray, "n h w 3"]:
        """Its pixels, in the catalog's order."""
        return self.store.images

    @cached_property
    def jobs(self) -> Jobs:
        """All jobs of the experiment."""
        return enumerate_jobs(
            self.experiment,
            self.catalog.classes,
            counts_by_point(self.experiment, self.catalog, self.folds),
        )

    def fold(self, index: int, lesions: int = 0) -> Fold:
        """The fold of that index, its training part reduced to some lesions a class (0: all)."""
        whole = next(fold for fold in self.folds if fold.index == index)
        return reduce_training(self.catalog, whole, lesions, self.experiment.splits.seed)

    def is_done(self, key: str) -> bool:
        """Whether the job of that key has finished."""
        return (self.folder / key / DONE).exists()

    def mark_done(self, key: str) -> None:
        """Note, last of all, that the job of that key has finished."""
        write_json(self.folder / key / DONE, {"finished": now()})


def training_counts(catalog: Catalog, fold: Fold) -> dict[str, int]:
    """Label -> images in a fold's training part."""
    labels = catalog.table["label"].iloc[catalog.rows(fold.train)]
    return {label: int((labels == label).sum()) for label in catalog.classes}


def counts_by_point(
    experiment: Experiment, catalog: Catalog, folds: Sequence[Fold]
) -> dict[tuple[int, int], dict[str, int]]:
    """(fold, lesions) -> label -> images in the training part, for every point of the study."""
    seed = experiment.splits.seed
    return {
        (fold.index, lesions): training_counts(
            catalog, reduce_training(catalog, fold, lesions, seed)
        )
        for fold in folds
        for lesions in experiment.splits.sizes
    }


def synthetic_folder(run_folder: Path, generator_key: str) -> Path:
    """Where the images of a generator job lie."""
    return run_folder / generator_key / "synthetic"


def open_run(folder: Path, experiment: Experiment, command: str = "") -> Run:
    """Begin a run or go on with it.

    Args:
        folder: Created where there is none.
        experiment: Must be the one that the folder was begun with.
        command: What the user typed, for the report.

    Raises:
        DermaugError: The folder cannot be written, belongs to another experiment or to other data,
            or a lesion or an image is in two parts of a fold.
    """
    require_writable(folder)
    _refuse_other_experiment(folder, experiment)
    sweep(folder)
    catalog = open_dataset(experiment.data)
    _refuse_other_data(folder, catalog)
    store = read_pixels(catalog, experiment.data)
    folds = make_folds(store.catalog, experiment.splits, store.digests)
    if not (folder / MANIFEST).exists():
        write_folds(folder / FOLDS, folds)
        write_json(folder / EXPERIMENT, experiment.model_dump(mode="json"))
        write_json(folder / MANIFEST, _manifest(catalog, store, command))
    elif read_folds(folder / FOLDS) != folds:
        raise DermaugError(
            f"{folder}: its folds were made from other images; choose another --output"
        )
    return Run(folder, experiment, store, folds)


def read_run_experiment(folder: Path) -> Experiment:
    """The experiment that a run folder was begun with.

    Raises:
        DermaugError: The folder is no run.
    """
    if not (folder / EXPERIMENT).exists():
        raise DermaugError(
            f"{folder} is not a run of dermaug: it has no {EXPERIMENT}; expected the folder that "
            "`dermaug run` wrote, for example runs/quickstart"
        )
    return validate_experiment(read_json(folder / EXPERIMENT), str(folder / EXPERIMENT))


def note_device(run: Run, device: str) -> None:
    """Note where the jobs run."""
    write_json(run.folder / MANIFEST, read_json(run.folder / MANIFEST) | {"device": device})


def finish_run(run: Run) -> None:
    """Note when the last job ended."""
    manifest = read_json(run.folder / MANIFEST)
    if "finished" not in manifest:
        write_json(run.folder / MANIFEST, manifest | {"finished": now()})


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _refuse_other_experiment(folder: Path, experiment: Experiment) -> None:
    if not (folder / EXPERIMENT).exists():
        return
    if lines := difference(read_run_experiment(folder), experiment):
        raise DermaugError(
            f"{folder} was begun with another experiment; choose another --output, or delete it",
            lines,
        )


def _refuse_other_data(folder: Path, catalog: Catalog) -> None:
    if not (folder / MANIFEST).exists():
        return
    data = read_record(folder / MANIFEST).get("data")
    if not isinstance(data, dict) or not {"fingerprint", "skipped"} <= data.keys():
        raise DermaugError(
            f"{folder / MANIFEST}: expected what `dermaug run` noted of its data, found another "
            "content; put the file back as it was, or choose another --output"
        )
    before = data["fingerprint"]
    if before != catalog.fingerprint:
        raise DermaugError(
            f"{folder} was begun with other data (fingerprint {before}, now "
            f"{catalog.fingerprint}); choose another --output"
        )


def _manifest(catalog: Catalog, store: PixelStore, command: str) -> dict[str, Any]:
    return {
        "command": command,
        "version": dermaug.__version__,
        "started": now(),
        "data": {
            "name": catalog.name,
            "fingerprint": catalog.fingerprint,
            "images": len(store.catalog),
            "lesions": int(store.catalog.table["lesion_id"].nunique()),
            "notes": list(store.catalog.notes),
            "skipped": {bad.path: bad.reason for bad in store.skipped},
        },
        "machine": _machine(),
        "versions": {"python": platform.python_version()} | {p: version(p) for p in PACKAGES},
    }


def _machine() -> dict[str, Any]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    pages = (
        os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
    )
    return {
        "cpu": _processor(),
        "cores": cores,
        "memory_gib": round(pages / 2**30, 1),
        "gpu": torch.cuda.get_device_name(0) if torch.cuda.is_available() else None,
        "platform": f"{platform.system()} {platform.machine()}",
    }


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    if described.exists():
        for line in described.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
