"""Health of generator trainings: measurements at every snapshot, and a diagnosis in words."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import pdist

from dermaug.data.halves import LEAST_GROUPS
from dermaug.data.image_bank import ImageBank
from dermaug.evaluation.features import Extractor, extract_features
from dermaug.evaluation.fidelity import kid, one_of_each
from dermaug.evaluation.memorisation import NUM_ORIENTATIONS, oriented
from dermaug.evaluation.thumbnails import thumbnails

SIDE = 16
"""Side at which pixels are compared, sufficient to see whether two images are similar."""
MOST = 256
"""Largest number of images per class whose pairs are compared."""
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

    Args:
        history: At least one snapshot.
        total_images: Real images shown in the whole training.
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
    """Measures the health of snapshots; reference values are computed once per training.

    Args:
        training: Training images of the generator.
        validation: Images of other lesions of the same classes, never of the test split.
        extractor: Network that computes the features for KID.
        number: Number of generated images per class, at least 2.
        groups: Lesion of each training image and of each validation image; pairs of one lesion and
            classes with fewer than `LEAST_GROUPS` lesions on a side are not used.
    """

    training: ImageBank
    validation: ImageBank
    extractor: Extractor
    number: int
    groups: tuple[np.ndarray, np.ndarray]

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
        for label in np.unique(self.validation.labels.cpu().numpy()).tolist():
            (seen, seen_groups), (kept, groups) = self._of_class(label)
            if min(len(np.unique(each)) for each in (seen_groups, groups)) < LEAST_GROUPS:
                continue
            drawn = draw(label, self.number)
            kids.append(self._kid(kept, drawn, groups))
            apart = one_of_each(seen_groups, np.random.default_rng(0))
            collapsed.append(collapsed_pairs(drawn, _pixels(seen)[apart]))
            nearest.append(nearest_training(drawn, _pixels(seen), _pixels(kept)))
            made = ImageBank.of(drawn, np.full(len(drawn), label), self.validation.device)
            told = [realness(bank) for bank in (seen, kept, made)]
            verdicts.append(overfitting(*(each for each in told if each is not None)))
        return Vitals(
            images,
            _mean(kids),
            max(collapsed, default=math.nan),
            _mean(nearest),
            _mean(verdicts),
        )

    def _of_class(self, label: int) -> list[tuple[ImageBank, np.ndarray]]:
        """Training and validation images of a class, with their lesions."""
        found = []
        for bank, groups in zip((self.training, self.validation), self.groups, strict=True):
            rows = torch.nonzero(bank.labels == label).flatten()
            part = ImageBank(bank.images[rows], bank.labels[rows], bank.device)
            found.append((part, groups[rows.cpu().numpy()]))
        return found

    def _kid(
        self, kept: ImageBank, drawn: UInt8[np.ndarray, "n h w 3"], groups: np.ndarray
    ) -> float:
        device = self.validation.device
        real, made = (
            extract_features(self.extractor, part, device) for part in (_pixels(kept), drawn)
        )
        return kid(real, made, groups, halves=0).value


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


def collapsed_pairs(
    drawn: UInt8[np.ndarray, "n h w 3"], training: UInt8[np.ndarray, "m h w 3"]
) -> float:
    """Fraction of pairs of generated images that are closer than 99 % of the pairs of real ones.

    Args:
        drawn: Generated images of one class.
        training: Real images of different lesions, since images of one lesion are naturally close.
    """
    made, real = (pdist(_small(part[:MOST])) for part in (drawn, training))
    return float((made < real.quantile(0.01)).float().mean())


def nearest_training(
    drawn: UInt8[np.ndarray, "n h w 3"],
    training: UInt8[np.ndarray, "m h w 3"],
    validation: UInt8[np.ndarray, "k h w 3"],
) -> float:
    """Median distance to the nearest training image, divided by that of validation images.

    All images count, including several of one lesion, because generators are shown images.
    """
    known = _small(training)
    made, kept = (float(_nearest(part, known).median()) for part in (drawn, validation))
    return made / kept if kept > 0.0 else math.nan


def _nearest(images: UInt8[np.ndarray, "n h w 3"], known: Float[Tensor, "m d"]) -> Tensor:
    """Distance of each image, in its closest orientation, to the nearest of the known ones."""
    turned = [_small(oriented(images, orientation)) for orientation in range(NUM_ORIENTATIONS)]
    return torch.stack([torch.cdist(each, known).min(1).values for each in turned]).min(0).values


def _pixels(bank: ImageBank) -> UInt8[np.ndarray, "n h w 3"]:
    return np.asarray(bank.images.cpu().numpy())


def _small(images: UInt8[np.ndarray, "n h w 3"]) -> Float[Tensor, "n d"]:
    return thumbnails(images, SIDE).flatten(1)


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return float(np.mean(finite)) if finite else math.nan
