"""How often several kinds of interval hold the truth: a table of docs/statistics.md.

Run: uv run python benchmarks/interval_coverage.py [STUDIES]
Normal effects of lesions, trainings and both, crossed within folds; the truth is 0. The last three
kinds are what dermaug uses, with an expected training spread that is right, half and twice.
"""

import sys
from collections.abc import Iterator

import numpy as np
from scipy import stats

from dermaug.stats.spread import moderated

DESIGNS = ((1, 2), (2, 2), (2, 3), (5, 2), (5, 5))  # folds, seeds
LESIONS = 60  # a fold
MIXTURES = (  # SD of a lesion, of a training (times the root of LESIONS), of both together
    (1.0, 0.0, 0.3),
    (1.0, 0.0, 1.0),
    (0.3, 0.0, 1.0),
    (1.0, 0.5, 0.5),
    (0.5, 1.0, 0.5),
    (0.3, 1.0, 1.0),
    (1.0, 1.0, 1.0),
)
NORMAL = float(stats.norm.ppf(0.975))
DRAWS = 1_000


def main() -> None:
    studies = int(sys.argv[1]) if len(sys.argv) > 1 else 1_500
    random = np.random.default_rng(0)
    for folds, seeds in DESIGNS:
        found = [coverages(random, studies, folds, seeds, mixture) for mixture in MIXTURES]
        cells = (
            f"{name} {100 * min(values):.0f}-{100 * max(values):.0f} %"
            for name in found[0]
            for values in [[each[name] for each in found]]
        )
        print(f"{folds} folds x {seeds} seeds: {'; '.join(cells)}", flush=True)


def coverages(
    random: np.random.Generator,
    studies: int,
    folds: int,
    seeds: int,
    mixture: tuple[float, float, float],
) -> dict[str, float]:
    """Share of studies whose interval holds 0, by kind of interval."""
    of_lesion, of_training, of_both = mixture
    gains = (
        of_lesion * random.normal(size=(studies, folds, LESIONS, 1))
        + of_training / np.sqrt(LESIONS) * random.normal(size=(studies, folds, 1, seeds))
        + of_both * random.normal(size=(studies, folds, LESIONS, seeds))
    )
    means = np.abs(gains.mean(axis=(1, 2, 3)))
    spread = np.sqrt((of_training**2 + of_both**2) / LESIONS) / folds  # of one training of one fold
    halves = half_widths(random, *components(gains), folds, seeds, spread)
    return {name: float((means <= half).mean()) for name, half in halves}


def components(gains: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lesion, training and interaction variance of the mean of each study."""
    _, folds, lesions, seeds = gains.shape
    by_lesion, by_training = gains.mean(axis=3), gains.mean(axis=2)
    centre = gains.mean(axis=(2, 3), keepdims=True)
    left = gains - by_lesion[..., None] - by_training[:, :, None, :] + centre
    crossed = (left**2).sum(axis=(2, 3)) / ((lesions - 1) * (seeds - 1) * lesions * seeds)
    parts = (by_lesion.var(axis=2, ddof=1) / lesions, by_training.var(axis=2, ddof=1) / seeds)
    first, second, third = (part.sum(axis=1) / folds**2 for part in (*parts, crossed))
    return first, second, third


def half_widths(
    random: np.random.Generator,
    lesion: np.ndarray,
    training: np.ndarray,
    crossed: np.ndarray,
    folds: int,
    seeds: int,
    spread: float,
) -> Iterator[tuple[str, np.ndarray]]:
    """Half the width of each kind of 95 % interval, one a study."""
    freedom = folds * (seeds - 1)
    seeds_share = np.maximum(training - crossed, 0.0)
    resampled = training * (seeds - 1) / seeds
    yield "seeds resampled, normal", NORMAL * np.sqrt(lesion + resampled)
    yield "both spreads added, normal", NORMAL * np.sqrt(lesion + training)
    yield "components, normal", NORMAL * np.sqrt(lesion + seeds_share)
    freedoms = (lesion + seeds_share) ** 2 / (training**2 / freedom)
    quantiles = stats.t.ppf(0.975, np.maximum(freedoms, freedom))
    yield "components, Welch-Satterthwaite", quantiles * np.sqrt(lesion + seeds_share)
    kept = np.maximum(lesion - crossed, lesion / 2)
    for factor in (1.0, 0.5, 2.0):
        each, total = moderated(
            training * seeds / folds, freedom, np.full(len(lesion), (factor * spread) ** 2)
        )
        draws = np.sqrt(kept)[:, None] * random.normal(size=(len(lesion), DRAWS))
        blurred = stats.t.ppf(random.random(draws.shape), total)
        draws += np.sqrt(each * folds / seeds)[:, None] * blurred
        yield f"moderated, expected x {factor:g}", np.quantile(np.abs(draws), 0.95, axis=1)


if __name__ == "__main__":
    main()
