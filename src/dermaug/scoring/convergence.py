"""Has the baseline stopped rising? It is trained at its full length and at half of it.

Under a cosine schedule the last fifth of a training is flat by construction, so that its journal
cannot tell; a second training of half the length can.
"""

import pandas as pd

from dermaug.evaluation.readouts import ADJUSTED, AUC
from dermaug.experiment.plan.comparisons import BASELINE, Contrast
from dermaug.experiment.run.results import RunResults
from dermaug.scoring.effects import effects_of, place_of
from dermaug.stats.metrics import ALL, Metric


def convergence(results: RunResults) -> pd.DataFrame:
    """One row per classifier and metric that is judged.

    Returns:
        model, arm, readout, metric, images, half (images shown in the shorter training),
        difference, low, high (full length minus half, test part), margin, and converged: whether
        the full length gains no more than the margin. Empty where it was not measured.
    """
    pairs = tuple(
        Contrast(arm.convergence_of, arm.name, BASELINE)
        for arm in results.experiment.arms
        if arm.convergence_of
    )
    images = {each.key: each.images for each in results.experiment.classifiers}
    length = {arm.name: arm.length for arm in results.experiment.arms}
    margins = results.experiment.verdict.margin
    rows = []
    for effect in effects_of(results, pairs) if pairs else ():
        low, high = effect.estimate.interval().clip(-1.0, 1.0)
        for readout, metric in ((ADJUSTED, "balanced_accuracy"), (AUC, "macro_auc")):
            place = place_of(results, Metric(readout, ALL, metric))
            difference = float(effect.estimate.value[place])
            rows.append(
                {
                    "model": effect.model,
                    "arm": effect.contrast.arm,
                    "readout": readout,
                    "metric": metric,
                    "images": images[effect.model],
                    "half": round(images[effect.model] * length[effect.contrast.reference]),
                    "difference": difference,
                    "low": float(low[place]),
                    "high": float(high[place]),
                    "margin": getattr(margins, metric),
                    "converged": difference <= getattr(margins, metric),
                }
            )
    return pd.DataFrame(rows)
