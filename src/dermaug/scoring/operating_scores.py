"""Malignant or pre-malignant lesions, and melanoma, at thresholds for use in practice."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Bool

from dermaug.evaluation.malignancy import (
    auc,
    called_by_top_class,
    malignant_classes,
    melanoma_classes,
    one_against_rest,
    partial_auc,
    sensitivity_specificity,
)
from dermaug.evaluation.operating_points import Scored, operating_points
from dermaug.experiment.run.results import RunResults, TrialResult
from dermaug.scoring.scores import TRIAL, adjusted, joined, label_arrays, on_test, on_validation

TOP_CLASS, ADJUSTED_CLASS = "argmax", "prior-adjusted"
CHOSEN = "specificity on validation"
_COLUMNS = (
    *TRIAL,
    *("target", "rule", "wanted_specificity", "threshold"),
    *("validation_sensitivity", "validation_specificity", "sensitivity", "specificity"),
    *("auc", "partial_auc", "positives", "negatives"),
)


def score_operating_points(results: RunResults) -> pd.DataFrame:
    """One row per finished trial, target and rule, on the test split.

    Targets are `malignant` (malignant or pre-malignant diagnoses against the rest,
    probabilities summed) and `mel` (against the rest), as far as the classes allow. Rules are the
    class of highest probability, without and with prior adjustment, and the threshold on the
    prior-adjusted probability that gives 80, 90 and 95 % specificity on the validation split.

    Returns:
        arm, model, fold, seed, target, rule, wanted_specificity, threshold,
        validation_sensitivity, validation_specificity, sensitivity, specificity, auc, partial_auc
        (above 80 % sensitivity), positives and negatives (test images); empty where a class is no
        known diagnosis, or none is malignant.
    """
    tables = [
        _score(trial, results, name, chosen)
        for trial in results.trials
        for name, chosen in targets(results).items()
    ]
    return joined(tables, _COLUMNS)


def targets(results: RunResults) -> Mapping[str, Bool[np.ndarray, " k"]]:
    """Target -> mask of its classes; empty where a class is no known diagnosis."""
    classes = results.catalog.classes
    malignant = malignant_classes(classes)
    if malignant is None:
        return {}
    melanoma = melanoma_classes(classes)
    found = {"malignant": malignant, "mel": melanoma}
    # Where melanoma alone is malignant, both targets are the same question.
    if (malignant == melanoma).all():
        del found["malignant"]
    return {name: chosen for name, chosen in found.items() if chosen.any()}


def _score(
    trial: TrialResult, results: RunResults, name: str, chosen: Bool[np.ndarray, " k"]
) -> pd.DataFrame:
    labels, probabilities = label_arrays(on_test(trial), results)
    even = adjusted(trial, probabilities, results)
    told, unsure = label_arrays(on_validation(trial), results)
    test = Scored(*one_against_rest(labels, even, chosen))
    validation = Scored(*one_against_rest(told, adjusted(trial, unsure, results), chosen))
    top, fair = (
        sensitivity_specificity(test.positive, called_by_top_class(each, chosen))
        for each in (probabilities, even)
    )
    fixed = pd.DataFrame(
        [(TOP_CLASS, np.nan, *top), (ADJUSTED_CLASS, np.nan, *fair)],
        columns=["rule", "threshold", "sensitivity", "specificity"],
    )
    points = operating_points(validation, test).assign(rule=CHOSEN)
    table = pd.concat([fixed, points], ignore_index=True)
    return table.assign(
        **trial.record.coordinates,
        target=name,
        auc=auc(test.positive, test.scores),
        partial_auc=partial_auc(test.positive, test.scores),
        positives=int(test.positive.sum()),
        negatives=int((~test.positive).sum()),
    )
