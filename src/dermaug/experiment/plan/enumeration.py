"""Enumerate the jobs of an experiment: generators, then the trials that need them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dermaug.config import Arm, ClassifierConfig, Experiment, GeneratorConfig
from dermaug.config.translation import Translation
from dermaug.data.catalog import Catalog
from dermaug.data.splits import Fold
from dermaug.experiment.plan.checks import (
    Counts,
    counts_by_point,
    refuse_equal_sizes,
    refuse_impossible,
)
from dermaug.experiment.plan.doses import allowed, doses, pool_size
from dermaug.experiment.plan.jobs import (
    ClassifierJob,
    GeneratorJob,
    Jobs,
    PlannedSet,
    classifier_key,
)
from dermaug.generators import family_named

ALL_CLASSES = "all"
GRID = 64
"""Smallest number of images drawn of each class, for the pictures of the report."""


def planned_jobs(experiment: Experiment, catalog: Catalog, folds: Sequence[Fold]) -> Jobs:
    """All jobs of a run that has not been started.

    Raises:
        DermaugError: Two sizes are equal, or the experiment requests something impossible.
    """
    counts = counts_by_point(experiment, catalog, folds)
    refuse_equal_sizes(counts)
    return enumerate_jobs(experiment, catalog.classes, counts)


def enumerate_jobs(experiment: Experiment, classes: tuple[str, ...], counts: Counts) -> Jobs:
    """Enumerate all jobs of an experiment, each with a unique, readable key.

    Raises:
        DermaugError: As for `refuse_impossible`.
    """
    points = [
        (fold, lesions) for lesions in experiment.splits.sizes for fold in experiment.splits.indices
    ]
    refuse_impossible(experiment, classes, counts)
    at_points = [_Point(experiment, classes, counts[place], *place) for place in points]
    generators = tuple(
        job
        for point in at_points
        for config in experiment.generators
        for job in point.generators(config)
    )
    trials = tuple(
        point.trial(generators, config, arm, seed)
        for point in at_points
        for seed in experiment.seeds
        for config in experiment.classifiers
        for arm in experiment.arms
    )
    return Jobs(generators, _references(experiment, points), _each_after_its_needs(trials))


def _references(
    experiment: Experiment, points: Sequence[tuple[int, int]]
) -> tuple[ClassifierJob, ...]:
    """Two reference classifiers on halves per trial of the reference arm, if an arm uses a band."""
    arm = experiment.reference
    asked = any(arm.synthetic is not None and arm.synthetic.needs_band for arm in experiment.arms)
    if arm is None or not asked:
        return ()
    # The last weights are kept: neither validation nor the other half selects any.
    last = [config.model_copy(update={"keep": "last"}) for config in experiment.classifiers]
    return tuple(
        ClassifierJob(config, arm, fold, seed, None, (), lesions, half=half)
        for fold, lesions in points
        for seed in experiment.seeds
        for config in last
        for half in (0, 1)
    )


def _each_after_its_needs(trials: Sequence[ClassifierJob]) -> tuple[ClassifierJob, ...]:
    """Order the trials so that none comes before one that it needs."""
    by_key = {trial.key: trial for trial in trials}
    placed: dict[str, ClassifierJob] = {}

    def place(trial: ClassifierJob) -> None:
        for key in trial.needs:
            if key in by_key:  # reference classifiers on halves belong to an earlier wave
                place(by_key[key])
        placed.setdefault(trial.key, trial)

    for trial in trials:
        place(trial)
    return tuple(placed.values())


@dataclass(frozen=True)
class _Point:
    """One fold at one number of lesions, with the images of each class in its training split."""

    experiment: Experiment
    classes: tuple[str, ...]
    counts: Mapping[str, int]
    fold: int
    lesions: int

    def generators(self, config: GeneratorConfig) -> list[GeneratorJob]:
        """A job for each seed and, unless the family is conditional, each class."""
        drawn = config.classes or self.classes
        groups = [(ALL_CLASSES, drawn)]
        if not family_named(config.family).conditional:
            groups = [(label, (label,)) for label in drawn]
        most = self._most(config)
        plain = most.get(None, {})
        return [
            GeneratorJob(
                config,
                name,
                labels,
                self.fold,
                seed,
                tuple(max(GRID, plain.get(label, 0)) for label in labels),
                self.lesions,
                tuple(
                    PlannedSet(tuple(_enough(dose.get(label, 0)) for label in labels), how)
                    for how, dose in most.items()
                    if how is not None and any(dose.get(label) for label in labels)
                ),
            )
            for seed in config.seeds
            for name, labels in groups
        ]

    def _most(self, config: GeneratorConfig) -> dict[Translation | None, dict[str, int]]:
        """The largest dose of each class over all arms that take the same set of a generator."""
        most: dict[Translation | None, dict[str, int]] = {}
        for arm in self.experiment.arms:
            if arm.synthetic is not None and arm.synthetic.source == config.key:
                asked = doses(arm.synthetic, self.experiment.generators, self.counts)
                found = most.setdefault(arm.synthetic.translation, {})
                for label, number in allowed(arm, asked, self.counts).items():
                    found[label] = max(found.get(label, 0), pool_size(number, arm.synthetic))
        return most

    def trial(
        self, generators: Sequence[GeneratorJob], config: ClassifierConfig, arm: Arm, seed: int
    ) -> ClassifierJob:
        """A trial; classifier seeds cycle through the generator seeds if these are fewer."""
        config = config.model_copy(update={"images": max(1, round(config.images * arm.length))})
        needs = self._needs(config.key, arm, seed)
        named = (each for each in self.experiment.generators if each.key == arm.generator)
        if (family := next(named, None)) is None:
            return ClassifierJob(config, arm, self.fold, seed, None, (), self.lesions, needs)
        drawn_with = family.seeds[self.experiment.seeds.index(seed) % len(family.seeds)]
        place = (family.key, self.fold, drawn_with, self.lesions)
        needed = tuple(
            job.key for job in generators if (job.family, job.fold, job.seed, job.lesions) == place
        )
        return ClassifierJob(config, arm, self.fold, seed, drawn_with, needed, self.lesions, needs)

    def _needs(self, model: str, arm: Arm, seed: int) -> tuple[str, ...]:
        """Keys of the classifiers that the training set of a trial depends on."""
        needs, reference = [], self.experiment.reference
        if arm.replay_of:  # a replay has the number of images that its arm really added
            needs.append(classifier_key(arm.replay_of, model, self.fold, seed, self.lesions))
        if arm.synthetic is None or not arm.synthetic.needs_reference or reference is None:
            return tuple(needs)
        other = self.experiment.reference_seed(seed)
        halves = (None, 0, 1) if arm.synthetic.needs_band else (None,)
        place = (reference.name, model, self.fold, other, self.lesions)
        return (*needs, *(classifier_key(*place, half) for half in halves))


def _enough(number: int) -> int:
    """Images to draw of a class from training images: at least a grid, if any are asked for."""
    return number and max(GRID, number)
