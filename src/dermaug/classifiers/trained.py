"""What a training of a classifier leaves, as its record stores it."""

from dataclasses import dataclass

from dermaug.files import Record


class TrainingEntry(Record):
    """The training of a classifier."""

    images: int
    """Images shown in all."""
    kept_images: int
    """Images shown up to the weights that are kept."""
    kept_score: float
    """Balanced accuracy of these weights on validation, 0 to 1, at the most probable class."""
    seconds: float
    """Time spent, over all resumes."""
    parameters: int
    """Number of weights."""


@dataclass(frozen=True)
class TrainedClassifier:
    """A classifier that can predict.

    Args:
        digest: Digest of its checkpoint.
        shown: Label -> its share of the images shown, over the whole training; sums to 1.
        prior: Label -> the prior q that the loss saw at the end of the training
            (`Criterion.prior`); sums to 1.
        training: Its training; None for a discriminator, which was trained with its generator.
        discriminator_of: Key of that generator; "" for a classifier trained as such.
    """

    digest: str
    shown: dict[str, float]
    prior: dict[str, float]
    training: TrainingEntry | None
    discriminator_of: str = ""
