"""Simulated studies whose true effect is known in closed form."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from scipy.stats import norm

from dermaug.stats.hierarchy import Comparison
from dermaug.stats.tally import asked_of, right_of
from dermaug.stats.trainings import FoldSample

EASE = 0.3


@dataclass(frozen=True)
class Design:
    """A network is right where ease + gain + its effects + those of the lesion are above 0.

    Effects are normal with these standard deviations: of the lesion, of the arm on the lesion, of
    the training on its classes (shared by the arms of a pair, then its own), of chance alone, and
    of the generator on the classes of the arm.
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
    labels: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        labels = np.repeat(np.arange(len(self.lesions)), self.lesions)
        object.__setattr__(self, "labels", labels)

    @property
    def truth(self) -> float:
        """Expected difference in every sensitivity, hence in balanced accuracy and accuracy."""
        common = sum(
            value**2 for value in (self.lesion, self.taste, self.shared, self.training, self.noise)
        )
        with_gain = norm.cdf((EASE + self.gain) / np.sqrt(common + self.generator**2))
        return float(with_gain - norm.cdf(EASE / np.sqrt(common)))

    def draw(self, random: np.random.Generator) -> Comparison:
        """One study: arm minus reference, by fold."""
        return {fold: self._fold(random) for fold in range(self.folds)}

    def _fold(self, random: np.random.Generator) -> FoldSample:
        number, num_classes = len(self.labels), len(self.lesions)
        shape, every = (number, num_classes), np.arange(number)
        ease = EASE + self.lesion * random.normal(size=number)
        taste = self.taste * random.normal(size=(2, number))
        of_generator = self.generator * random.normal(size=(self.generators, num_classes))
        generator = np.arange(self.seeds) % self.generators
        right = []
        for seed in range(self.seeds):
            shared = self.shared * random.normal(size=num_classes)
            pair = []
            for arm in (0, 1):
                effects = shared + self.training * random.normal(size=num_classes)
                effects = effects + arm * (self.gain + of_generator[generator[seed]])
                chance = self.noise * random.normal(size=number)
                is_right = ease + taste[arm] + effects[self.labels] + chance > 0
                wrong = (self.labels + random.integers(1, num_classes, size=number)) % num_classes
                called = np.where(is_right, self.labels, wrong)
                pair.append(right_of(self.labels, called, every, shape))
            right.append(pair[1] - pair[0])
        return FoldSample(asked_of(self.labels, every, shape), np.stack(right), generator)


@pytest.fixture
def design() -> Callable[..., Design]:
    """Builds a design; every size and standard deviation can be chosen."""
    return Design
