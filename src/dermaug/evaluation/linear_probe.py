"""Linear probe: a linear SVM on features, as a measure of what they say about the classes.

Radford et al. 2015 (arXiv:1511.06434, section 5) evaluated their discriminator in this way.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import recall_score
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from dermaug.errors import DermaugError

PENALTIES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
"""Values of C that are tried, for features of unit variance."""


@dataclass(frozen=True, eq=False)
class Probe:
    """The SVM with the selected C.

    Args:
        balanced_accuracy: Mean sensitivity, 0 to 1, on the images that selected C; optimistic.
        penalty: The selected C.
        called: Predicted class of each evaluated image.
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
    """Fit a class-weighted SVM for each C and predict other images with the best one.

    Squared hinge loss and an L2 penalty (Tang 2013, arXiv:1306.0239, equation 5), one class against
    the rest; features are scaled to zero mean and unit variance over the training images.

    Args:
        features: Of training images.
        labels: Their classes.
        choosing: Features of images of other lesions, on which C is selected.
        choosing_labels: Their classes.
        judged: Features of the evaluated images, of lesions that are in neither.
        penalties: Values of C to choose from; the smaller wins a tie.

    Raises:
        DermaugError: Fewer than two classes, or no image for selection or evaluation.
    """
    if len(np.unique(labels)) < 2 or not len(choosing) or not len(judged):
        raise DermaugError(
            "expected training images of at least two classes, and validation images of other "
            f"lesions in two halves; found {len(np.unique(labels))} classes, {len(choosing)} "
            f"images to choose C and {len(judged)} to evaluate"
        )
    scaler = StandardScaler()
    known = scaler.fit_transform(np.asarray(features, dtype=np.float32))
    asked = scaler.transform(np.concatenate([choosing, judged], dtype=np.float32))
    if known.shape[1] > len(known):
        # The SVM lies in the span of its training images, and the penalty does not change under
        # rotation: in their own coordinates it is the same SVM, fitted in a seventh of the time.
        basis, coordinates = np.linalg.qr(known.T)  # d n, n n
        known, asked = coordinates.T, asked @ basis
    return max(
        (_fitted(penalty, known, labels, asked, choosing_labels) for penalty in sorted(penalties)),
        key=lambda probe: probe.balanced_accuracy,
    )


def _fitted(
    penalty: float,
    known: Float[np.ndarray, "n d"],
    labels: Int[np.ndarray, " n"],
    asked: Float[np.ndarray, "m d"],
    choosing_labels: Int[np.ndarray, " k"],
) -> Probe:
    """Fit one SVM and score it on the first set of images."""
    machine = LinearSVC(C=penalty, class_weight="balanced", dual=False, tol=1e-2, random_state=0)
    with warnings.catch_warnings():
        # An SVM that has not converged is scored as it is; validation decides.
        warnings.simplefilter("ignore", ConvergenceWarning)
        called = np.asarray(machine.fit(known, labels).predict(asked), dtype=np.int64)
    chosen, judged = np.split(called, [len(choosing_labels)])
    present = np.unique(choosing_labels)
    score = recall_score(choosing_labels, chosen, labels=present, average="macro")
    return Probe(float(score), penalty, judged)
