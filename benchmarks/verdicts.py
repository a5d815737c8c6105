"""How long the statistics of a full study take: 12 arms x 5 folds x 5 seeds, 10,015 images.

Run: uv run python benchmarks/verdicts.py [RESAMPLES]
The reference is a plain loop over resamples for one contrast and one metric, extrapolated.
"""

import sys
import time

import numpy as np

from dermaug.stats.hierarchy import RESAMPLES, Comparison, estimate_all
from dermaug.stats.influence import Answer, Asked, areas_of, rates_of
from dermaug.stats.metrics import readout_metrics
from dermaug.stats.multiplicity import holm
from dermaug.stats.trainings import FoldSample

ARMS, FOLDS, SEEDS, GENERATORS = 12, 5, 5, 2
IMAGES, LESIONS, CLASSES = 10_015, 7_470, 7
PREVALENCES = np.array([327, 514, 1_099, 115, 1_113, 6_705, 142]) / IMAGES
PLAIN_RESAMPLES = 20


def main() -> None:
    resamples = int(sys.argv[1]) if len(sys.argv) > 1 else RESAMPLES
    random = np.random.default_rng(0)
    labels = random.choice(CLASSES, size=IMAGES, p=PREVALENCES)
    lesions = np.concatenate([np.arange(LESIONS), random.integers(LESIONS, size=IMAGES - LESIONS)])
    called = predictions(random, labels)
    names = [f"class {number}" for number in range(CLASSES)]
    start, processor = time.perf_counter(), time.process_time()
    comparisons = [contrast(labels, lesions, called, arm) for arm in range(1, ARMS)]
    counted = time.perf_counter()
    estimates = estimate_all(comparisons, readout_metrics(names), resamples)
    drawn = time.perf_counter()
    intervals = np.concatenate([estimate.interval() for estimate in estimates], axis=1)
    adjusted = holm(np.concatenate([estimate.p_value() for estimate in estimates]))
    done, processor = time.perf_counter(), time.process_time() - processor
    print(
        f"{ARMS} arms x {FOLDS} folds x {SEEDS} seeds, {IMAGES:,} images, {resamples:,} resamples"
    )
    print(f"  count the answers   {counted - start:6.1f} s")
    print(f"  draw and estimate   {drawn - counted:6.1f} s")
    print(f"  intervals and Holm  {done - drawn:6.1f} s  ({intervals.shape[1]} intervals)")
    print(f"  together            {done - start:6.1f} s  ({processor:.1f} s of processor time)")
    plain = plain_seconds(random, labels, lesions, called) * resamples * (ARMS - 1)
    print(f"  a plain loop, extrapolated from {PLAIN_RESAMPLES} resamples: {plain:,.0f} s")
    print(
        f"  plain / ours: {plain / (done - start):,.0f}; smallest p after Holm {adjusted.min():.4f}"
    )


def predictions(random: np.random.Generator, labels: np.ndarray) -> np.ndarray:
    """Predicted classes, int (arms, seeds, images): three in four right."""
    shape = (ARMS, SEEDS, IMAGES)
    return np.where(random.random(shape) < 0.75, labels, random.integers(CLASSES, size=shape))


def contrast(labels: np.ndarray, lesions: np.ndarray, called: np.ndarray, arm: int) -> Comparison:
    """An arm minus the first; lesions are dealt to folds in turn."""
    samples = {}
    for fold in range(FOLDS):
        rows = np.flatnonzero(lesions % FOLDS == fold)
        here = np.unique(lesions[rows], return_inverse=True)[1]
        asked = Asked(labels[rows], here, int(here.max()) + 1, CLASSES)
        pairs = [
            [answer(asked, called[each, seed, rows]) for each in (arm, 0)] for seed in range(SEEDS)
        ]
        samples[fold] = FoldSample(
            asked=asked.counts,
            values=np.stack([one.values - other.values for one, other in pairs]),
            influence=np.stack([one.influence - other.influence for one, other in pairs]),
            level=np.mean([other.values for _, other in pairs], axis=0),
            generator=np.arange(SEEDS) % GENERATORS,
            trained_on=LESIONS - asked.num_groups,
        )
    return samples


def answer(asked: Asked, called: np.ndarray) -> Answer:
    """Rates in two readouts and areas, of predicted classes alone."""
    rates = rates_of(asked, called)
    parts = (rates, rates, areas_of(asked, np.eye(CLASSES)[called]))
    return Answer(
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.influence for part in parts], axis=1),
    )


def plain_seconds(
    random: np.random.Generator, labels: np.ndarray, lesions: np.ndarray, called: np.ndarray
) -> float:
    """Seconds a resample and contrast of a loop that draws lesions and gathers their images."""
    order = np.argsort(lesions, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(lesions[order])) + 1)
    start = time.perf_counter()
    for _ in range(PLAIN_RESAMPLES):
        rows = np.concatenate([members[index] for index in random.integers(LESIONS, size=LESIONS)])
        for seed in range(SEEDS):
            for arm in (0, 1):
                right = called[arm, seed, rows] == labels[rows]
                hits = np.bincount(labels[rows], right, minlength=CLASSES)
                float((hits / np.bincount(labels[rows], minlength=CLASSES)).mean())
    return (time.perf_counter() - start) / PLAIN_RESAMPLES


if __name__ == "__main__":
    main()
