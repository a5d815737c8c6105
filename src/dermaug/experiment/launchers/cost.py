"""The cost of an experiment before it is run: jobs, images shown, and time on this machine."""

from lightning_fabric import Fabric
from rich.table import Table

from dermaug.config import Experiment
from dermaug.console import console
from dermaug.data.given_splits import chosen_folds
from dermaug.experiment.launchers.trial_steps import seconds_per_image
from dermaug.experiment.plan.enumeration import enumerate_jobs
from dermaug.experiment.plan.jobs import Jobs, networks_of
from dermaug.experiment.plan.power import planned_power, power_sentences
from dermaug.experiment.run.data import decoded, joined, twins_of
from dermaug.experiment.run.run import counts_by_point, refuse_equal_sizes
from dermaug.training.fabric import start_fabric


def print_plan(experiment: Experiment, device: str, precision: str) -> None:
    """Print every job with its images shown and minutes on this machine, then the design's power.

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
    table = Table("Job", "Images shown", "Minutes", title=f"{experiment.name} on {fabric.device}")
    for job in jobs.in_order:
        spent = job.images * minutes[job.network]
        table.add_row(job.key, f"{job.images:,}", f"{spent:.1f}")
    console.print(table)
    console.print(_summary(jobs, minutes))
    for sentence in power_sentences(planned_power(experiment, catalog, folds)):
        console.print(sentence, markup=False)


def _summary(jobs: Jobs, minutes: dict[str, float]) -> str:
    trained = [job for job in jobs.in_order if job.images]
    total = sum(job.images * minutes[job.network] for job in trained)
    return (
        f"{len(jobs.generators)} generators and {len(trained) - len(jobs.generators)} classifiers, "
        f"about {total:.0f} minutes on this machine; no run was started"
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
