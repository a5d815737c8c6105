"""The cost of an experiment before it is run: jobs, images shown, and time on this machine."""

from collections.abc import Mapping
from dataclasses import dataclass

from lightning_fabric import Fabric
from rich.table import Table

from dermaug.config import Experiment
from dermaug.console import console
from dermaug.data.given_splits import chosen_folds
from dermaug.experiment.launchers.trial_steps import seconds_per_image
from dermaug.experiment.plan.enumeration import enumerate_jobs
from dermaug.experiment.plan.jobs import ClassifierJob, GeneratorJob, Jobs, networks_of
from dermaug.experiment.plan.power import Detectable, planned_power, power_sentences
from dermaug.experiment.run.data import decoded, joined, twins_of
from dermaug.experiment.run.run import counts_by_point, refuse_equal_sizes
from dermaug.training.fabric import start_fabric


@dataclass(frozen=True, eq=False)
class Cost:
    """What an experiment takes on this machine, and what it can tell.

    Args:
        experiment: The experiment.
        device: Device of its trainings.
        jobs: Its jobs.
        minutes: Minutes per image shown, by the name of a network.
        power: Its minimum detectable differences.
    """

    experiment: Experiment
    device: str
    jobs: Jobs
    minutes: Mapping[str, float]
    power: Detectable

    def spent(self, job: GeneratorJob | ClassifierJob) -> float:
        """Minutes of a job."""
        return job.images * self.minutes[job.network]

    @property
    def total(self) -> float:
        """Minutes of all jobs, one after the other."""
        return sum(self.spent(job) for job in self.jobs.in_order if job.images)

    @property
    def record(self) -> dict[str, object]:
        """Plain values, for `--json`."""
        return {
            "name": self.experiment.name,
            "device": self.device,
            "minutes": self.total,
            "jobs": [
                {"key": job.key, "images": job.images, "minutes": self.spent(job)}
                for job in self.jobs.in_order
            ],
            "detectable": vars(self.power),
        }


def estimate(experiment: Experiment, device: str, precision: str) -> Cost:
    """Estimate the minutes of every job on this machine, and the power of the design.

    The data are decoded exactly as in the run. The minutes are extrapolated from a few training
    steps of each network on noise; validation and sampling are not included.

    Raises:
        DermaugError: The experiment or its data would make the run stop at its start.
    """
    store = decoded(experiment)
    catalog = joined(store, twins_of(store, None)).catalog
    folds = chosen_folds(catalog, experiment.splits)
    counts = counts_by_point(experiment, catalog, folds)
    refuse_equal_sizes(counts)
    jobs = enumerate_jobs(experiment, catalog.classes, counts)
    fabric = start_fabric(device, precision)
    minutes = minutes_per_image(experiment, catalog.num_classes, fabric)
    power = planned_power(experiment, catalog, folds)
    return Cost(experiment, str(fabric.device), jobs, minutes, power)


def print_cost(cost: Cost) -> None:
    """Print every job with its images shown and its minutes, then the power of the design."""
    table = Table(
        "Job", "Images shown", "Minutes", title=f"{cost.experiment.name} on {cost.device}"
    )
    for job in cost.jobs.in_order:
        table.add_row(job.key, f"{job.images:,}", f"{cost.spent(job):.1f}")
    console.print(table)
    console.print(_summary(cost))
    for sentence in power_sentences(cost.power):
        console.print(sentence, markup=False)


def _summary(cost: Cost) -> str:
    trained = [job for job in cost.jobs.in_order if job.images]
    generators = len(cost.jobs.generators)
    return (
        f"{generators} generators and {len(trained) - generators} classifiers, "
        f"about {cost.total:.0f} minutes on this machine; no run was started"
    )


def minutes_per_image(experiment: Experiment, num_classes: int, fabric: Fabric) -> dict[str, float]:
    """Measure the minutes per image shown of each network, by its name, on this machine.

    Args:
        experiment: Its networks and its image size.
        num_classes: Number of classes of the data set.
        fabric: Device and precision.
    """
    size = experiment.data.size
    return {
        name: seconds_per_image(config, size, num_classes, fabric) / 60.0
        for name, config in networks_of(experiment).items()
    }
