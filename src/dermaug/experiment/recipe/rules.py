"""The rules of the recipe: every number that `dermaug plan` chooses by, in one place.

They come from the studies so far and are meant to be changed by later ones; nothing else in the
package depends on their values.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rung:
    """One size of study.

    Args:
        side: Largest image size in pixels.
        folds: Number of cross-validation folds, all of them run.
        seeds: Smallest number of classifier seeds.
        epochs: Length of a classifier's training, in passes over the training images.
        fewest_images: Smallest length of a classifier's training, in images shown.
        generator_images: Length of a generator's training, in images shown.
        pretrained: Whether a pretrained network is trained as well, if its weights can be had.
        half: Whether an arm on half of the lesions shows what further real lesions are worth.
    """

    name: str
    side: int
    folds: int
    seeds: int
    epochs: int
    fewest_images: int
    generator_images: int
    pretrained: bool
    half: bool


RUNGS = (
    Rung("first look", 32, 3, 2, 30, 24_000, 16_000, pretrained=False, half=False),
    Rung("short study", 64, 3, 3, 40, 40_000, 40_000, pretrained=False, half=True),
    Rung("study", 64, 5, 3, 60, 60_000, 100_000, pretrained=True, half=True),
    Rung("full strength", 128, 5, 5, 80, 100_000, 400_000, pretrained=True, half=True),
)
"""From the cheapest to the strongest. A plan takes the strongest one that fits the hours. With 164
training images at 32 px, mean sensitivity still rose by 0.07 from 6,000 to 12,000 images shown
(phantoms, own CNN, 27 November 2026), so that lengths come before seeds."""
HOURS = (1 / 6, 1.0, 4.0, 12.0, 24.0, 72.0)
"""Default hours: the first of these in which the first rung nearly fits, otherwise the last."""
NEARLY = 0.5
"""Length, as a fraction, to which the first rung is shortened before more hours are taken."""
MOST_SEEDS = 5
"""Seeds are added up to this number as long as the hours allow: they add power without new data."""
SHORTEST = 0.1
"""If even the first rung does not fit, its trainings are shortened, to this fraction at most."""

SMALLEST_SIDE = 32
"""The smallest image size of a plan, for smaller photographs, too; larger ones are doublings of it,
which generators draw."""
FEWEST_LESIONS = 6
"""A class with fewer lesions is left out: it cannot be in training, validation and test of every
fold."""
IMBALANCED = 2.0
"""Ratio of the most to the least frequent class from which logit adjustment is used."""
ENOUGH_IMAGES = 2_000
"""A class with more training images than this is not synthesised: it lacks none."""
FEWEST_DRAWN = 8
"""A class with fewer training lesions than this is not synthesised: nothing to learn from."""
PER_REAL = 0.5
"""Synthetic images added per real training image of a class, the same in every class, so that no
class is recognised by being synthetic and real images stay the majority."""

SMALL_SET = 2_000
"""Number of training images up to which the small batch is used, for more steps."""
SMALL_BATCH, LARGE_BATCH = 16, 64
VALIDATIONS = 4
"""Evaluations on validation during a classifier's training, which only draw its curve."""

OWN_CNN = {"model": "fridadar"}
"""The classifier of every plan: a small CNN that is trained from scratch."""
PRETRAINED = {
    "name": "efficientnet-tuned",
    "model": "tf_efficientnet_lite1",
    "rate": 5e-4,
    "ema": 0.99,
    "batch": 64,
}
"""The pretrained classifier: an ImageNet network that is small and comes by pip."""
CGAN = {"family": "cgan", "batch": 16, "width": 32, "latent": 64}
"""The generator without pretrained weights: conditional, for small and imbalanced classes."""
PROJECTED = {"family": "projected", "batch": 16, "width": 32, "latent": 64}
"""The generator on the rungs with pretrained networks: its discriminator knows ImageNet."""
CURATION = {"drop_copies": True}
"""Selection among the synthetic images: near-copies of training images are no new lesions."""
