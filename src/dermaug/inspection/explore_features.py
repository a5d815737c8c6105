"""Has the discriminator learnt to distinguish diagnoses? A linear SVM on its features.

After Radford et al. 2015 (arXiv:1511.06434, section 5), on lesions: features of the trained
discriminator, features of the same network before training, and the classifier that a run trained
on the same images. C and the discriminator's snapshot are selected on one half of the validation
images, and the scores are computed on the other half. The test split is not used.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int
from torch import nn

from dermaug.data.halves import LEAST_GROUPS, halves
from dermaug.data.image_bank import ImageBank
from dermaug.errors import DermaugError
from dermaug.evaluation.discrimination import mean_defined, ratio
from dermaug.evaluation.linear_probe import linear_probe
from dermaug.evaluation.predictions import probabilities_of
from dermaug.experiment.run.artefacts import recorded_predictions
from dermaug.experiment.run.identity import read_run_experiment
from dermaug.experiment.run.layout import TRIALS
from dermaug.experiment.run.records import RunRecord, TrialRecord
from dermaug.generators import build_family
from dermaug.generators.discriminator_features import (
    BATCH,
    discriminator_features,
    has_discriminator,
)
from dermaug.generators.family import Family
from dermaug.inspection.subject import Subject
from dermaug.seeding import derive_seed
from dermaug.stats.bootstrap import percentile_interval, stratified_totals
from dermaug.stats.tally import asked_of, right_of
from dermaug.training.checkpoint import load_checkpoint

MOST_OF_CLASS = 400
"""Largest number of training images per class for the SVM; more add time and little accuracy."""
TRAINED, UNTRAINED = "trained discriminator", "untrained discriminator"
COLUMNS = (
    *("features", "balanced_accuracy", "low", "high"),
    *("less_than_trained", "less_low", "less_high"),
)
_CALIBRATION_BATCHES = 30


def discriminator_scores(subject: Subject, seed: int = 0) -> pd.DataFrame:
    """Balanced accuracy of SVMs on discriminator features, and of the run's classifiers.

    Scores are computed on the half of the validation lesions on which neither C nor the snapshot of
    the discriminator was selected, or on all lesions of classes too small for halves.

    Returns:
        One row per kind of features, as returned by `compared`, the trained discriminator's first.

    Raises:
        DermaugError: There is no fold or no discriminator, or it cannot be loaded.
    """
    store, fold = subject.store, subject.fold
    if store is None or fold is None:
        raise DermaugError("it is not in a run folder, so its validation images are unknown")
    if not has_discriminator(type(subject.family)):
        raise DermaugError(f"the family {subject.spec.config.family} has no discriminator")
    if not load_checkpoint(subject.path)["others"]:
        raise DermaugError("its checkpoint does not contain the discriminator")
    device = next(subject.family.sampler.parameters()).device
    labels, groups = store.catalog.labels, store.catalog.groups
    kept = store.catalog.rows(fold.validation)
    halved = halves(groups[kept], store.catalog.table["label"].to_numpy()[kept], fold.index)
    if not halved.choosing.any():
        raise DermaugError(
            f"no class has {LEAST_GROUPS} validation lesions, by which the C of an SVM is chosen"
        )
    judged = kept[halved.judging]
    training = _some_of_each(store.catalog.rows(fold.train), labels, seed)
    first, second, third = (
        ImageBank.of(np.asarray(store.images[rows]), labels[rows], device)
        for rows in (training, kept[halved.choosing], judged)
    )
    called = {}
    for name, family in ((TRAINED, subject.family), (UNTRAINED, _untrained(subject, first, seed))):
        known, choosing, asked = (
            discriminator_features(family, bank, seed) for bank in (first, second, third)
        )
        chosen_by = labels[kept[halved.choosing]]
        called[name] = linear_probe(known, labels[training], choosing, chosen_by, asked).called
    answers = _classifiers_of(subject, fold.validation)
    called |= {name: each[halved.judging] for name, each in answers.items()}
    return compared(labels[judged], groups[judged], called, store.catalog.num_classes, seed)


def compared(
    labels: Int[np.ndarray, " n"],
    groups: np.ndarray,
    called: Mapping[str, Int[np.ndarray, " n"]],
    num_classes: int,
    seed: int = 0,
) -> pd.DataFrame:
    """Balanced accuracy of several predictions of the same images, and differences to the first.

    Groups (lesions or patients) are resampled as a whole.

    Returns:
        The columns of `COLUMNS`: score with its 95 % interval over groups, and the amount by which
        it is lower than the first score, also with an interval.
    """
    names, group_of = np.unique(groups, return_inverse=True)
    shape = (len(names), num_classes)
    right = [right_of(labels, each, group_of, shape)[:, 0] for each in called.values()]
    both = np.stack([*right, asked_of(labels, group_of, shape)[:, 0]], axis=1)  # groups answers+1 k
    totals = np.concatenate([both.sum(0)[None], stratified_totals([both], seed=seed)])
    hits, images = totals[:, :-1], totals[:, -1:]  # 1+resamples answers classes
    accuracy = mean_defined(ratio(hits, images))
    less = accuracy[:, :1] - accuracy
    rows = [
        (name, own[0], *percentile_interval(own[1:]), gap[0], *percentile_interval(gap[1:]))
        for name, own, gap in zip(called, accuracy.T, less.T, strict=True)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _classifiers_of(
    subject: Subject, validation: tuple[str, ...]
) -> dict[str, Int[np.ndarray, " n"]]:
    """Classes that the run's first arm predicts for the validation images, by model and seed.

    The classifiers were trained on the generator's training split; a run may have none yet.
    """
    assert subject.run is not None
    assert subject.store is not None
    classes = subject.store.catalog.classes
    arm = read_run_experiment(subject.run.path).arms[0].name
    found = {}
    for done in subject.run.finished(RunRecord.read(subject.run.record).jobs, TRIALS):
        trial = TrialRecord.read(done.record)
        if (trial.arm.name, trial.fold_key) == (arm, subject.spec.fold_key):
            table = recorded_predictions(done.predictions, trial)
            kept = table[table["part"] == "validation"].set_index("image_id")
            name = f"classifier {trial.model}, arm {arm}, seed {trial.seed}"
            found[name] = probabilities_of(kept.loc[list(validation)], classes).argmax(axis=1)
    return found


def _untrained(subject: Subject, bank: ImageBank, seed: int) -> Family:
    """The same networks with initial weights and batch-norm statistics of the images.

    Without these statistics, batch norm would put the network at a disadvantage beyond its weights.
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
    """At most `MOST_OF_CLASS` random rows per class."""
    order = np.random.default_rng(derive_seed("probe", seed)).permutation(rows)
    drawn = pd.Series(labels[order], index=order)
    return np.sort(drawn.groupby(drawn).head(MOST_OF_CLASS).index.to_numpy())
