"""Run a whole study: its jobs, the audit of its images, and its report."""

from dataclasses import dataclass
from pathlib import Path

from dermaug.config import Experiment
from dermaug.console import console
from dermaug.experiment.launchers.launch import run_experiment
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.launchers.preflight import prove_networks, refuse_foreign_folder
from dermaug.experiment.run.claims import alone
from dermaug.experiment.run.reading import read_results
from dermaug.inspection.planes import audit_images
from dermaug.output_places import require_writable
from dermaug.report.page import render_report, require_report_place
from dermaug.report.sections.lead import told_answer
from dermaug.scoring.scoring import score


@dataclass(frozen=True)
class Study:
    """What a study found.

    Args:
        answer: Its answer, in sentences.
        report: Path of its report, an HTML file.
    """

    answer: tuple[str, ...]
    report: Path


def require_startable(folder: Path, experiment: Experiment, launch: Launch) -> None:
    """Refuse whatever would stop a run or its report, before anything is written.

    Args:
        folder: As for `run_study`.
        experiment: As for `run_study`.
        launch: As for `run_study`.

    Raises:
        DermaugError: The folder cannot be written to, or holds other things than a run or a report;
            or a network cannot be built.
    """
    require_writable(folder)
    refuse_foreign_folder(folder)
    require_report_place(folder)
    prove_networks(folder, experiment, launch)


def run_study(folder: Path, experiment: Experiment, launch: Launch, command: str) -> Study:
    """Run the unfinished jobs of a study and write its report.

    Args:
        folder: The run's folder; a run started there is resumed.
        experiment: The experiment.
        launch: Where and how the jobs are done.
        command: Command line of the user, for the report.

    Returns:
        Its answer and its report.

    Raises:
        DermaugError: `require_startable` refuses it, the data are bad, the folder is that of
            another experiment, or a training failed.
    """
    require_startable(folder, experiment, launch)
    run = run_experiment(folder, experiment, launch, command)
    with alone(run.files.claim):  # several processes may have shared the jobs
        results = read_results(run)  # first: a folder that was changed by hand is refused whole
        audit_images(run, launch.device)
        console.print("scoring the predictions and writing the report")
        scoring = score(results)
        return Study(tuple(told_answer(results, scoring)), render_report(results, scoring))
