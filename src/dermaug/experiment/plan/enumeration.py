"""Enumerate the jobs of an experiment: generators, then the trials that need them."""

from collections.abc import Mapping, Sequence

from dermaug.config import Arm, ClassifierConfig, Experiment, GeneratorConfig
from dermaug.experiment.plan.checks import Counts, refuse_impossible
from dermaug.experiment.plan.doses import allowed, dosed_classes, doses, pool_size
from dermaug.experiment.plan.jobs import (
    ClassifierJob,
    GeneratorJob,
    Jobs,
    reference_key,
    trial_key,
)
from dermaug.generators import family_named

ALL_CLASSES = "all"
GRID = 64
"""Smallest number of images drawn of each class, for the pictures of the report."""


def enumerate_jobs(experiment: Experiment, classes: tuple[str, ...], counts: Counts) -> Jobs:
    """Enumerate all jobs of an experiment, each with a unique, readable key.

    Args:
        experiment: The experiment.
        classes: Labels of the data set.
        counts: (fold, lesions) -> label -> images in the training split; used by `balance`.

    Raises:
        DermaugError: As for `refuse_impossible`.
    """
    points = [
        (fold, lesions) for lesions in experiment.splits.sizes for fold in experiment.splits.indices
    ]
    refuse_impossible(experiment, classes, counts)
    generators = tuple(
        job
        for fold, lesions in points
        for config in experiment.generators
        for job in _of(config, experiment, classes, counts[fold, lesions], fold, lesions)
    )
    trials = tuple(
        _trial(experiment, generators, config, arm, fold, seed, lesions)
        for fold, lesions in points
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
    return tuple(
        # The last weights are kept: neither validation nor the other half selects any.
        ClassifierJob(
            config.model_copy(update={"keep": "last"}),
            arm,
            fold,
            seed,
            None,
            (),
            lesions,
            half=half,
        )
        for fold, lesions in points
        for seed in experiment.seeds
        for config in experiment.classifiers
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


def _of(
    config: GeneratorConfig,
    experiment: Experiment,
    classes: tuple[str, ...],
    counts: Mapping[str, int],
    fold: int,
    lesions: int,
) -> list[GeneratorJob]:
    drawn = config.classes or classes
    groups = [(ALL_CLASSES, drawn)]
    if not family_named(config.family).conditional:
        groups = [(label, (label,)) for label in drawn]
    most = _most(experiment, config, classes, counts)
    return [
        GeneratorJob(
            config,
            name,
            labels,
            fold,
            seed,
            tuple(most.get(label, GRID) for label in labels),
            lesions,
        )
        for seed in config.seeds
        for name, labels in groups
    ]


def _most(
    experiment: Experiment,
    config: GeneratorConfig,
    classes: tuple[str, ...],
    counts: Mapping[str, int],
) -> dict[str, int]:
    """The largest dose of each class over all arms, at least enough for a grid of images."""
    most = dict.fromkeys(classes, GRID)
    for arm in experiment.arms:
        if arm.synthetic is not None and arm.synthetic.source == config.key:
            wanted = dosed_classes(arm.synthetic, experiment, classes)
            asked = doses(arm.synthetic, wanted, counts)
            for label, number in allowed(arm, asked, counts).items():
                most[label] = max(most[label], pool_size(number, arm.synthetic))
    return most


def _trial(
    experiment: Experiment,
    generators: tuple[GeneratorJob, ...],
    config: ClassifierConfig,
    arm: Arm,
    fold: int,
    seed: int,
    lesions: int,
) -> ClassifierJob:
    """Create a trial; classifier seeds cycle through the generator seeds if these are fewer."""
    config = config.model_copy(update={"images": max(1, round(config.images * arm.length))})
    source, needs = arm.generator, _needs(experiment, config, arm, fold, seed, lesions)
    family = next((each for each in experiment.generators if each.key == source), None)
    if family is None:
        return ClassifierJob(config, arm, fold, seed, None, (), lesions, needs)
    generator_seed = family.seeds[experiment.seeds.index(seed) % len(family.seeds)]
    drawn = (source, fold, generator_seed, lesions)
    needed = tuple(
        job.key for job in generators if (job.family, job.fold, job.seed, job.lesions) == drawn
    )
    return ClassifierJob(config, arm, fold, seed, generator_seed, needed, lesions, needs)


def _needs(
    experiment: Experiment,
    config: ClassifierConfig,
    arm: Arm,
    fold: int,
    seed: int,
    lesions: int,
) -> tuple[str, ...]:
    """Keys of the classifiers that the training set of a trial depends on."""
    needs = []
    if arm.replay_of:  # a replay has the number of images that its arm really added
        needs.append(trial_key(arm.replay_of, config.key, fold, seed, lesions))
    if arm.synthetic is None or not arm.synthetic.needs_reference or experiment.reference is None:
        return tuple(needs)
    other = experiment.reference_seed(seed)
    needs.append(trial_key(experiment.reference.name, config.key, fold, other, lesions))
    if arm.synthetic.needs_band:
        needs += [reference_key(config.key, fold, other, lesions, half) for half in (0, 1)]
    return tuple(needs)
