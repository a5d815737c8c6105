"""The only enumerator: an experiment becomes generator jobs, then the cells that need them."""

from dataclasses import dataclass

from dermaug.config import ArmConfig, ClassifierConfig, Experiment, GeneratorConfig
from dermaug.errors import DermaugError
from dermaug.experiment.arms import doses
from dermaug.generators import family_named

ALL_CLASSES = "all"


@dataclass(frozen=True)
class GeneratorJob:
    """Train one generator in one fold and draw the largest dose that any arm asks for.

    Args:
        config: Family and training.
        label: Class, or `all` for a conditional family.
        classes: Labels it draws.
        fold: Index of the fold.
        seed: Generator seed.
        numbers: Images to draw of each class.
    """

    config: GeneratorConfig
    label: str
    classes: tuple[str, ...]
    fold: int
    seed: int
    numbers: tuple[int, ...]

    @property
    def family(self) -> str:
        """Key of the generator family."""
        return self.config.family

    @property
    def key(self) -> str:
        """Folder below the run's."""
        return f"generators/{self.config.family}/fold{self.fold}-seed{self.seed}/{self.label}"


@dataclass(frozen=True)
class ClassifierJob:
    """Train one classifier: an arm x model x fold x seed.

    Args:
        config: Network and training.
        mixture: What the training set is made of.
        fold: Index of the fold.
        seed: Classifier seed.
        generator_seed: Seed of the generators whose images it is given; None without any.
        generators: Keys of those generators' jobs.
    """

    config: ClassifierConfig
    mixture: ArmConfig
    fold: int
    seed: int
    generator_seed: int | None
    generators: tuple[str, ...]

    @property
    def arm(self) -> str:
        """Name of the arm."""
        return self.mixture.name

    @property
    def model(self) -> str:
        """Key of the classifier."""
        return self.config.key

    @property
    def key(self) -> str:
        """Folder below the run's."""
        return f"classifiers/{self.arm}/{self.model}/fold{self.fold}-seed{self.seed}"


@dataclass(frozen=True)
class Jobs:
    """Two waves: every generator job comes before every classifier job."""

    generators: tuple[GeneratorJob, ...]
    classifiers: tuple[ClassifierJob, ...]

    @property
    def in_order(self) -> tuple[GeneratorJob | ClassifierJob, ...]:
        """All jobs; none needs a later one."""
        return (*self.generators, *self.classifiers)


def enumerate_jobs(
    experiment: Experiment, classes: tuple[str, ...], counts: dict[int, dict[str, int]]
) -> Jobs:
    """All jobs of an experiment, each with a readable key of its own.

    Args:
        experiment: What is asked.
        classes: Labels of the data set.
        counts: Fold -> label -> images in its training part, which `balance` fills up.

    Raises:
        DermaugError: A generator is to draw a class that the data lack, or an arm asks for one
            that its generator does not synthesise.
    """
    generators = tuple(
        job for config in experiment.generators for job in _of(config, experiment, classes, counts)
    )
    cells = tuple(
        _cell(experiment, generators, config, arm, fold, seed)
        for fold in experiment.splits.indices
        for seed in experiment.seeds
        for config in experiment.classifiers
        for arm in experiment.arms
    )
    return Jobs(generators, cells)


def _of(
    config: GeneratorConfig,
    experiment: Experiment,
    classes: tuple[str, ...],
    counts: dict[int, dict[str, int]],
) -> list[GeneratorJob]:
    drawn = config.classes or classes
    if unknown := sorted(set(drawn) - set(classes)):
        raise DermaugError(
            f"generators.classes of {config.family}: expected labels of the data "
            f"({', '.join(classes)}), found {', '.join(map(repr, unknown))}"
        )
    groups = [(ALL_CLASSES, drawn)]
    if not family_named(config.family).conditional:
        groups = [(label, (label,)) for label in drawn]
    return [
        GeneratorJob(
            config, label, labels, fold, seed, _most(experiment, config, labels, counts[fold])
        )
        for fold in experiment.splits.indices
        for seed in config.seeds
        for label, labels in groups
    ]


def _most(
    experiment: Experiment,
    config: GeneratorConfig,
    labels: tuple[str, ...],
    counts: dict[str, int],
) -> tuple[int, ...]:
    """The largest dose of each class over all arms; at least a grid's worth to look at."""
    drawn = config.classes or tuple(counts)
    wanted = [
        doses(arm.synthetic, drawn, counts)
        for arm in experiment.arms
        if arm.synthetic is not None and arm.synthetic.family == config.family
    ]
    return tuple(max([64, *(dose.get(label, 0) for dose in wanted)]) for label in labels)


def _cell(
    experiment: Experiment,
    generators: tuple[GeneratorJob, ...],
    config: ClassifierConfig,
    arm: ArmConfig,
    fold: int,
    seed: int,
) -> ClassifierJob:
    """Classifier seed k takes the generator's seed k, in turn when there are fewer."""
    if arm.synthetic is None:
        return ClassifierJob(config, arm, fold, seed, None, ())
    family = arm.synthetic.family
    seeds = next(each.seeds for each in experiment.generators if each.family == family)
    generator_seed = seeds[experiment.seeds.index(seed) % len(seeds)]
    needed = tuple(
        job.key
        for job in generators
        if (job.family, job.fold, job.seed) == (family, fold, generator_seed)
    )
    return ClassifierJob(config, arm, fold, seed, generator_seed, needed)
