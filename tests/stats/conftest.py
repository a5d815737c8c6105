"""Simulated studies whose true effect is known in closed form."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from scipy.stats import norm

from dermaug.stats.hierarchy import Comparison
from dermaug.stats.influence import Answer, Asked, areas_of, rates_of
from dermaug.stats.trainings import FoldSample

EASE = 0.3


@dataclass(frozen=True)
class Design:
    """A network is right where ease + gain + its effects + those of the lesion are above 0.

    Effects are normal with these standard deviations: of the lesion, of the arm on the lesion, of
    the training on its classes (shared by the arms of a pair, then its own), of chance alone, of
    the generator on the classes of the arm, and of the training set (the fold) on them.
    """

    folds: int = 5
    seeds: int = 3
    generators: int = 1
    lesions: Sequence[int] = (40, 25, 12)
    gain: float = 0.0
    lesion: float = 1.0
    taste: float = 0.5
    shared: float = 0.2
    training: float = 0.2
    noise: float = 0.7
    generator: float = 0.0
    fold: float = 0.0
    labels: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        labels = np.repeat(np.arange(len(self.lesions)), self.lesions)
        object.__setattr__(self, "labels", labels)

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(f"c{number}" for number in range(len(self.lesions)))

    @property
    def truth(self) -> float:
        """Expected difference in every sensitivity, hence in balanced accuracy and accuracy."""
        common = sum(
            value**2 for value in (self.lesion, self.taste, self.shared, self.training, self.noise)
        )
        changed = common + self.generator**2 + self.fold**2
        with_gain = norm.cdf((EASE + self.gain) / np.sqrt(changed))
        return float(with_gain - norm.cdf(EASE / np.sqrt(common)))

    def draw(self, random: np.random.Generator) -> Comparison:
        """One study: arm minus reference, by fold."""
        return {fold: self._fold(random) for fold in range(self.folds)}

    def _fold(self, random: np.random.Generator) -> FoldSample:
        number, num_classes = len(self.labels), len(self.lesions)
        asked = Asked(self.labels, np.arange(number), number, num_classes)
        ease = EASE + self.lesion * random.normal(size=number)
        taste = self.taste * random.normal(size=(2, number))
        of_generator = self.generator * random.normal(size=(self.generators, num_classes))
        of_fold = self.fold * random.normal(size=num_classes)
        generator = np.arange(self.seeds) % self.generators
        pairs = []
        for seed in range(self.seeds):
            shared = self.shared * random.normal(size=num_classes)
            pair = []
            for arm in (0, 1):
                effects = shared + self.training * random.normal(size=num_classes)
                effects = effects + arm * (self.gain + of_generator[generator[seed]] + of_fold)
                chance = self.noise * random.normal(size=number)
                margin = ease + taste[arm] + effects[self.labels] + chance
                pair.append(self._answer(asked, margin, random))
            pairs.append(pair)
        return FoldSample(
            asked=asked.counts,
            values=np.stack([one.values - other.values for other, one in pairs]),
            influence=np.stack([one.influence - other.influence for other, one in pairs]),
            level=np.mean([other.values for other, _ in pairs], axis=0),
            generator=generator,
            trained_on=4 * number,
        )

    def _answer(self, asked: Asked, margin: np.ndarray, random: np.random.Generator) -> Answer:
        """The margin is the logit of the true class, 0 that of one other class."""
        number, num_classes = len(margin), len(self.lesions)
        logits = np.full((number, num_classes), -10.0)
        wrong = (self.labels + random.integers(1, num_classes, size=number)) % num_classes
        logits[np.arange(number), wrong] = 0.0
        logits[np.arange(number), self.labels] = margin
        rates, areas = rates_of(asked, logits.argmax(axis=1)), areas_of(asked, logits)
        return Answer(
            np.concatenate([rates.values, rates.values, areas.values]),
            np.concatenate([rates.influence, rates.influence, areas.influence], axis=1),
        )


@pytest.fixture
def design() -> Callable[..., Design]:
    """Builds a design; every size and standard deviation can be chosen."""
    return Design
