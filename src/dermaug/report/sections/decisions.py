"""What a threshold for use in practice would give, and whether probabilities can be believed."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from dermaug.data.diagnoses import meaning
from dermaug.evaluation.malignancy import MALIGNANT, unknown_classes
from dermaug.experiment.run.results import RunResults
from dermaug.report.blocks import Block, Figure, Panel, Section, Table
from dermaug.report.drawing import GRID, colour, drawing, file_name, marker, short, svg
from dermaug.report.formats import AVERAGED, arm_rows, listed, mean_and_spread, number
from dermaug.report.sections.decision_curves import decision_figure
from dermaug.report.sections.intervals import area_table, proper_table, rule_blocks
from dermaug.report.tips import add_tips
from dermaug.scoring.operating_scores import ADJUSTED_CLASS, CHOSEN, TOP_CLASS
from dermaug.scoring.scoring import Scoring

_CALIBRATION = {
    "ece": "ECE",
    "brier": "Brier",
    "nll": "NLL",
    "temperature": "Temperature",
    "ece_scaled": "ECE after",
    "brier_scaled": "Brier after",
}
FEW_IMAGES = 10
"""A bin of fewer predictions is drawn hollow: its height is mostly chance."""

THRESHOLDS = (
    "Results at fixed thresholds. The threshold is chosen on the validation split; one chosen on "
    "the test split would give results that are too good. The score of several classes is the sum "
    "of their probabilities at the uniform prior; sums at another prior rank images differently, "
    "and differences between arms may then be larger or smaller."
)


def decision_sections(results: RunResults, scoring: Scoring) -> list[Section]:
    """AUC by class, operating points, and calibration; none before a trial has finished."""
    arms = results.arms
    table = scoring.decisions
    points: list[Block] = []
    for target, part in scoring.operating_points.groupby("target", sort=False):
        assumed = float(getattr(results.experiment.verdict.prevalence, str(target)))
        words = target_words(str(target), results.catalog.classes)
        points += [_operating(part, words, arms), *rule_blocks(table, str(target), assumed)]
    if len(scoring.decision_curves):
        points.append(decision_figure(scoring.decision_curves, arms))
    calibrated: list[Block] = []
    if len(scoring.calibration):
        drawn = reliability_diagrams(scoring.reliability, arms)
        calibrated = [calibration_table(scoring.calibration, arms), proper_table(table), drawn]
    several = scoring.operating_points["target"].nunique() > 1
    title = f"Malignant or pre-malignant lesions{', and melanoma' * several}"
    return [
        Section("areas", "AUC by class", [area_table(table)] if len(table) else []),
        Section("operating", title, [THRESHOLDS, *points] if points else absent(results)),
        Section("calibration", "Calibration", calibrated),
    ]


def absent(results: RunResults) -> list[Block]:
    """Why there is nothing on malignant lesions, and how to get it; nothing before any trial."""
    if not results.trials:
        return []
    unknown = unknown_classes(results.catalog.classes)
    if not unknown:
        return ["Not shown: the classes are all malignant or pre-malignant, or none of them is."]
    return [
        f"Not shown, because dermaug does not know whether {listed(unknown)} "
        f"{'is' if len(unknown) == 1 else 'are'} malignant. Give these classes names that it "
        "knows, in another study: data.labels renames a class (benign and malignant are such "
        "names, too), data.groups merges classes, data.leave_out leaves one out."
    ]


def calibration_table(calibration: pd.DataFrame, arms: Sequence[str]) -> Table:
    """Arm x classifier: ECE, Brier, NLL before and after the temperature; mean ± SD over trials."""

    def cells(trials: pd.DataFrame) -> tuple[str, ...]:
        return *(mean_and_spread(trials[name]) for name in _CALIBRATION), str(len(trials))

    caption = (
        "Calibration on the test split at the natural prevalence (that of the training split), "
        "mean ± SD over n trials; ECE, Brier and NLL: lower is better; exploratory. ECE: expected "
        "calibration error of the top label, 15 bins. Brier: squared error summed over classes, 0 "
        "to 2. NLL: negative log-likelihood in nats. After: with the temperature fitted on "
        "validation: above 1, softer probabilities had the lower NLL there, below 1 sharper ones. "
        f"{AVERAGED}"
    )
    header, rows = ("Arm", *_CALIBRATION.values(), "n"), arm_rows(calibration, arms, cells)
    return Table(caption, header, rows, source="scoring/calibration.csv")


def target_words(target: str, classes: Sequence[str]) -> str:
    """Which classes are positive.

    Example:
        >>> target_words("malignant", ("bcc", "mel", "nv")), target_words("mel", ("mel", "nv"))
        ('Malignant or pre-malignant (bcc, mel) against the others', 'Melanoma')
    """
    if target == "mel":
        return "Melanoma"
    if {meaning(label) for label in classes} == {"benign", "malignant"}:
        return "Malignant against benign"
    positive = ", ".join(label for label in classes if meaning(label) in MALIGNANT)
    return f"Malignant or pre-malignant ({positive}) against the others"


def _operating(points: pd.DataFrame, words: str, arms: Sequence[str]) -> Table:
    wanted = sorted(points.loc[points["rule"] == CHOSEN, "wanted_specificity"].unique())

    def cells(ours: pd.DataFrame) -> tuple[str, ...]:
        top, fair = (_both(ours[ours["rule"] == each]) for each in (TOP_CLASS, ADJUSTED_CLASS))
        chosen = (_both(ours[ours["wanted_specificity"] == value]) for value in wanted)
        ranks = ours[ours["rule"] == TOP_CLASS]
        areas = (mean_and_spread(ranks[name]) for name in ("auc", "partial_auc"))
        return *areas, top, fair, *chosen

    chosen_at = (f"{100 * value:.0f} % specificity" for value in wanted)
    header = ("Arm", "AUC", "Partial AUC", "argmax", "prior-adjusted", *chosen_at)
    first = points.drop_duplicates("fold")
    caption = (
        f"{words}: sensitivity / specificity on the test split, mean over folds and seeds "
        f"({first['positives'].sum():,} positive and {first['negatives'].sum():,} other test "
        "images). The last columns use the threshold on prior-adjusted probabilities that gave "
        "at least this specificity on validation; the specificity on test follows the slash. "
        "Partial AUC: the area above 80 % sensitivity, 0.2 at most. "
        f"{AVERAGED} Exploratory."
    )
    rows = arm_rows(points, arms, cells)
    return Table(caption, header, rows, source="scoring/operating_points.csv")


def _both(rows: pd.DataFrame) -> str:
    return " / ".join(number(rows[name].mean()) for name in ("sensitivity", "specificity"))


def reliability_diagrams(bins: pd.DataFrame, arms: Sequence[str]) -> Figure:
    """Share of right answers against confidence, with the number of predictions below."""
    panels = []
    for index, ((model, arm), rows) in enumerate(bins.groupby(["model", "arm"], sort=False)):
        with drawing(2.9, 3.0) as axes:
            _draw_reliability(axes, rows, arms.index(str(arm)))
            axes.set_title(short(str(arm), 28))
            alt = f"Reliability diagram of {arm}, {model}: " + ", ".join(
                f"confidence {row.confidence:.2f} accuracy {row.accuracy:.2f} (n {row.images})"
                for row in rows.dropna().itertuples()
            )
            name = file_name("calibration", index, model, arm)
            panels.append(Panel(name, alt, svg(axes), group=str(model)))
    caption = (
        "Reliability: fraction of correct predictions by confidence (highest probability), in 15 "
        "bins of equal width. On the dotted line confidence equals accuracy; below it the "
        "classifier is overconfident. Bars: share of all predictions in the bin; hollow marks: "
        f"fewer than {FEW_IMAGES} predictions. Test splits of all folds and seeds together, before "
        "the temperature."
    )
    return Figure("reliability", caption, tuple(panels), bins, width=220)


def _draw_reliability(axes: Axes, rows: pd.DataFrame, series: int) -> None:
    shade, total = colour(series), max(int(rows["images"].sum()), 1)
    axes.plot([0, 1], [0, 1], color="#8a949e", linewidth=1, linestyle=":")
    middles, widths = (rows["low"] + rows["high"]) / 2, rows["high"] - rows["low"]
    axes.bar(middles, rows["images"] / total, 0.9 * widths, color=GRID)
    filled = rows.dropna()
    x, y = (filled[name].to_numpy(dtype=float) for name in ("confidence", "accuracy"))
    many = (filled["images"] >= FEW_IMAGES).to_numpy()
    axes.plot(x, y, color=shade, linewidth=1.2)
    faces = np.where(many, shade, "white")
    axes.scatter(x, y, s=30, marker=marker(series), c=faces.tolist(), edgecolors=shade, zorder=3)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xlabel="confidence")
    told = (
        f"confidence {row['confidence']:.3f}: {row['accuracy']:.3f} correct of "
        f"{row['images']:,} predictions"
        for row in filled.to_dict("records")
    )
    add_tips(axes, zip(x, y, told, strict=True))
    axes.set_ylabel("fraction correct")
