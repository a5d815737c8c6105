"""Scores of lesions instead of images: the probabilities of a lesion's images are averaged."""

import pandas as pd

from dermaug.evaluation.discrimination import OVERALL
from dermaug.evaluation.readouts import OVERALL_ADJUSTED
from dermaug.experiment.run.results import RunResults
from dermaug.scoring.scores import TRIAL, on_test, scores_of


def score_lesions(results: RunResults) -> pd.DataFrame:
    """One row per finished trial: its coordinates, lesions, and the metrics of `overall_read`.

    Returns:
        The columns of `score_trials` with lesions instead of images; empty where each tested
        lesion has one image, or lesions are unknown.
    """
    columns = [*TRIAL, "lesions", *OVERALL, *OVERALL_ADJUSTED]
    table = results.catalog.table
    if not results.catalog.grouped or not table["lesion_id"].duplicated().any():
        return pd.DataFrame(columns=columns)
    lesion_of = dict(zip(table["image_id"], table["lesion_id"], strict=True))
    rows, several = [], False
    for trial in results.trials:
        tested = on_test(trial)
        lesions = tested["image_id"].map(lesion_of)
        averaged = tested.groupby([lesions, "label"], sort=True).mean(numeric_only=True)
        several |= len(averaged) < len(tested)
        found = scores_of(trial, averaged.reset_index("label"), results)
        rows.append({**trial.record.coordinates, "lesions": len(averaged), **found})
    return pd.DataFrame(rows if several else [], columns=columns)
