"""Health of generator trainings: measurements at every snapshot, and a diagnosis in words."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import pdist

from dermaug.data.image_bank import ImageBank
from dermaug.evaluation.features import Extractor, extract_features
from dermaug.evaluation.fidelity import kid
from dermaug.generators.real_side import MOST, RealSide, median_nearest, small

COLLAPSED = 0.5
"""Fraction of pairs closer than almost all real pairs, above which a class has collapsed."""
OVERFITTED = 0.8
"""Overfitting of the discriminator (see `Vitals`) above which a training is unhealthy."""
COPYING = 0.5
"""Distance to the nearest training image, relative to validation images, that indicates copies."""
PATIENCE = 3
"""Number of consecutive snapshots with a bad sign after which a training is stopped."""


@dataclass(frozen=True)
class Vitals:
    """Health of one snapshot; NaN where it cannot be measured.

    Args:
        images: Real images shown so far.
        kid: Mean over the classes of the squared MMD to validation images; smaller is better.
        collapsed_pairs: Fraction of pairs of generated images of one class that are closer to each
            other than 99 % of the pairs of real ones, in the worst class.
        nearest_training: Median distance of a generated image to its nearest training image,
            divided by that of validation images, mean over the classes; 1 is ideal.
        overfitting: How far the discriminator rates validation images towards generated ones: 0 if
            it rates them like training images, 1 if like generated ones (r_v of Karras et al. 2020,
            arXiv:2006.06676, equation 1).
    """

    images: int
    kid: float
    collapsed_pairs: float
    nearest_training: float
    overfitting: float


@dataclass(frozen=True)
class Diagnosis:
    """Diagnosis of a training.

    Args:
        best_images: Images shown at the snapshot with the smallest KID, or at the last one if KID
            was not measured.
        stop: Whether to stop the training.
        words: Description of the problem; "" without one.
    """

    best_images: int
    stop: bool
    words: str


def diagnose(history: Sequence[Vitals], total_images: int) -> Diagnosis:
    """Diagnose a training from all its snapshots so far, oldest first.

    It is stopped if, in the second half and `PATIENCE` times in a row, KID has not improved and the
    worst class has collapsed, the discriminator has memorised its training images, or images are
    copies.
    """
    told = [vitals for vitals in history if math.isfinite(vitals.kid)]
    best = min(told, key=lambda vitals: vitals.kid) if told else history[-1]
    last = history[-PATIENCE:]
    signs = (
        (
            all(vitals.collapsed_pairs > COLLAPSED for vitals in last),
            "it collapsed: {collapsed_pairs:.0%} of the pairs of one class are nearly the same "
            "image, and KID no longer falls",
        ),
        (
            all(vitals.overfitting > OVERFITTED for vitals in last),
            "its discriminator has memorised the training images (it rates validation images like "
            "generated ones, {overfitting:.2f} of 1), and KID no longer falls",
        ),
        (
            all(vitals.nearest_training < COPYING for vitals in last),
            "its images are copies (the distance to training images is {nearest_training:.2f} "
            "times that of validation lesions), and KID no longer falls",
        ),
    )
    # All images look similar early in training, and a generator whose KID still falls is learning.
    lasts = len(last) == PATIENCE and all(vitals.images > best.images for vitals in last)
    lasts = lasts and last[0].images >= 0.5 * total_images
    found = [words.format(**asdict(history[-1])) for wrong, words in signs if wrong]
    return Diagnosis(best.images, bool(found) and lasts, "; ".join(found) if lasts else "")


@dataclass(frozen=True, eq=False)
class Monitor:
    """Measures the health of snapshots.

    Args:
        sides: What they are compared with, one per class that is measured.
        extractor: Network that computes the features for KID.
        number: Number of generated images per class, at least 2.
        device: Device of the extractor.
    """

    sides: Sequence[RealSide]
    extractor: Extractor
    number: int
    device: torch.device

    def examine(
        self,
        images: int,
        draw: Callable[[int, int], UInt8[np.ndarray, "n h w 3"]],
        realness: Callable[[ImageBank], Float[np.ndarray, " n"] | None],
    ) -> Vitals:
        """Measure the health of a snapshot.

        Args:
            images: Real images shown so far.
            draw: Function of class index and number that returns generated images.
            realness: Function that returns the discriminator's logits; its result is None without
                a discriminator.
        """
        kids, collapsed, nearest, verdicts = [], [], [], []
        for side in self.sides:
            drawn = draw(side.label, self.number)
            features = extract_features(self.extractor, drawn, self.device)
            kids.append(kid(side.features, features, side.groups, halves=0).value)
            collapsed.append(collapsed_pairs(drawn, side.close))
            nearest.append(nearest_training(drawn, side.known, side.apart))
            made = ImageBank.of(drawn[:MOST], np.full(len(drawn[:MOST]), side.label), self.device)
            told = [realness(bank) for bank in (*side.judged, made)]
            verdicts.append(overfitting(*(each for each in told if each is not None)))
        return Vitals(
            images, _mean(kids), max(collapsed, default=math.nan), _mean(nearest), _mean(verdicts)
        )


def overfitting(*verdicts: Float[np.ndarray, " _"]) -> float:
    """(E D(training) - E D(validation)) / (E D(training) - E D(generated)); NaN if undefined.

    Args:
        verdicts: Logits of training, validation and generated images; empty without a
            discriminator.

    Example:
        >>> overfitting(np.array([2.0]), np.array([0.5]), np.array([-1.0]))
        0.5
    """
    if not verdicts:
        return math.nan
    training, validation, generated = verdicts
    gap = float(training.mean() - generated.mean())
    return float(training.mean() - validation.mean()) / gap if gap > 0.0 else math.nan


def collapsed_pairs(drawn: UInt8[np.ndarray, "n h w 3"], close: float) -> float:
    """Fraction of pairs of generated images that are closer than a distance.

    Args:
        drawn: Generated images of one class.
        close: Distance of real images (`real_side.close_pairs`).
    """
    return float((pdist(small(drawn[:MOST])) < close).float().mean())


def nearest_training(
    drawn: UInt8[np.ndarray, "n h w 3"], known: Float[Tensor, "m t"], apart: float
) -> float:
    """Median distance to the nearest training image, divided by that of validation images.

    Args:
        drawn: Generated images of one class.
        known: All training images, several of one lesion included, because generators are shown
            images.
        apart: Median distance of validation images to the nearest of them.
    """
    return median_nearest(drawn, known) / apart if apart > 0.0 else math.nan


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return float(np.mean(finite)) if finite else math.nan
