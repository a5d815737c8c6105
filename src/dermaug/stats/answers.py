"""Results of every network on every test group of a fold, alone and in pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from dermaug.stats.hierarchy import Comparison
from dermaug.stats.influence import SCORED, Answer, Asked, rates_of
from dermaug.stats.trainings import FoldSample

Key = tuple[str, int]
"""Arm and seed of a network."""


@dataclass(frozen=True, eq=False)
class FoldAnswers:
    """Results of one classifier, in every arm and seed, on the test groups of one fold.

    Args:
        asked: Number of images of each class and of all other classes, per group.
        answers: (arm, seed) -> metrics of its predictions, rows as `dermaug.stats.metrics.ROWS`.
        generator_seed: (arm, seed) -> seed of the generators whose images the arm uses.
        trained_on: (arm, seed) -> number of groups on which it was trained.
    """

    asked: Float[np.ndarray, "g 2 k"]
    answers: dict[Key, Answer]
    generator_seed: dict[Key, int | None]
    trained_on: dict[Key, int]

    def paired(self, pairs: Sequence[tuple[Key, Key]]) -> FoldSample:
        """Differences of pairs of networks, the second subtracted from the first.

        If both sides use images of generators, pairs are grouped by the side with fewer generator
        seeds.
        """
        both = [(self.answers[one], self.answers[other]) for one, other in pairs]
        given = [_numbered([self.generator_seed[pair[side]] for pair in pairs]) for side in (0, 1)]
        # An arm without generators forms one group, and so does one with a single generator seed.
        varied = [groups for groups in given if groups.max() > 0] or given[:1]
        return FoldSample(
            asked=self.asked,
            values=np.stack([one.values - other.values for one, other in both]),
            influence=np.stack([one.influence - other.influence for one, other in both]),
            level=np.mean([other.values for _, other in both], axis=0),
            generator=min(varied, key=lambda groups: int(groups.max())),
            trained_on=min(self.trained_on[one] for one, _ in pairs),
        )


@dataclass(frozen=True, eq=False)
class FoldPredictions:
    """Test predictions of one classifier in one fold, image by image.

    Args:
        image_ids: Ids of the images on which all of its trials were tested, in order.
        labels: True class of each image.
        groups: Group of each image, as text.
        plain: (arm, seed) -> probabilities.
        even: (arm, seed) -> probabilities at the uniform prior.
        generator_seed: As in `FoldAnswers`.
        trained_on: As in `FoldAnswers`.
    """

    image_ids: np.ndarray
    labels: Int[np.ndarray, " n"]
    groups: np.ndarray
    plain: dict[Key, Float[np.ndarray, "n k"]]
    even: dict[Key, Float[np.ndarray, "n k"]]
    generator_seed: dict[Key, int | None]
    trained_on: dict[Key, int]

    def answered(
        self,
        kept: Bool[np.ndarray, " n"] | None = None,
        merged: Int[np.ndarray, " k"] | None = None,
    ) -> FoldAnswers:
        """Compute the metrics of every network on all of the images, or on some.

        Args:
            kept: Mask of the images to use; None uses all.
            merged: Index of the merged class of each class; None merges none.
        """
        kept = np.ones(len(self.labels), dtype=bool) if kept is None else kept
        num_classes = next(iter(self.plain.values())).shape[1]
        merged = np.arange(num_classes) if merged is None else merged
        groups, names = pd.factorize(self.groups[kept], sort=True)
        asked = Asked(merged[self.labels[kept]], groups, len(names), int(merged.max()) + 1)
        return FoldAnswers(
            asked.counts,
            {
                key: _answer(asked, self.plain[key][kept], self.even[key][kept], merged)
                for key in self.plain
            },
            self.generator_seed,
            self.trained_on,
        )


def answers_of(predictions: Mapping[int, "FoldPredictions"]) -> dict[int, FoldAnswers]:
    """Results of one classifier in every arm and seed, by fold."""
    return {fold: found.answered() for fold, found in predictions.items()}


def arm_samples(answers: Mapping[int, FoldAnswers], arm: str) -> Comparison:
    """The results of one arm alone; empty if it has no finished trial."""
    samples: dict[int, FoldSample] = {}
    for fold, found in answers.items():
        if keys := sorted(key for key in found.answers if key[0] == arm):
            own = [found.answers[key] for key in keys]
            values = np.stack([answer.values for answer in own])
            samples[fold] = FoldSample(
                asked=found.asked,
                values=values,
                influence=np.stack([answer.influence for answer in own]),
                level=values.mean(axis=0),
                generator=_numbered([found.generator_seed[key] for key in keys]),
                trained_on=min(found.trained_on[key] for key in keys),
                is_alone=True,
            )
    return samples


def paired_samples(answers: Mapping[int, FoldAnswers], arm: str, reference: str) -> Comparison:
    """Results of an arm minus those of its reference, paired by (fold, seed)."""
    samples: dict[int, FoldSample] = {}
    for fold, found in answers.items():
        seeds = {seed for name, seed in found.answers if name == arm}
        if shared := sorted(seed for seed in seeds if (reference, seed) in found.answers):
            samples[fold] = found.paired([((arm, seed), (reference, seed)) for seed in shared])
    return samples


def _numbered(seeds: Sequence[int | None]) -> np.ndarray:
    """Replace seeds by numbers from 0, equal for equal seeds; None counts as one seed."""
    order = list(dict.fromkeys(seeds))
    return np.array([order.index(seed) for seed in seeds], dtype=int)


def _answer(
    asked: Asked,
    plain: Float[np.ndarray, "n k"],
    even: Float[np.ndarray, "n k"],
    merged: Int[np.ndarray, " k"],
) -> Answer:
    """Rates at argmax and prior-adjusted, and the scores at the uniform prior."""
    scores = np.stack([even[:, merged == each].sum(axis=1) for each in range(asked.num_classes)], 1)
    return joined(
        [
            rates_of(asked, merged[plain.argmax(axis=1)]),
            rates_of(asked, merged[even.argmax(axis=1)]),
            *(scored(asked, scores) for scored in SCORED.values()),
        ]
    )


def joined(parts: Sequence[Answer]) -> Answer:
    """The metrics of several answers to one question, one after the other."""
    return Answer(
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.influence for part in parts], axis=1),
    )
