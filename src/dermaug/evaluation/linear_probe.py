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
    """The machine that validation chose.

    Args:
        balanced_accuracy: Mean sensitivity on validation, 0 to 1.
        penalty: The C that was chosen.
        called: Class of each validation image by that machine.
    """

    balanced_accuracy: float
    penalty: float
    called: Int[np.ndarray, " m"]


def linear_probe(
    features: Float[np.ndarray, "n d"],
    labels: Int[np.ndarray, " n"],
    held_out: Float[np.ndarray, "m d"],
    held_out_labels: Int[np.ndarray, " m"],
    penalties: Sequence[float] = PENALTIES,
) -> Probe:
    """Fit one machine a penalty, classes weighing the same; keep the best on held-out images.

    Squared hinge loss and an L2 penalty (Tang 2013, arXiv:1306.0239, equation 5), one class against
    the rest; features are scaled to zero mean and unit variance over the training images.

    Args:
        features: Of training images.
        labels: Their classes.
        held_out: Features of images of other lesions.
        held_out_labels: Their classes.
        penalties: Values of C to choose from; the smaller wins a tie.

    Raises:
        DermaugError: Fewer than two classes, or nothing held out.
    """
    if len(np.unique(labels)) < 2 or not len(held_out):
        raise DermaugError(
            "expected training images of at least two classes and held-out images; found "
            f"{len(np.unique(labels))} classes and {len(held_out)} held-out images"
        )
    known, asked = _scaled(features, held_out)
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
        score = mean_sensitivity(held_out_labels, called)
        if best is None or score > best.balanced_accuracy:
            best = Probe(score, penalty, called)
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
