"""Decision curves of every classifier and arm: the net benefit over a range of thresholds."""

import numpy as np
import pandas as pd

from dermaug.evaluation.decision_curve import net_benefit
from dermaug.evaluation.malignancy import one_against_rest
from dermaug.experiment.run.results import RunResults
from dermaug.scoring.operating_scores import targets
from dermaug.scoring.roc_scores import grouped_trials
from dermaug.scoring.scores import joined, label_arrays, natural, on_test

THRESHOLDS = np.linspace(0.01, 0.5, 50)
COLUMNS = ("threshold", "net_benefit", "call_all", "trials", "model", "arm", "target")


def decision_curves(results: RunResults) -> pd.DataFrame:
    """One row per classifier, arm, target and threshold, at the natural prevalence.

    Returns:
        threshold, net_benefit, call_all (net benefit of calling every image positive), trials over
        whose test splits both are averaged, model, arm, and target as in `score_operating_points`.
    """
    tables = []
    for model, arm, trials in grouped_trials(results):
        for target, chosen in targets(results).items():
            curves = []
            for trial in trials:
                labels, probabilities = label_arrays(on_test(trial), results)
                scored = natural(trial, probabilities, results)
                positive, scores = one_against_rest(labels, scored, chosen)
                both = (scores, np.ones_like(scores))
                curves.append([net_benefit(positive, each, THRESHOLDS) for each in both])
            own, every = np.mean(curves, axis=0)
            columns = {"threshold": THRESHOLDS, "net_benefit": own, "call_all": every}
            table = pd.DataFrame(columns).assign(trials=len(trials))
            tables.append(table.assign(model=model, arm=arm, target=target))
    return joined(tables, COLUMNS)
