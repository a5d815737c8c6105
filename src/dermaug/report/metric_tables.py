"""Tables of calibration, operating points and groups of patients, rounded for reading."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from dermaug.report.subgroup_figures import GROUPING_WORDS, METRIC_WORDS
from dermaug.report.tables import NONE, Table, mean_and_spread, number, signed
from dermaug.scoring.operating_scores import ADJUSTED_CLASS, CHOSEN, TOP_CLASS
from dermaug.scoring.subgroup_scores import FEWEST

TARGET_WORDS = {
    "malignant": "Malignant or pre-malignant (mel, bcc, akiec) against benign",
    "mel": "Melanoma",
}
_CALIBRATION = {
    "ece": "ECE",
    "brier": "Brier",
    "nll": "NLL",
    "temperature": "Temperature",
    "ece_scaled": "ECE after",
    "brier_scaled": "Brier after",
}


def operating_tables(points: pd.DataFrame, arms: Sequence[str]) -> list[Table]:
    """One table a target: sensitivity / specificity on test at each rule, mean over trials.

    Args:
        points: What `score_operating_points` gives.
        arms: Names in the experiment's order.
    """
    return [_operating(part, str(target), arms) for target, part in _parts(points, "target")]


def calibration_table(calibration: pd.DataFrame, arms: Sequence[str]) -> Table:
    """Arm x classifier: ECE, Brier and NLL before and after the temperature; mean ± SD over trials.

    Args:
        calibration: What `score_calibration` gives.
        arms: Names in the experiment's order.
    """
    rows: list[tuple[str, ...]] = []
    for model, part in _parts(calibration, "model"):
        rows.append((str(model),))
        for arm in arms:
            trials = part[part["arm"] == arm]
            if len(trials):
                numbers = (mean_and_spread(trials[name]) for name in _CALIBRATION)
                rows.append((arm, *numbers, str(len(trials))))
    caption = (
        "Calibration on the test part at the natural prevalence (that of the training part), mean "
        "± SD over n trials; lower is better; exploratory. ECE: expected "
        "calibration error of the top label, 15 bins. Brier: squared error summed over classes, 0 "
        "to 2. NLL: negative log-likelihood in nats. After: with the temperature that fits "
        "validation best; above 1 the classifier was too sure, below 1 not sure enough."
    )
    return Table(caption, ("Arm", *_CALIBRATION.values(), "n"), tuple(rows))


def subgroup_table(table: pd.DataFrame) -> Table:
    """What each arm gains over its control in each group, with interval and group size.

    Args:
        table: What `score_subgroups` gives.
    """
    gains = table[table["reference"] != ""]
    rows: list[tuple[str, ...]] = []
    metrics = [name for name in METRIC_WORDS if name in set(gains["metric"])]
    keys = ["model", "arm", "reference", "grouping"]
    for (model, arm, reference, grouping), part in gains.groupby(keys, sort=False):
        rows.append((f"{model}, {arm} − {reference}: {GROUPING_WORDS[str(grouping)].lower()}",))
        for group, lines in part.groupby("group", sort=False):
            found = {str(line["metric"]): line for _, line in lines.iterrows()}
            size = next(iter(found.values()))
            cells = (
                text
                for metric in metrics
                for text in (_gain(found.get(metric)), _support(found.get(metric)))
            )
            rows.append((str(group), f"{size['lesions']:,}", *cells))
    names = (name for metric in metrics for name in (METRIC_WORDS[metric].capitalize(), "images"))
    caption = (
        "Exploratory: differences by group with 95 % intervals, prior-adjusted; lesions of the "
        "group, and its images (behind the sensitivity to malignant or pre-malignant lesions, its "
        f"images of these); no interval below {FEWEST} of them."
    )
    return Table(caption, ("Group", "lesions", *names), tuple(rows))


def _operating(points: pd.DataFrame, target: str, arms: Sequence[str]) -> Table:
    wanted = sorted(points.loc[points["rule"] == CHOSEN, "wanted_specificity"].unique())
    rows: list[tuple[str, ...]] = []
    for model, part in _parts(points, "model"):
        rows.append((str(model),))
        for arm in arms:
            ours = part[part["arm"] == arm]
            if ours.empty:
                continue
            top, fair = (_both(ours[ours["rule"] == each]) for each in (TOP_CLASS, ADJUSTED_CLASS))
            chosen = (_both(ours[ours["wanted_specificity"] == value]) for value in wanted)
            auc = mean_and_spread(ours.loc[ours["rule"] == TOP_CLASS, "auc"])
            rows.append((arm, auc, top, fair, *chosen))
    chosen_at = (f"{100 * value:.0f} % specificity" for value in wanted)
    header = ("Arm", "AUC", "argmax", "prior-adjusted", *chosen_at)
    first = points.drop_duplicates("fold")
    caption = (
        f"{TARGET_WORDS[target]}: sensitivity / specificity on the test part, mean over folds and "
        f"seeds ({first['positives'].sum():,} positive and {first['negatives'].sum():,} other test "
        "images). The last columns use the threshold on prior-adjusted probabilities that gave "
        "this specificity on validation; what it gave on test stands after the stroke. Exploratory."
    )
    return Table(caption, header, tuple(rows))


def _both(rows: pd.DataFrame) -> str:
    return " / ".join(number(rows[name].mean()) for name in ("sensitivity", "specificity"))


def _gain(line: pd.Series | None) -> str:
    if line is None or np.isnan(line["value"]):
        return NONE
    middle = signed(float(line["value"]))
    if np.isnan(line["low"]):
        return middle
    return f"{middle} ({signed(float(line['low']))} to {signed(float(line['high']))})"


def _support(line: pd.Series | None) -> str:
    return "0" if line is None else f"{line['support']:,}"


def _parts(table: pd.DataFrame, column: str) -> list[tuple[object, pd.DataFrame]]:
    return list(table.groupby(column, sort=False))
