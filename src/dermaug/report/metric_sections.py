"""The report's sections on operating points, calibration and groups: tables, figures and CSVs."""

from dataclasses import dataclass, field

from dermaug.experiment.run.results import RunResults
from dermaug.report.calibration_figures import reliability_diagrams
from dermaug.report.figures import Figure
from dermaug.report.metric_tables import calibration_table, operating_tables, subgroup_table
from dermaug.report.subgroup_figures import subgroup_gains, subgroup_scores
from dermaug.report.tables import Table
from dermaug.scoring.scoring import Scoring


@dataclass(frozen=True, eq=False)
class MetricSections:
    """What the sections hold; empty where the run has no numbers for them.

    Args:
        figures: Figures by name.
        operating: A table for malignant or pre-malignant lesions and one for melanoma.
        calibration: None without a finished trial.
        subgroups: Differences by group; None where no arm is compared or nobody is described.
    """

    figures: dict[str, Figure] = field(default_factory=dict)
    operating: list[Table] = field(default_factory=list)
    calibration: Table | None = None
    subgroups: Table | None = None


def metric_sections(results: RunResults, scoring: Scoring) -> MetricSections:
    """Score a run's predictions, and set the scores as tables and figures."""
    arms = [arm.name for arm in results.experiment.compared_arms]
    points, calibration = scoring.operating_points, scoring.calibration
    groups = scoring.subgroups
    if not results.trials:
        return MetricSections()
    drawn = [reliability_diagrams(scoring.reliability, arms)]
    gains = subgroup_gains(groups)
    if len(groups):
        drawn.append(subgroup_scores(groups, arms))
    if gains is not None:
        drawn.append(gains)
    return MetricSections(
        {figure.name: figure for figure in drawn},
        operating_tables(points, arms),
        calibration_table(calibration, arms),
        subgroup_table(groups) if gains is not None else None,
    )
