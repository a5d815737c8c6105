"""The hours that an experiment takes on this machine, from measured steps of its networks."""

from lightning_fabric import Fabric

from dermaug.config import Experiment
from dermaug.experiment.launchers.cost import minutes_per_image
from dermaug.experiment.plan.jobs import Jobs, networks_of
from dermaug.experiment.recipe.rules import OVERHEAD, START_HOURS

TIMES = 2
"""How often steps are measured; the longest counts, since a study should not end late."""


class Clock:
    """Estimates hours; steps are measured once per image size, and scaled by pixels elsewhere.

    Args:
        fabric: Device and precision of the trainings.
        classes: Labels of the data set.
    """

    def __init__(self, fabric: Fabric, classes: tuple[str, ...]) -> None:
        self.fabric, self.classes = fabric, classes
        self.measured: dict[int, dict[str, float]] = {}

    def measure(self, experiment: Experiment) -> None:
        """Measure the networks of an experiment at its image size, unless all are known."""
        known = self.measured.setdefault(experiment.data.size, {})
        if networks_of(experiment).keys() <= known.keys():
            return
        # The first steps of a process also prepare its kernels, which hides what a step takes.
        measured = [
            minutes_per_image(experiment, len(self.classes), self.fabric) for _ in range(TIMES)
        ]
        known |= {name: max(each[name] for each in measured) for name in measured[0]}

    def hours(self, experiment: Experiment, jobs: Jobs) -> float:
        """Hours of a whole study; some size must have been measured."""
        size = experiment.data.size
        nearest = min(self.measured, key=lambda side: abs(side - size))
        minutes, pixels = self.measured[nearest], (size / nearest) ** 2
        spent = sum(job.images * minutes[job.network] for job in jobs.in_order)
        return START_HOURS + OVERHEAD * pixels * spent / 60.0
