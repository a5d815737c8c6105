"""What the trainings cost: minutes and images shown."""

import numpy as np

from dermaug.classifiers.trained import TrainingEntry
from dermaug.experiment.run.records import GeneratorRecord
from dermaug.experiment.run.results import RunResults
from dermaug.report.blocks import Section, Table


def cost_section(results: RunResults) -> Section:
    """The table of `cost_table`."""
    return Section("cost", "Cost", [cost_table(results)])


def cost_table(results: RunResults) -> Table:
    """Minutes and images shown by stage, all data sizes together."""
    points = (results, *results.reduced)
    networks = [one.record for point in points for one in point.networks]
    trials = [trial.record for point in points for trial in point.trials]
    stages: dict[str, list[GeneratorRecord] | list[TrainingEntry]] = {
        f"generator {each.key}": [one for one in networks if one.family == each.key]
        for each in results.experiment.generators
    }
    for each in results.experiment.classifiers:
        own = [trial.training for trial in trials if trial.model == each.key and trial.training]
        stages[f"classifier {each.key}"] = own
    rows = []
    for name, trainings in stages.items():
        # Trainings that only check convergence are shorter: a row for each length.
        for images in sorted({one.images for one in trainings}, reverse=True):
            seconds = [one.seconds for one in trainings if one.images == images]
            minutes = (f"{value / 60:.1f}" for value in (np.mean(seconds), sum(seconds)))
            rows.append((name, str(len(seconds)), f"{images:,}", *minutes))
    header = ("Stage", "Trainings", "Images shown, each", "Minutes, each", "Minutes, total")
    caption = "Time of the trainings. Every arm of a comparison is shown the same number of images"
    checked = any(arm.convergence_of for arm in results.experiment.arms)
    caption += "; a shorter training only checks convergence." if checked else "."
    return Table(caption, header, tuple(rows))
