"""The report's sections on operating points, calibration and groups: tables, figures and CSVs."""

from dataclasses import dataclass, field

import pandas as pd

from dermaug.experiment.run.results import RunResults
from dermaug.report.calibration_figures import reliability_diagrams
from dermaug.report.figures import Figure
from dermaug.report.metric_tables import calibration_table, operating_tables, subgroup_table
from dermaug.report.subgroup_figures import subgroup_gains, subgroup_scores
from dermaug.report.tables import Table
from dermaug.scoring.calibration_scores import reliability, score_calibration
from dermaug.scoring.operating_scores import score_operating_points
from dermaug.scoring.subgroup_scores import score_subgroups


@dataclass(frozen=True, eq=False)
class MetricSections:
    """What the sections hold; empty where the run has no numbers for them.

    Args:
        numbers: Stem of a CSV file beside the page -> its table.
        figures: Figures by name.
        operating: A table for malignant or pre-malignant lesions and one for melanoma.
        calibration: None without a finished trial.
        subgroups: Differences by group; None where no arm is compared or nobody is described.
    """

    numbers: dict[str, pd.DataFrame]
    figures: dict[str, Figure] = field(default_factory=dict)
    operating: list[Table] = field(default_factory=list)
    calibration: Table | None = None
    subgroups: Table | None = None


def metric_sections(results: RunResults) -> MetricSections:
    """Score a run's predictions, and set the scores as tables and figures."""
    arms = [arm.name for arm in results.experiment.compared_arms]
    points, calibration = score_operating_points(results), score_calibration(results)
    groups = score_subgroups(results)
    numbers = {"operating_points": points, "calibration": calibration, "subgroups": groups}
    if not results.trials:
        return MetricSections(numbers)
    drawn = [reliability_diagrams(reliability(results), arms)]
    gains = subgroup_gains(groups)
    if len(groups):
        drawn.append(subgroup_scores(groups, arms))
    if gains is not None:
        drawn.append(gains)
    return MetricSections(
        numbers,
        {figure.name: figure for figure in drawn},
        operating_tables(points, arms),
        calibration_table(calibration, arms),
        subgroup_table(groups) if gains is not None else None,
    )
