"""How much of the classes lies in some features: a linear support vector machine on them.

Radford et al. 2015 (arXiv:1511.06434, section 5) judged their discriminator so.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from dermaug.errors import DermaugError

PENALTIES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
"""Values of C that are tried, for features of unit variance."""


@dataclass(frozen=True, eq=False)
class Probe:
    """The machine whose C was chosen.

    Args:
        balanced_accuracy: Mean sensitivity, 0 to 1, on the images that C was chosen by: too high.
        penalty: The C that was chosen.
        called: Class of each judged image by that machine.
    """

    balanced_accuracy: float
    penalty: float
    called: Int[np.ndarray, " m"]


def linear_probe(
    features: Float[np.ndarray, "n d"],
    labels: Int[np.ndarray, " n"],
    choosing: Float[np.ndarray, "m d"],
    choosing_labels: Int[np.ndarray, " m"],
    judged: Float[np.ndarray, "j d"],
    penalties: Sequence[float] = PENALTIES,
) -> Probe:
    """Fit one machine a penalty, classes weighing the same; let the best answer for other images.

    Squared hinge loss and an L2 penalty (Tang 2013, arXiv:1306.0239, equation 5), one class against
    the rest; features are scaled to zero mean and unit variance over the training images.

    Args:
        features: Of training images.
        labels: Their classes.
        choosing: Features of images of other lesions, by which C is chosen.
        choosing_labels: Their classes.
        judged: Features of further images, of lesions that are in neither.
        penalties: Values of C to choose from; the smaller wins a tie.

    Raises:
        DermaugError: Fewer than two classes, or no image to choose by or to judge.
    """
    fewest = min(len(choosing), len(judged))
    if len(np.unique(labels)) < 2 or not fewest:
        raise DermaugError(
            "expected training images of at least two classes and held-out images of other lesions "
            f"in two halves; found {len(np.unique(labels))} classes, {len(choosing)} held-out "
            f"images to choose by and {len(judged)} to judge"
        )
    known, asked = _scaled(features, np.concatenate([choosing, judged]))
    best: Probe | None = None
    for penalty in sorted(penalties):
        machine = LinearSVC(
            C=penalty, class_weight="balanced", dual=False, tol=1e-2, random_state=0
        )
        with warnings.catch_warnings():
            # A machine that has not settled is scored as it is: validation judges it.
            warnings.simplefilter("ignore", ConvergenceWarning)
            machine.fit(known, labels)
        called = np.asarray(machine.predict(asked), dtype=np.int64)
        score = mean_sensitivity(choosing_labels, called[: len(choosing)])
        if best is None or score > best.balanced_accuracy:
            best = Probe(score, penalty, called[len(choosing) :])
    assert best is not None
    return best


def _scaled(
    features: Float[np.ndarray, "n d"], held_out: Float[np.ndarray, "m d"]
) -> tuple[Float[np.ndarray, "n k"], Float[np.ndarray, "m k"]]:
    """Both of zero mean and unit variance over the training images, with at most n columns.

    The penalty does not change under rotation, and the machine lies in the span of its training
    images: in their own coordinates it is the same machine, found in a tenth of the time.
    """
    scaler = StandardScaler(copy=False)
    known = scaler.fit_transform(np.array(features, dtype=np.float32))
    asked = scaler.transform(np.array(held_out, dtype=np.float32))
    if known.shape[1] <= len(known):
        return known, asked
    basis, coordinates = np.linalg.qr(known.T)  # d n, n n
    return coordinates.T, asked @ basis


def mean_sensitivity(labels: Int[np.ndarray, " n"], called: Int[np.ndarray, " n"]) -> float:
    """Balanced accuracy over the classes that occur.

    Example:
        >>> mean_sensitivity(np.array([0, 0, 0, 1]), np.array([0, 0, 0, 0]))
        0.5
    """
    right = called == labels
    return float(np.mean([right[labels == label].mean() for label in np.unique(labels)]))
