"""Has the critic learnt what tells diagnoses apart? Its features, a linear machine, and controls.

Radford et al. 2015 (arXiv:1511.06434, section 5), on lesions: features of the trained critic,
features of the same network before training, and the classifier that a run trained on the same
images. All of it on validation images: C and the critic's snapshot are chosen by one half of them,
the scores are those of the other. The test part is not looked at.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int
from torch import nn

from dermaug.data.halves import halves
from dermaug.data.image_bank import ImageBank
from dermaug.errors import DermaugError
from dermaug.evaluation.discrimination import mean_defined, ratio
from dermaug.evaluation.linear_probe import Probe, linear_probe
from dermaug.evaluation.predictions import probability_column, read_predictions
from dermaug.experiment.run.identity import read_run_experiment
from dermaug.experiment.run.run import DONE
from dermaug.files import read_record
from dermaug.generators import build_family
from dermaug.generators.critic_features import BATCH, critic_features, has_critic
from dermaug.generators.family import Family
from dermaug.inspection.explore_subject import Subject
from dermaug.seeding import derive_seed
from dermaug.stats.bootstrap import percentile_interval, resampled_totals
from dermaug.stats.tally import asked_of, right_of
from dermaug.training.checkpoint import load_checkpoint

MOST_OF_CLASS = 400
"""Training images of a class that the machine is fitted to; the rest add time and little else."""
TRAINED, UNTRAINED = "trained discriminator", "untrained discriminator"
COLUMNS = (
    *("features", "balanced_accuracy", "low", "high"),
    *("less_than_trained", "less_low", "less_high", "penalty", "dimensions"),
)
_CALIBRATION_BATCHES = 30
Parts = tuple[ImageBank, ImageBank, ImageBank]
"""Training images, those that C is chosen by, and those that are judged."""


def critic_scores(subject: Subject, seed: int = 0) -> pd.DataFrame:
    """Balanced accuracy of machines on critic features, and of the run's classifiers.

    On the half of the validation lesions by which neither C nor the critic's snapshot was chosen;
    of classes too small for halves on all of them.

    Args:
        subject: With a fold.
        seed: Of subsets, of the untrained network and of resampling.

    Returns:
        One row a kind of features, the trained critic's first, with the columns of `COLUMNS`: score
        and 95 % interval over lesions or patients; how much less the score is than the trained
        critic's, with interval; C and number of features of a machine, missing for a classifier.

    Raises:
        DermaugError: No fold, no critic, or one that cannot be had.
    """
    store, fold = subject.store, subject.fold
    if store is None or fold is None:
        raise DermaugError("it lies in no run, so that its validation images are not known")
    if not has_critic(type(subject.family)):
        raise DermaugError(f"the family {subject.spec.config.family} has no discriminator")
    if not load_checkpoint(subject.path)["others"]:
        raise DermaugError("its checkpoint was written without its discriminator")
    device = next(subject.family.sampler.parameters()).device
    labels = store.catalog.labels
    training = _some_of_each(store.catalog.rows(fold.train), labels, seed)
    kept, lesions = store.catalog.rows(fold.validation), store.catalog.groups
    halved = halves(lesions[kept], store.catalog.table["label"].to_numpy()[kept], fold.index)
    judged = kept[halved.judging]
    first, second, third = (
        ImageBank.of(np.asarray(store.images[rows]), labels[rows], device)
        for rows in (training, kept[halved.choosing], judged)
    )
    parts = (first, second, third)
    machines = {
        TRAINED: _probe(subject.family, parts, seed),
        UNTRAINED: _probe(_untrained(subject, first, seed), parts, seed),
    }
    called = {name: probe.called for name, (probe, _) in machines.items()}
    answers = reference_answers(subject, fold.validation)
    called |= {name: each[halved.judging] for name, each in answers.items()}
    scores = compared(labels[judged], lesions[judged], called, store.catalog.num_classes, seed)
    facts = {name: (probe.penalty, width) for name, (probe, width) in machines.items()}
    told = [facts.get(name, (float("nan"), float("nan"))) for name in scores["features"]]
    extra = pd.DataFrame(told, columns=["penalty", "dimensions"])
    return pd.concat([scores, extra], axis=1)[list(COLUMNS)]


def reference_answers(
    subject: Subject, validation: tuple[str, ...]
) -> dict[str, Int[np.ndarray, " n"]]:
    """What the run's classifiers call the validation images, by model and seed.

    Those of the experiment's first arm count, trained on the same training part; a run may have
    none yet.
    """
    assert subject.run is not None
    assert subject.store is not None
    classes = subject.store.catalog.classes
    arm = read_run_experiment(subject.run).arms[0].name
    found = {}
    for done in sorted(subject.run.glob(f"**/classifiers/**/{DONE}")):
        manifest = read_record(done.parent / "manifest.json")
        place = (manifest.get("arm", {}).get("name"), manifest.get("fold_key"))
        if place == (arm, subject.spec.fold_key):
            table = _validation_of(done.parent, validation, classes)
            columns = table[[probability_column(label) for label in classes]]
            name = f"classifier {manifest['model']}, arm {arm}, seed {manifest['seed']}"
            found[name] = columns.to_numpy().argmax(axis=1)
    return found


def compared(
    labels: Int[np.ndarray, " n"],
    groups: np.ndarray,
    called: dict[str, Int[np.ndarray, " n"]],
    num_classes: int,
    seed: int = 0,
) -> pd.DataFrame:
    """Balanced accuracy of several answers to the same images, and each less than the first.

    Args:
        labels: True classes.
        groups: Lesion, or patient, of each image; groups are resampled whole.
        called: Name -> class that each image is called.
        num_classes: Number of classes.
        seed: Of the resamples.

    Returns:
        features, balanced_accuracy, low, high, less_than_trained, less_low, less_high.
    """
    names, group_of = np.unique(groups, return_inverse=True)
    shape = (len(names), num_classes)
    asked = asked_of(labels, group_of, shape)
    right = np.stack([right_of(labels, each, group_of, shape) for each in called.values()], axis=1)
    both = np.concatenate([right, asked[:, None]], axis=1)  # groups answers+1 2 classes
    totals = np.concatenate([both.sum(0)[None], resampled_totals(both, seed=seed)])
    hits, images = totals[:, :-1, 0], totals[:, -1:, 0]  # 1+resamples answers classes
    accuracy = mean_defined(ratio(hits, images), images > 0)
    less = accuracy[:, :1] - accuracy
    rows = [
        (
            name,
            accuracy[0, place],
            *percentile_interval(accuracy[1:, place]),
            less[0, place],
            *percentile_interval(less[1:, place]),
        )
        for place, name in enumerate(called)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS[:7]))


def _probe(family: Family, parts: Parts, seed: int) -> tuple[Probe, int]:
    """The machine on a critic's features, and their number."""
    features = [critic_features(family, bank, seed) for bank in parts]
    labels = [bank.labels.cpu().numpy() for bank in parts]
    probe = linear_probe(features[0], labels[0], features[1], labels[1], features[2])
    return probe, features[0].shape[1]


def _untrained(subject: Subject, bank: ImageBank, seed: int) -> Family:
    """The same networks with initial weights, batch norm's statistics taken from the images.

    Without these statistics a network with batch norm would be handicapped beyond its weights.
    """
    spec = subject.spec
    torch.manual_seed(derive_seed("untrained", seed))
    family = build_family(spec.config, spec.size, len(spec.classes)).to(bank.device)
    family.prepare()
    if any(isinstance(module, nn.BatchNorm2d) for module in family.modules()):
        random = np.random.default_rng(derive_seed("calibration", seed))
        family.train()
        with torch.no_grad():
            for _ in range(_CALIBRATION_BATCHES):
                rows = random.integers(len(bank), size=min(BATCH, len(bank)))
                images, labels = bank.batch(rows)
                family.realness(images * 2.0 - 1.0, torch.zeros_like(labels))
    return family.eval()


def _some_of_each(
    rows: Int[np.ndarray, " n"], labels: Int[np.ndarray, " m"], seed: int
) -> Int[np.ndarray, " k"]:
    """At most `MOST_OF_CLASS` rows of each class, drawn at random."""
    order = np.random.default_rng(derive_seed("probe", seed)).permutation(rows)
    place = pd.Series(labels[order]).groupby(labels[order]).cumcount().to_numpy()
    return np.sort(order[place < MOST_OF_CLASS])


def _validation_of(
    folder: Path, validation: tuple[str, ...], classes: tuple[str, ...]
) -> pd.DataFrame:
    """A trial's predictions of the validation images, in their order."""
    path = folder / "predictions.parquet"
    table = read_predictions(path, classes)
    kept = table[table["part"] == "validation"].set_index("image_id")
    if set(kept.index) != set(validation):
        raise DermaugError(f"{path}: expected the validation images of the fold, found others")
    return kept.loc[list(validation)]
