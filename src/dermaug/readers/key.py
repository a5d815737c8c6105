"""The key of a reader test: what each image is, and the order in which each reader sees them."""

from pathlib import Path
from typing import Literal

from dermaug.errors import DermaugError
from dermaug.experiment.run.results import RunResults
from dermaug.files import Record

KEY = "key.json"
SEND = "send"
"""Folder of the files that readers receive; the key lies outside of it."""
REAL: Literal["real"] = "real"
SYNTHETIC: Literal["synthetic"] = "synthetic"
ORIGINS = (REAL, SYNTHETIC)


class Case(Record):
    """One image of the test."""

    origin: Literal["real", "synthetic"]
    label: str
    """Its class: the diagnosis of a real lesion, or the class that a generator was asked for."""
    generator: str
    """Key of the generator; "" for a real image."""
    source: str
    """Id of a real image, or the generator's fold and seed and the number of the image."""
    opinions: dict[str, str]
    """Classifier -> the class that it predicts."""


class ReaderKey(Record):
    """`key.json`."""

    format: Literal[2] = 2
    test: str
    """Random name of the test, which pages and answers repeat."""
    run: str
    """Name of the experiment."""
    run_id: str
    """`RunRecord.id` of the run."""
    generators: dict[str, str]
    """Each network that may have drawn images -> digest of its checkpoint."""
    data: str
    """Name of the data set."""
    fold: int
    """The fold whose generators drew the images, and on whose other splits the real ones lie."""
    size: int
    """Side of the images in pixels."""
    classes: tuple[str, ...]
    """The diagnoses offered."""
    cases: tuple[Case, ...]
    orders: dict[str, tuple[int, ...]]
    """Reader -> places in `cases`, in the order shown."""


def generator_digests(results: RunResults, fold: int) -> dict[str, str]:
    """The networks of a fold, in words -> digest of the checkpoint of each."""
    return {
        f"{one.family} {one.record.label}, seed {one.seed}": one.record.digest
        for one in results.networks
        if one.fold == fold
    }


def refuse_other_test(folder: Path, key: ReaderKey, results: RunResults) -> None:
    """Raise unless a reader test was made from a run and its generators as they are.

    Args:
        folder: Folder of the test.
        key: Its key.
        results: The run.

    Raises:
        DermaugError: It was made from another run, or one of its generators was trained again.
    """
    now = generator_digests(results, key.fold)
    changed = [name for name, one in key.generators.items() if now.get(name, one) != one]
    if key.run_id != results.record.id or changed:
        what = f"an earlier {changed[0]}" if key.run_id == results.record.id else "another run"
        raise DermaugError(
            f"{folder / KEY}: expected a reader test of this run and its generators, found that of "
            f"{what}; move {folder} to another place: its scores are also in its own page"
        )


def read_key(folder: Path) -> ReaderKey:
    """Read the key of a reader test.

    Args:
        folder: Folder that `dermaug readers make` wrote.

    Raises:
        DermaugError: There is no key, or it is damaged.
    """
    if not (folder / KEY).is_file():
        raise DermaugError(
            f"{folder}: expected a folder that `dermaug readers make` wrote, with {KEY} in it; "
            "found no key. It stays with you and is not among the files that were sent"
        )
    return ReaderKey.read(folder / KEY)
