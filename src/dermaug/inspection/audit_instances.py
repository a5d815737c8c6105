"""What an audit says of single synthetic images: nearest real image, realism, class, kept."""

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.spatial.distance import cdist

from dermaug.evaluation.manifold import fewest_of_others, neighbour_radii
from dermaug.evaluation.memorisation import copy_scores, nearest
from dermaug.experiment.stages.judges import Judge
from dermaug.inspection.audit_class import MOST_IMAGES, Subjects, copy_thresholds, examined

COLUMNS = (
    "label",
    "image",  # its name, or its row in its class
    "nearest_real",  # id of the real image that is nearest in pixels
    "copy_score",  # below 1: a copy
    "realism",  # at least 1: inside the manifold of real validation images
    "class_probability",  # of its own class, by the classifier
    "kept",  # whether a curation that drops copies would keep it
)
NEIGHBOUR = 3
"""Neighbour that sets the balls of the real images, as for precision."""


def instance_table(subjects: Subjects, names: np.ndarray, judge: Judge, seed: int) -> pd.DataFrame:
    """One row per examined synthetic image of a class, with the columns of `COLUMNS`.

    The names are those of all its synthetic images; the seed of the audit chooses the examined.
    """
    rows = examined(subjects.label, len(subjects.synthetic), seed)
    drawn = np.asarray(subjects.synthetic[rows])
    kept = np.arange(len(subjects.validation))[:MOST_IMAGES]
    originals, ids = subjects.originals
    found = nearest(drawn, originals, judge.features)
    thresholds = copy_thresholds(subjects, kept, judge)
    scores = np.full(len(drawn), np.nan) if thresholds is None else copy_scores(found, thresholds)
    values = (
        subjects.label,
        names[rows],
        ids[found.indices],
        scores,
        _realism_of(subjects, drawn, kept, judge),
        judge.probability(drawn, subjects.label) if subjects.label in judge.classes else np.nan,
        ~(scores < 1.0),
    )
    return pd.DataFrame(dict(zip(COLUMNS, values, strict=True)))


def realism(
    reference: Float[np.ndarray, "n d"],
    sample: Float[np.ndarray, "m d"],
    groups: np.ndarray | None = None,
) -> Float[np.ndarray, " m"]:
    """Realism of each image (Kynkäänniemi et al. 2019, equation 3).

    The largest ratio of a real image's radius (to its third neighbour of another lesion) to the
    distance from it; only real images whose radius is at most the median count.
    """
    own = np.arange(len(reference)) if groups is None else np.asarray(groups)
    (radii,) = neighbour_radii(reference, (NEIGHBOUR,), np.unique(own, return_inverse=True)[1])
    small = radii <= np.median(radii)
    distances = cdist(sample, reference[small])
    ratios = radii[small] / np.maximum(distances, np.finfo(float).tiny)
    return np.asarray(ratios.max(axis=1))


def _realism_of(
    subjects: Subjects, drawn: np.ndarray, kept: np.ndarray, judge: Judge
) -> Float[np.ndarray, " n"]:
    groups = subjects.lesions[kept]
    if not len(kept) or fewest_of_others(groups) < NEIGHBOUR:
        return np.full(len(drawn), np.nan)
    real = judge.features(subjects.validation[kept])
    return realism(real, judge.features(drawn), groups)
