"""KID and FID against torch-fidelity's, on the same features: the same values, and how long.

Features are drawn from two normal distributions, so that only the statistics are timed. Needs the
extra `fidelity`.
"""

import time
from collections.abc import Callable
from typing import Annotated

import numpy as np
import torch
import typer
from rich.console import Console
from rich.table import Table
from rounds import Rounds, machine, refuse_busy_machine, start
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric

from dermaug.evaluation.fidelity import fid, kid

Statistic = Callable[[np.ndarray, np.ndarray], float]


def their_kid(real: np.ndarray, made: np.ndarray) -> float:
    """Torch-fidelity's on one subset of all images, which does not scatter with the subset."""
    told = kid_features_to_metric(
        torch.from_numpy(real),
        torch.from_numpy(made),
        kid_subsets=1,
        kid_subset_size=len(real),
        rng_seed=0,
        verbose=False,
    )
    return float(told["kernel_inception_distance_mean"])


def their_fid(real: np.ndarray, made: np.ndarray) -> float:
    """Torch-fidelity's."""
    moments = (fid_features_to_statistics(torch.from_numpy(part)) for part in (real, made))
    told = fid_statistics_to_metric(*moments, verbose=False)
    return float(told["frechet_inception_distance"])


def our_kid(real: np.ndarray, made: np.ndarray) -> float:
    """Dermaug's without an interval, which torch-fidelity has not."""
    return kid(real, made, halves=0).value


STATISTICS: dict[str, tuple[Statistic, Statistic]] = {
    "KID": (our_kid, their_kid),
    "FID": (fid, their_fid),
}
"""Name -> dermaug's and torch-fidelity's."""


def timed(statistic: Statistic, real: np.ndarray, made: np.ndarray) -> tuple[float, float]:
    """Value and seconds."""
    begin = time.perf_counter()
    value = statistic(real, made)
    return value, time.perf_counter() - begin


def main(
    images: Annotated[int, typer.Option(min=8, help="Images on each side.")] = 2_048,
    features: Annotated[int, typer.Option(min=2, help="Features of each.")] = 512,
    rounds: Rounds = 3,
) -> None:
    """Compute both statistics in both ways."""
    refuse_busy_machine()
    random = np.random.default_rng(0)
    real, made = (
        (random.normal(shift, 1.0, (images, features))).astype(np.float32) for shift in (0.0, 0.1)
    )
    table = Table(caption=machine(), caption_justify="left")
    for column in ("", "dermaug", "torch-fidelity", "dermaug, s", "torch-fidelity, s", "ratio"):
        table.add_column(column, justify="right")
    for name, ways in STATISTICS.items():
        found = np.array([[timed(way, real, made) for way in ways] for _ in range(rounds + 1)])
        values, seconds = found[-1, :, 0], np.median(found[1:, :, 1], axis=0)
        figures = [*(f"{value:.6g}" for value in values), *(f"{each:.3f}" for each in seconds)]
        table.add_row(name, *figures, f"{seconds[1] / seconds[0]:.2f}")
    console = Console(width=100, highlight=False)
    console.print(f"{images:,} images on each side, {features:,} features")
    console.print(table)


if __name__ == "__main__":
    start(main)
