"""The scoring of a run: tables that are computed once and stored beside the run."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import pandas as pd

from dermaug.experiment.run.layout import RunFolder
from dermaug.experiment.run.records import RunRecord
from dermaug.experiment.run.results import RunResults
from dermaug.files import content_digest, sha256
from dermaug.scoring.advice import advice
from dermaug.scoring.calibration_scores import reliability, score_calibration
from dermaug.scoring.convergence import convergence
from dermaug.scoring.curves import arm_scores, dose_curve, gain_curve, size_curve
from dermaug.scoring.decision_curves import decision_curves
from dermaug.scoring.decisions import decisions
from dermaug.scoring.external_scores import (
    compare_external,
    external_decisions,
    external_points,
    score_external,
)
from dermaug.scoring.ladder import ladder
from dermaug.scoring.lesion_scores import score_lesions
from dermaug.scoring.operating_scores import score_operating_points
from dermaug.scoring.points import point_of
from dermaug.scoring.roc_scores import score_confusion, score_roc
from dermaug.scoring.scores import score_classes, score_trials
from dermaug.scoring.subgroup_scores import score_subgroups
from dermaug.scoring.threats import Known, threats
from dermaug.scoring.verdicts import verdict_table
from dermaug.stats.hierarchy import RESAMPLES
from dermaug.stored_tables import Source, read_tables, write_tables

FOLDER = "scoring"
"""Folder beside the run, with one CSV file per table, named after the table."""


@dataclass(frozen=True, eq=False)
class Scoring:
    """The tables of a run; a table without rows still has its columns.

    Args:
        scores: One row per trial: see `score_trials`.
        lesion_scores: The same with the probabilities of a lesion's images averaged:
            `score_lesions`.
        class_scores: One row per trial and class: `score_classes`.
        operating_points: Malignancy and melanoma at working thresholds: `score_operating_points`.
        calibration: One row per trial: `score_calibration`.
        reliability: Bins of confidence: `reliability`.
        decision_curves: Net benefit by threshold: `decision_curves`.
        confusion: Predictions by true and predicted class: `score_confusion`.
        roc: Mean ROC curves: `score_roc`.
        subgroups: Scores and differences by group of patients: `score_subgroups`.
        verdicts: One row per contrast, classifier, readout and metric: `verdict_table`.
        decisions: Exploratory numbers with intervals: `decisions`.
        advice: A sentence of advice for each class: `advice`.
        ladder: Synthetic arms against every reference: `ladder`.
        doses: Points of the dose curves: `dose_curve`.
        sizes: Scores at each number of real lesions: `size_curve`.
        gains: Gain of a dose at each of them, and its equivalent in lesions: `gain_curve`.
        external: One row per trial and external data set: `score_external`.
        external_differences: Arms compared on external data: `compare_external`.
        external_decisions: The numbers of `decisions` on external data: `external_decisions`.
        convergence: Full training length against half of it: `convergence`.
        threats: Threats to validity in sentences: `threats`.
    """

    scores: pd.DataFrame
    lesion_scores: pd.DataFrame
    class_scores: pd.DataFrame
    operating_points: pd.DataFrame
    calibration: pd.DataFrame
    reliability: pd.DataFrame
    decision_curves: pd.DataFrame
    confusion: pd.DataFrame
    roc: pd.DataFrame
    subgroups: pd.DataFrame
    verdicts: pd.DataFrame
    decisions: pd.DataFrame
    advice: pd.DataFrame
    ladder: pd.DataFrame
    doses: pd.DataFrame
    sizes: pd.DataFrame
    gains: pd.DataFrame
    external: pd.DataFrame
    external_differences: pd.DataFrame
    external_decisions: pd.DataFrame
    convergence: pd.DataFrame
    threats: pd.DataFrame

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table by its name, which is also the name of its file."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def write(self, folder: Path, run: RunFolder | None = None) -> Path:
        """Write a CSV file for each table.

        Args:
            folder: Folder in which a folder of tables appears.
            run: The run that was scored, if the tables are to be read again.

        Returns:
            The folder below it that holds the tables.
        """
        write_tables(folder / FOLDER, self.tables, None if run is None else _source(run))
        return folder / FOLDER

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the tables written by `write` into the folder of a run.

        Raises:
            DermaugError: A table is missing or was changed, or the run has other results by now.
        """
        names = [each.name for each in fields(cls)]
        return cls(**read_tables(folder / FOLDER, names, _source(RunFolder(folder))))


def _source(run: RunFolder) -> Source:
    return Source(
        lambda: _digest(run),
        "the scoring of a run",
        "that of other results: trainings have ended since, or the tables are those of another run",
        f"run `dermaug score {run.path}`",
    )


def _digest(run: RunFolder) -> str:
    """Digest of all that a scoring is made from: the experiment and every finished job."""
    record = RunRecord.read(run.record)
    jobs = [sha256(job.record) for job in run.finished(record.jobs)]
    return content_digest({"run": record.id, "experiment": record.experiment, "jobs": jobs})


def score(results: RunResults, resamples: int = RESAMPLES) -> Scoring:
    """Score the predictions of a run, finished or not."""
    whole, results = results, results.compared
    point = point_of(results, resamples)
    verdicts, classes, doses = verdict_table(point), score_classes(results), dose_curve(point)
    smaller = [point_of(each, resamples) for each in results.reduced[::-1]]
    points = [*smaller, point] if smaller else []
    by_size = [arm_scores(each) for each in points]
    outside = external_points(point)
    rising = convergence(whole, resamples)
    return Scoring(
        scores=score_trials(results),
        lesion_scores=score_lesions(results),
        class_scores=classes,
        operating_points=score_operating_points(results),
        calibration=score_calibration(results),
        reliability=reliability(results),
        decision_curves=decision_curves(results),
        confusion=score_confusion(results),
        roc=score_roc(results),
        subgroups=score_subgroups(point),
        verdicts=verdicts,
        decisions=decisions(point),
        advice=advice(results, verdicts),
        ladder=ladder(point),
        doses=doses,
        sizes=size_curve(points, by_size),
        gains=gain_curve(points, by_size),
        external=score_external(results),
        external_differences=compare_external(outside),
        external_decisions=external_decisions(outside),
        convergence=rising,
        threats=threats(Known(results, verdicts, classes, doses, rising)),
    )
