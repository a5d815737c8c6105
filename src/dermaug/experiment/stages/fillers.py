"""Sources of the images of a dose, one function per source."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from jaxtyping import Int, UInt8

from dermaug.config.arms import FOLDER, ORACLE, REPLAY
from dermaug.data.augmentation import fridadar
from dermaug.data.image_bank import ImageBank
from dermaug.data.image_rows import ImageRows
from dermaug.data.sources.phantom import draw_class
from dermaug.data.splits import Fold
from dermaug.errors import DermaugError
from dermaug.experiment.plan.jobs import ClassifierJob
from dermaug.experiment.run.artefacts import drawn_set
from dermaug.experiment.run.identity import folder_store
from dermaug.experiment.run.run import Run
from dermaug.experiment.stages.curating import Removed, curated_dose, take_dose
from dermaug.files import expanded
from dermaug.seeding import derive_seed
from dermaug.synthesis.synthetic_set import MANIFEST, read_synthetic_set, refuse_leakage
from dermaug.training.order import Order

CHUNK = 512
"""Images that are augmented together."""
Images = UInt8[np.ndarray, "n h w 3"]
Labels = Int[np.ndarray, " n"]


@dataclass(frozen=True, eq=False)
class Dose:
    """The images that an arm adds to the real ones.

    Args:
        images: uint8 (n, size, size, 3).
        removed: Images rejected by curation, by class and rule; empty without curation.
    """

    images: Images
    labels: Labels
    removed: Removed = field(default_factory=dict)


Filler = Callable[[Run, ClassifierJob, Fold, Mapping[str, int], torch.device], Dose]


def generated(
    run: Run, job: ClassifierJob, fold: Fold, dose: Mapping[str, int], device: torch.device
) -> Dose:
    """Images drawn by the trial's generators, restricted to those that pass the arm's curation."""
    synthetic = job.mixture.synthetic
    assert synthetic is not None
    asked = job.generators if any(dose.values()) else ()  # without a dose there may be no set
    sets = [drawn_set(run.job(key), synthetic.translation) for key in asked]
    if synthetic.curation is not None:
        images, names, removed = curated_dose(run, job, fold, sets, dose, device)
        return replace(_placed(run, images, names), removed=removed)
    return _placed(run, *take_dose(sets, dose, fold, job.key))


def _replay(
    run: Run, job: ClassifierJob, fold: Fold, dose: Mapping[str, int], _device: torch.device
) -> Dose:
    """The control: the same dose drawn again from the real training images."""
    rows = run.catalog.rows(fold.train)
    labels = run.catalog.labels[rows]
    again = repeat(labels, _by_place(run, dose), derive_seed("replay", job.fold, job.seed))
    return Dose(run.images[rows[again]], labels[again])


def repeat(
    labels: Int[np.ndarray, " n"], dose: Mapping[int, int], seed: int
) -> Int[np.ndarray, " m"]:
    """Draw rows of real images again; every image of a class is drawn before any is repeated.

    Args:
        labels: Class of each real row.
        dose: Class -> number of rows.
        seed: Random seed; smaller doses are the beginning of larger ones.

    Raises:
        DermaugError: A class has a dose but no real image.
    """
    parts = [np.empty(0, dtype=np.int64)]
    for label, number in dose.items():
        rows = np.flatnonzero(labels == label)
        if number and not len(rows):
            raise DermaugError(f"class {label} has no real image to repeat")
        if number:
            parts.append(rows[Order(len(rows), derive_seed(seed, label)).batch(0, number)])
    return np.concatenate(parts)


def variants(run: Run, job: ClassifierJob, fold: Fold) -> tuple[Images, Labels]:
    """Real training images, augmented once each by the policy of Frid-Adar et al. (section II-B).

    Returns:
        uint8 (n, size, size, 3), as many of each class as `variants` of the arm says; their labels.
    """
    rows = run.catalog.rows(fold.train)
    labels = run.catalog.labels[rows]
    seed = derive_seed("variants", job.fold, job.seed)
    dose = dict.fromkeys(np.unique(labels).tolist(), job.mixture.variants)
    again = repeat(labels, dose, seed)
    bank = ImageBank.of(ImageRows((run.images, rows)), labels, torch.device("cpu"))
    random = torch.Generator().manual_seed(seed)
    changed = []
    for start in range(0, len(again), CHUNK):
        images, _ = bank.batch(again[start : start + CHUNK])
        varied = fridadar(images, random).mul(255.0).round().to(torch.uint8)
        changed.append(varied.permute(0, 2, 3, 1).numpy())
    return np.concatenate(changed), labels[again]


def _oracle(
    run: Run, job: ClassifierJob, fold: Fold, dose: Mapping[str, int], _device: torch.device
) -> Dose:
    """New phantom lesions from the true distribution, the best that any generator could achieve."""
    size = run.experiment.data.size
    drawn = [
        draw_class(label, number, derive_seed("oracle", job.fold, job.seed, label), size).images
        for label, number in dose.items()
        if number
    ]
    names = [label for label, number in dose.items() for _ in range(number)]
    empty = np.empty((0, size, size, 3), np.uint8)
    return _placed(run, np.concatenate([empty, *drawn]), names)


def _folder(
    run: Run, job: ClassifierJob, fold: Fold, dose: Mapping[str, int], _device: torch.device
) -> Dose:
    """Images made by other tools; the provenance of a set drawn by dermaug is checked."""
    given = job.mixture.synthetic.folder if job.mixture.synthetic else ""
    path = expanded(given, "synthetic.folder")
    if (path / MANIFEST).exists():
        refuse_leakage(read_synthetic_set(path).provenance, fold.key, fold.train, str(path))
    store = folder_store(run.experiment, given)
    names = store.catalog.table["label"].to_numpy()
    rows = [np.flatnonzero(names == label)[:number] for label, number in dose.items()]
    for found, (label, number) in zip(rows, dose.items(), strict=True):
        if len(found) < number:
            raise DermaugError(
                f"{path}: {number} images of {label} are needed, {len(found)} found; use a smaller "
                "dose"
            )
    taken = np.concatenate([np.empty(0, dtype=np.int64), *rows])
    return _placed(run, store.images[taken], list(names[taken]))


FILLERS: dict[str, Filler] = {
    REPLAY: _replay,
    ORACLE: _oracle,
    FOLDER: _folder,
}
"""Source of a dose -> function that returns its images; other names are generator families."""


def _by_place(run: Run, dose: Mapping[str, int]) -> dict[int, int]:
    return {run.catalog.classes.index(label): number for label, number in dose.items()}


def _placed(run: Run, images: Images, names: list[str]) -> Dose:
    size = run.experiment.data.size
    labels = np.array([run.catalog.classes.index(name) for name in names], dtype=np.int64)
    return Dose(images.reshape(-1, size, size, 3), labels)
