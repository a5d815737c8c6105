"""Stage 5: sensitivity and specificity of both arms, and their difference with an interval.

Requires the output of 04_train_classifier.py. After so short a training on so few images, the
results say nothing about synthetic images; use `dermaug run` to answer that question.
"""

from pathlib import Path

import numpy as np

from dermaug.evaluation.discrimination import confusion, overall, per_class, rates
from dermaug.evaluation.predictions import label_indices, probabilities_of, read_predictions
from dermaug.stats.bootstrap import percentile_interval, stratified_totals

OUTPUT = Path("runs/examples")
CLASSES = ("bkl", "mel", "nv")
ARMS = ("classic", "classic+synthetic")

tables = {
    arm: read_predictions(OUTPUT / "classifiers" / arm / "predictions.parquet", CLASSES)
    for arm in ARMS
}
for arm, table in tables.items():
    labels, probabilities = label_indices(table, CLASSES), probabilities_of(table, CLASSES)
    numbers = overall(labels, probabilities)
    print(f"\n{arm}: " + ", ".join(f"{name} {value:.3f}" for name, value in numbers.items()))
    shown = per_class(labels, probabilities, CLASSES)
    print(shown[["label", "support", "sensitivity", "specificity", "auc"]].round(3).to_string())

# One confusion matrix per lesion and arm; both arms use the same resamples of lesions.
lesions = sorted(set(tables[ARMS[0]]["lesion_id"]))
counts = np.zeros((len(lesions), len(ARMS), len(CLASSES), len(CLASSES)))
for place, table in enumerate(tables.values()):
    for lesion, rows in table.groupby("lesion_id"):
        counts[lesions.index(str(lesion)), place] = confusion(
            label_indices(rows, CLASSES), probabilities_of(rows, CLASSES)
        )
found = rates(counts.sum(axis=0))["balanced_accuracy"]
drawn = rates(stratified_totals([counts], resamples=2_000))["balanced_accuracy"]
low, high = percentile_interval(drawn[:, 1] - drawn[:, 0])
print(
    f"\nmean sensitivity, {ARMS[1]} minus {ARMS[0]}: {found[1] - found[0]:+.3f} "
    f"(95 % interval {low:+.3f} to {high:+.3f}, {len(lesions)} test lesions)"
)
