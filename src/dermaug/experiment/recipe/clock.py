"""The hours that an experiment takes on this machine, from measured steps of its networks."""

from dataclasses import dataclass, field

from dermaug.config import Experiment
from dermaug.experiment.launchers.cost import measured_networks
from dermaug.experiment.launchers.duration import study_seconds
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.launchers.launcher import jobs_at_once
from dermaug.experiment.plan.jobs import Jobs, networks_of

DEFAULT = Launch(launcher="processes")
"""How `dermaug run` distributes the jobs of a plan, if it is not told otherwise."""


@dataclass
class Clock:
    """Estimates hours; steps are measured once per image size, and scaled by pixels elsewhere.

    Args:
        launch: Device and precision of the trainings.
        device: The device that this is here, for example cpu.
        measured: Side of the images in pixels -> network -> seconds per image shown.
    """

    launch: Launch
    device: str
    num_classes: int
    measured: dict[int, dict[str, float]] = field(default_factory=dict)

    def measure(self, experiment: Experiment, num_jobs: int) -> None:
        """Measure the networks of an experiment at its image size, unless all are known."""
        known = self.measured.setdefault(experiment.data.size, {})
        if networks_of(experiment).keys() <= known.keys():
            return
        measured = measured_networks(experiment, self.num_classes, num_jobs, self.launch)
        known |= {name: each.seconds_per_image for name, each in measured.items()}

    def hours(self, experiment: Experiment, jobs: Jobs) -> float:
        """Hours of a whole study; some size must have been measured."""
        size = experiment.data.size
        nearest = min(self.measured, key=lambda side: abs(side - size))
        pixels = (size / nearest) ** 2
        seconds = {name: pixels * each for name, each in self.measured[nearest].items()}
        return study_seconds(jobs.in_order, seconds, self.at_once(jobs)) / 3600.0

    def at_once(self, jobs: Jobs) -> int:
        """Number of jobs that a run does at the same time."""
        return jobs_at_once(DEFAULT, self.device.partition(":")[0], len(jobs.in_order))
