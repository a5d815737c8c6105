"""The difference between two sets of predictions of any origin, judged like the arms of a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from dermaug.arguments import checked
from dermaug.config.experiment import Margins
from dermaug.config.section import MOST_IMAGES
from dermaug.errors import DermaugError
from dermaug.evaluation.readouts import ADJUSTED, ARGMAX, AUC
from dermaug.experiment_file import validate_section
from dermaug.stats.answers import answers_of, paired_samples
from dermaug.stats.copied import without_copies
from dermaug.stats.estimate import Estimate
from dermaug.stats.hierarchy import RESAMPLES, estimate_all
from dermaug.stats.metrics import ALL, Metric, metrics_of, readout_metrics
from dermaug.stats.outcomes import EXPLORATORY, FEWEST_GROUPS, NOT_JUDGED, outcome, why_not_judged
from dermaug.stats.paired_tables import Prior, copy_notes, paired_folds
from dermaug.stats.tables import A, B, Predictions

MARGINS: Mapping[str, float] = Margins().model_dump()
"""Largest differences that do not matter, with the defaults of a run."""
WORDS = {
    (ARGMAX, "balanced_accuracy"): "mean sensitivity (argmax)",
    (ADJUSTED, "balanced_accuracy"): "mean sensitivity (prior-adjusted)",
    (AUC, "macro_auc"): "macro AUC",
}


@dataclass(frozen=True)
class Difference:
    """A minus B in one metric.

    Args:
        metric: Its name.
        reference: The metric of B.
        difference: A minus B.
        low: Lower end of the 95 % interval, clipped to what is possible; NaN if it is unknown.
        high: Upper end.
        p: Two-sided p-value; NaN if not judged.
        p_equivalence: p-value of two one-sided tests against the margin; NaN if not judged.
        margin: Largest difference that does not matter.
        verdict: helps, hurts, equivalent, inconclusive, not judged, or exploratory (for argmax, if
            there are prior-adjusted results as well).
        reason: Why it is not judged; "" if it is.
    """

    metric: str
    reference: float
    difference: float
    low: float
    high: float
    p: float
    p_equivalence: float
    margin: float
    verdict: str
    reason: str


@dataclass(frozen=True)
class PairedDifference:
    """The comparison of two tables of predictions.

    Args:
        differences: One difference per metric.
        num_images: Number of different test images.
        num_lesions: Number of different test lesions.
        num_pairs: Number of pairs of trainings with the same fold and seed; copies do not count.
        levels: Sources of variation that the intervals cover.
        notes: What seems odd in the tables and may be right, one sentence each.
    """

    differences: tuple[Difference, ...]
    num_images: int
    num_lesions: int
    num_pairs: int
    levels: str
    notes: tuple[str, ...]

    @property
    def table(self) -> pd.DataFrame:
        """One row per metric."""
        return pd.DataFrame([vars(each) for each in self.differences])


@checked
def paired_difference(
    predictions_a: pd.DataFrame,
    predictions_b: pd.DataFrame,
    *,
    prior_a: Prior | None = None,
    prior_b: Prior | None = None,
    margins: Mapping[str, float] = MARGINS,
    trained_on: Annotated[int, Field(ge=1, le=MOST_IMAGES)] | None = None,
    resamples: Annotated[int, Field(ge=100, le=100_000)] = RESAMPLES,
) -> PairedDifference:
    """Compare two classifiers on the same test images, by lesion and by training.

    With at least two trainings (seeds) in some fold, lesions are resampled and trainings follow a
    moderated t distribution; equal predictions are one training. With one training in each of at
    least three folds, the spread over folds is used. Otherwise the interval covers the choice of
    lesions only, and nothing is judged; nor is it with fewer than ten lesions, or a class of one
    lesion (docs/statistics.md). The metrics are not adjusted for each other.

    Args:
        predictions_a: Table with the columns image, lesion, label and one column of probabilities
            per class (named after the class or p_<class>); fold and seed if there are any.
        predictions_b: Table of the same form, for the same images, folds and seeds.
        prior_a: Class -> share among the images shown to the loss of A, or their number: positive
            numbers, which are divided by their sum. With priors, decisions are also prior-adjusted,
            and AUCs are computed at the uniform prior.
        prior_b: The same for B; both are given, or none.
        margins: Largest differences that do not matter, above 0 and up to 1, of balanced_accuracy
            and macro_auc; `MARGINS` for what is not named.
        trained_on: Number of training lesions of a network; None takes those of the other folds.
        resamples: Number of draws of the bootstrap, from 100 to 100,000.

    Returns:
        The differences A minus B.

    Raises:
        DermaugError: A table or another argument is invalid, or the tables do not match.

    Example:
        >>> rows = [(f"i{n}", f"l{n}", "mel" if n % 2 else "nv") for n in range(40)]
        >>> a = pd.DataFrame(rows, columns=["image", "lesion", "label"])
        >>> a["mel"] = [0.8 if n % 2 else 0.3 for n in range(40)]
        >>> a["nv"] = 1 - a["mel"]
        >>> found = paired_difference(a, a.assign(mel=0.4, nv=0.6)).differences
        >>> [(each.metric, round(each.difference, 2), each.verdict) for each in found]
        [('mean sensitivity (argmax)', 0.5, 'not judged'), ('macro AUC', 0.5, 'not judged')]
    """
    first, second = Predictions.of(predictions_a, A), Predictions.of(predictions_b, B)
    priors = _priors(prior_a, prior_b, first.classes)
    is_adjusted = prior_a is not None
    allowed = validate_section(Margins, margins, "paired_difference", "margins")
    given = paired_folds(first, second, priors, trained_on)
    own = {number: without_copies(fold) for number, fold in given.items()}
    comparison = paired_samples(answers_of(own), A, B)
    num_pairs = sum(len(sample.values) for sample in comparison.values())
    (estimate,) = estimate_all([comparison], readout_metrics(first.classes), resamples)
    return PairedDifference(
        differences=_differences(estimate, first.classes, allowed, is_adjusted=is_adjusted),
        num_images=first.table["image"].nunique(),
        num_lesions=first.table["lesion"].nunique(),
        num_pairs=num_pairs,
        levels=estimate.levels,
        notes=(*first.ties, *second.ties, *first.notes, *copy_notes(given, num_pairs)),
    )


def _priors(
    prior_a: Prior | None, prior_b: Prior | None, classes: tuple[str, ...]
) -> tuple[Prior | None, Prior | None]:
    """Both priors, refused unless both tell of every class or neither is given."""
    given = {"prior_a": prior_a, "prior_b": prior_b}
    for name, prior in given.items():
        if prior is None and any(given.values()):
            raise DermaugError(
                f"{name}: expected a prior, as the other table has one; give both or none"
            )
        if prior is not None and set(prior) != set(classes):
            raise DermaugError(
                f"{name}: expected a number for each class ({', '.join(classes)}), found "
                f"{', '.join(prior) or 'none'}"
            )
    return prior_a, prior_b


def _differences(
    estimate: Estimate, classes: tuple[str, ...], margins: Margins, *, is_adjusted: bool
) -> tuple[Difference, ...]:
    wanted = [each for each in WORDS if is_adjusted or each[0] != ADJUSTED]
    places = metrics_of(classes)
    return tuple(
        _difference(
            estimate.at(places.index(Metric(readout, ALL, metric))),
            WORDS[readout, metric],
            getattr(margins, metric),
            is_exploratory=is_adjusted and readout == ARGMAX,
        )
        for readout, metric in wanted
    )


def _difference(
    estimate: Estimate, metric: str, margin: float, *, is_exploratory: bool
) -> Difference:
    low, high = estimate.interval()[:, 0].clip(-1.0, 1.0)
    if estimate.groups[0] < FEWEST_GROUPS:
        low = high = np.nan
    difference, p, p_equivalence = float(estimate.value[0]), float("nan"), float("nan")
    reason = why_not_judged(difference, low, float(estimate.groups[0]), estimate.levels)
    verdict = NOT_JUDGED
    if not reason:
        p, p_equivalence = (float(estimate.p_value()[0]), float(estimate.equivalence_p(margin)[0]))
        verdict = outcome(difference, p, p_equivalence)
    return Difference(
        metric=metric,
        reference=float(estimate.level[0]),
        difference=difference,
        low=float(low),
        high=float(high),
        p=p,
        p_equivalence=p_equivalence,
        margin=margin,
        verdict=EXPLORATORY if is_exploratory else verdict,
        reason=reason,
    )
