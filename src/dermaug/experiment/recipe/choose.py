"""Choose the strongest study of the recipe that fits the hours."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dermaug.config import Experiment
from dermaug.data.catalog import Catalog
from dermaug.data.dataset import refuse_other_labels
from dermaug.data.given_splits import chosen_folds
from dermaug.data.splits import Fold
from dermaug.errors import DermaugError
from dermaug.experiment.launchers.duration import busy_sentence
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.launchers.preflight import prove_networks
from dermaug.experiment.plan.enumeration import planned_jobs
from dermaug.experiment.plan.jobs import Jobs
from dermaug.experiment.plan.power import Detectable, planned_power
from dermaug.experiment.recipe import rules
from dermaug.experiment.recipe.clock import Clock
from dermaug.experiment.recipe.draft import Draft, draft
from dermaug.experiment.recipe.look import Look, look_at
from dermaug.experiment.recipe.rules import RUNGS, Rung
from dermaug.experiment.recipe.wishes import Wishes
from dermaug.experiment_file import apply_override, validate_experiment
from dermaug.training.fabric import start_fabric

LOOKED_AT = ("data.", "splits.group")
"""Settings that must be known before the data are looked at."""
ENDLESS_SEEDS = tuple(range(1_000))
"""So many that the chance of trainings no longer matters."""


@dataclass(frozen=True, eq=False)
class Offer:
    """One study that could be run.

    Args:
        draft: The entries of its file.
        experiment: The same, checked.
        at_once: Number of them at the same time.
        hours: About how long it takes on this machine.
    """

    draft: Draft
    experiment: Experiment
    jobs: Jobs
    at_once: int
    hours: float
    catalog: Catalog
    folds: tuple[Fold, ...]

    @cached_property
    def power(self) -> Detectable:
        """What it can detect."""
        return planned_power(self.experiment, self.catalog, self.folds)

    @property
    def least(self) -> float:
        """Smallest difference in mean sensitivity that it would detect with any number of seeds."""
        endless = self.experiment.model_copy(update={"seeds": ENDLESS_SEEDS})
        return planned_power(endless, self.catalog, self.folds).balanced_accuracy


@dataclass(frozen=True, eq=False)
class Plan:
    """The chosen study, and what else there is.

    Args:
        hours: Hours that were available.
        asked: Whether the user named them.
        chosen: The study that is written.
        stronger: The studies of the higher rungs.
        least: Smallest difference in mean sensitivity that any of them detects with any number of
            seeds.
        busy: A sentence on what other programs do to the hours; "" for nothing.
    """

    look: Look
    hours: float
    asked: bool
    chosen: Offer
    stronger: tuple[Offer, ...]
    least: float
    busy: str = ""

    @property
    def more_lesions(self) -> float:
        """About how many times as many lesions could show a difference as large as the margin."""
        margin = self.chosen.experiment.verdict.margin.balanced_accuracy
        # The variance over lesions falls with their number, and no seeds are left to add.
        return (self.least / margin) ** 2


def make_plan(source: str, hours: float | None, launch: Launch, wishes: Wishes) -> Plan:
    """Look at a data set and choose the strongest study that fits.

    Without hours on this machine, it takes the first of `rules.HOURS` that is enough.

    Raises:
        DermaugError: The data cannot be used, a setting is wrong, no study fits the hours, or a run
            would refuse the study.
    """
    here = str(start_fabric(launch.device, launch.precision).device)
    known = [each for each in wishes.settings if each.strip().startswith(LOOKED_AT)]
    given = _given(source, known, wishes)
    look = look_at(given.data, given.splits.group, here)
    clock = Clock(launch, here, len(look.classes))
    others = [each for each in wishes.settings if each not in known]
    studies = _Studies(look, given, others, clock)
    studies.measure(RUNGS[0])
    fewest = studies.offer(RUNGS[0], length=rules.NEARLY).hours if hours is None else 0.0
    default = next((each for each in rules.HOURS if fewest <= each), rules.HOURS[-1])
    allowed = default if hours is None else hours
    chosen = _strongest(studies, allowed)
    prove_networks(None, chosen.experiment, launch)
    refuse_other_labels(chosen.experiment.data, look.catalog.classes)
    seeds = len(chosen.experiment.seeds)
    higher = RUNGS[RUNGS.index(chosen.draft.rung) + 1 :]
    stronger = tuple(studies.offer(rung, max(rung.seeds, seeds)) for rung in higher)
    return Plan(
        look=look,
        hours=allowed,
        asked=hours is not None,
        chosen=chosen,
        stronger=stronger,
        least=min(offer.least for offer in (chosen, *stronger)),
        busy=busy_sentence(3600.0 * chosen.hours, chosen.at_once, here),
    )


class _Studies:
    """The studies of the recipe on one data set: drafts, checked and estimated."""

    def __init__(
        self, look: Look, given: Experiment, settings: Sequence[str], clock: Clock
    ) -> None:
        self.look, self.settings, self.clock = look, settings, clock
        self.given = given.model_dump(mode="json", exclude_defaults=True)

    def measure(self, rung: Rung) -> None:
        """Measure the networks of all rungs at the image size of one."""
        size = self._drafted(rung)[1].data.size
        for other in RUNGS:
            _, asked = self._drafted(other)
            data = asked.data.model_copy(update={"size": size})
            folds = chosen_folds(self.look.catalog, asked.splits)
            num_jobs = len(planned_jobs(asked, self.look.catalog, folds).in_order)
            self.clock.measure(asked.model_copy(update={"data": data}), num_jobs)

    def offer(self, rung: Rung, seeds: int = 0, length: float = 1.0) -> Offer:
        """A rung, with more seeds or shorter trainings."""
        made, experiment = self._drafted(rung, seeds, length)
        folds = chosen_folds(self.look.catalog, experiment.splits)
        jobs, at_once = planned_jobs(experiment, self.look.catalog, folds), self.clock.at_once
        hours = self.clock.hours(experiment, jobs)
        return Offer(made, experiment, jobs, at_once(jobs), hours, self.look.catalog, folds)

    def _drafted(self, rung: Rung, seeds: int = 0, length: float = 1.0) -> tuple[Draft, Experiment]:
        made = draft(self.look, rung, seeds or rung.seeds, self.given, length)
        for setting in self.settings:
            apply_override(made.tree, setting)
        if not validate_experiment(made.tree, "the plan").splits.is_dealt:
            made.tree["splits"].pop("folds")
        return made, validate_experiment(made.tree, "the plan")


def _given(source: str, settings: Sequence[str], wishes: Wishes) -> Experiment:
    """The part of the experiment that is known before the data have been looked at."""
    tree: dict[str, Any] = {"name": "plan", "data": {"source": source}, "arms": [{"name": "real"}]}
    for setting in settings:
        apply_override(tree, setting)
    asked = validate_experiment(tree, "--set")
    return asked.model_copy(update={"data": asked.data.read_as(wishes.reading)})


def _strongest(studies: _Studies, hours: float) -> Offer:
    """The highest rung that fits, with as many seeds as fit; or the lowest one, shortened."""
    fitting = None
    for rung in RUNGS:
        if studies.offer(rung).hours > hours:  # by pixels; measured only where it may fit
            break
        studies.measure(rung)
        offer = studies.offer(rung)
        if offer.hours > hours:
            break
        fitting = offer
    if fitting is None:
        return _shortened(studies, hours)
    while (seeds := len(fitting.experiment.seeds) + 1) <= rules.MOST_SEEDS:
        larger = studies.offer(fitting.draft.rung, seeds)
        if larger.hours > hours or len(larger.experiment.seeds) < seeds:  # seeds set by the user
            break
        fitting = larger
    return fitting


def _shortened(studies: _Studies, hours: float) -> Offer:
    """The lowest rung with trainings short enough for the hours."""
    whole = studies.offer(RUNGS[0]).hours
    least = studies.offer(RUNGS[0], length=rules.SHORTEST).hours
    if hours < least:
        raise DermaugError(
            f"--hours {hours:g}: the smallest study of these data takes about {whole:.2g} hours on "
            f"this machine, and no less than {least:.2g} with shortened trainings; allow more "
            "hours, or name a GPU with --device"
        )
    share = (hours - least) / (whole - least)
    # Rounding may lengthen trainings, so stay below.
    length = rules.SHORTEST + 0.95 * share * (1.0 - rules.SHORTEST)
    return studies.offer(RUNGS[0], length=length)
