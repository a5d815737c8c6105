"""What every network of a run answered to every test lesion, counted for the statistics."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from dermaug.experiment.results import CellResult, RunResults
from dermaug.experiment.scores import held_out, label_arrays
from dermaug.stats.hierarchy import Comparison
from dermaug.stats.tally import asked_of, right_of
from dermaug.stats.trainings import FoldSample


@dataclass(frozen=True, eq=False)
class FoldAnswers:
    """One fold's test lesions and what one classifier of each arm and seed made of them.

    Args:
        num_images: Images that all of these cells were tested on; others are left out.
        asked: Images of each class and of all others, by lesion.
        right: (arm, seed) -> hits and rejections, by lesion.
        generator_seed: (arm, seed) -> seed of the generators whose images the arm was given.
    """

    num_images: int
    asked: Float[np.ndarray, "g 2 k"]
    right: dict[tuple[str, int], Float[np.ndarray, "g 2 k"]]
    generator_seed: dict[tuple[str, int], int | None]


def answers_of(results: RunResults, model: str) -> dict[int, FoldAnswers]:
    """Answers of one classifier in every arm and seed, by fold."""
    cells = [cell for cell in results.cells if cell.model == model]
    folds = sorted({cell.fold for cell in cells})
    return {
        fold: _fold_answers([cell for cell in cells if cell.fold == fold], results)
        for fold in folds
    }


def arm_samples(answers: dict[int, FoldAnswers], arm: str) -> Comparison:
    """The answers of one arm alone; empty when it has no finished cell."""
    return {
        fold: FoldSample(found.asked, np.stack([found.right[arm, seed] for seed in seeds]), groups)
        for fold, found in answers.items()
        if (seeds := sorted(seed for name, seed in found.right if name == arm))
        for groups in [_groups([found.generator_seed[arm, seed] for seed in seeds])]
    }


def paired_samples(answers: dict[int, FoldAnswers], arm: str, reference: str) -> Comparison:
    """Answers of an arm minus those of its reference, paired by (fold, seed).

    When both arms were given images of generators, pairs are grouped by the one with fewer seeds.
    """
    samples: dict[int, FoldSample] = {}
    for fold, found in answers.items():
        seeds = [seed for name, seed in found.right if name == arm]
        if shared := sorted(seed for seed in seeds if (reference, seed) in found.right):
            right = [found.right[arm, seed] - found.right[reference, seed] for seed in shared]
            given = [
                _groups([found.generator_seed[name, seed] for seed in shared])
                for name in (arm, reference)
            ]
            # An arm without generators is one group, as is one with a single generator seed.
            varied = [groups for groups in given if groups.max() > 0] or given[:1]
            fewest = min(varied, key=lambda groups: int(groups.max()))
            samples[fold] = FoldSample(found.asked, np.stack(right), fewest)
    return samples


def _groups(seeds: Sequence[int | None]) -> np.ndarray:
    """Number equal seeds equally; None counts as one seed."""
    order = list(dict.fromkeys(seeds))
    return np.array([order.index(seed) for seed in seeds], dtype=int)


def _fold_answers(cells: Sequence[CellResult], results: RunResults) -> FoldAnswers:
    tests = [held_out(cell).set_index("image_id") for cell in cells]
    images = tests[0].index
    for test in tests[1:]:
        images = images.intersection(test.index)
    images = images.sort_values()
    first = tests[0].loc[images]
    labels, _ = label_arrays(first, results)
    names = pd.Index(sorted(set(first["lesion_id"])))
    lesions = np.asarray(names.get_indexer(pd.Index(first["lesion_id"])))
    shape = (len(names), results.catalog.num_classes)
    right = {}
    for cell, test in zip(cells, tests, strict=True):
        _, probabilities = label_arrays(test.loc[images], results)
        called = probabilities.argmax(axis=1)
        right[cell.arm, cell.seed] = right_of(labels, called, lesions, shape)
    generators = {(cell.arm, cell.seed): cell.generator_seed for cell in cells}
    return FoldAnswers(len(images), asked_of(labels, lesions, shape), right, generators)
