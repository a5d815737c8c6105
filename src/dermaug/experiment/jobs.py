"""The only enumerator: an experiment becomes generator jobs, then the cells that need them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dermaug.config import ArmConfig, ClassifierConfig, Experiment, GeneratorConfig
from dermaug.experiment.doses import allowed, dosed_classes, doses, pool_size
from dermaug.experiment.job_checks import Counts, refuse_impossible
from dermaug.generators import family_named

ALL_CLASSES = "all"
GRID = 64
"""Images drawn at least of each class, to look at."""


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
        lesions: Lesions a class in the training part; 0 is all.
    """

    config: GeneratorConfig
    label: str
    classes: tuple[str, ...]
    fold: int
    seed: int
    numbers: tuple[int, ...]
    lesions: int = 0

    @property
    def family(self) -> str:
        """Name of the generator: its family's, or its own where there are several."""
        return self.config.key

    @property
    def key(self) -> str:
        """Folder below the run's."""
        place = f"fold{self.fold}-seed{self.seed}"
        return f"{below(self.lesions)}generators/{self.family}/{place}/{self.label}"


@dataclass(frozen=True)
class ClassifierJob:
    """Train one classifier: an arm x model x fold x seed.

    Args:
        config: Network and training.
        mixture: What the training set is made of.
        fold: Index of the fold.
        seed: Classifier seed.
        generator_seed: Seed of the generators whose images, or whose critic, it is given; None
            without any.
        generators: Keys of those generators' jobs.
        lesions: Lesions a class in the training part; 0 is all.
        needs: Keys of the classifiers that must be trained before this one.
    """

    config: ClassifierConfig
    mixture: ArmConfig
    fold: int
    seed: int
    generator_seed: int | None
    generators: tuple[str, ...]
    lesions: int = 0
    needs: tuple[str, ...] = ()

    @property
    def arm(self) -> str:
        """Name of the arm."""
        return self.mixture.name

    @property
    def model(self) -> str:
        """Key of the classifier."""
        return self.config.key

    @property
    def title(self) -> str:
        """Name behind the progress bars."""
        return f"{self.arm} {self.model} fold {self.fold} seed {self.seed}"

    @property
    def key(self) -> str:
        """Folder below the run's."""
        return self.beside(self.arm)

    def beside(self, arm: str) -> str:
        """Key of the cell of another arm with the same model, fold, seed and lesions."""
        return cell_key(arm, self.model, self.fold, self.seed, self.lesions)


@dataclass(frozen=True)
class Jobs:
    """Two waves: every generator job comes before every classifier job."""

    generators: tuple[GeneratorJob, ...]
    classifiers: tuple[ClassifierJob, ...]

    @property
    def in_order(self) -> tuple[GeneratorJob | ClassifierJob, ...]:
        """All jobs; none needs a later one."""
        return (*self.generators, *self.classifiers)


def below(lesions: int) -> str:
    """Folder of a point of the data-size curve, "" for the whole training part."""
    return f"lesions{lesions}/" if lesions else ""


def cell_key(arm: str, model: str, fold: int, seed: int, lesions: int) -> str:
    """Folder of a classifier below the run's."""
    return f"{below(lesions)}classifiers/{arm}/{model}/fold{fold}-seed{seed}"


def enumerate_jobs(experiment: Experiment, classes: tuple[str, ...], counts: Counts) -> Jobs:
    """All jobs of an experiment, each with a readable key of its own.

    Args:
        experiment: What is asked.
        classes: Labels of the data set.
        counts: (fold, lesions) -> label -> images in the training part, which `balance` fills up.

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
    cells = tuple(
        _cell(experiment, generators, config, arm, fold, seed, lesions)
        for fold, lesions in points
        for seed in experiment.seeds
        for config in experiment.classifiers
        for arm in experiment.arms
    )
    return Jobs(generators, _each_after_its_needs(cells))


def _each_after_its_needs(cells: Sequence[ClassifierJob]) -> tuple[ClassifierJob, ...]:
    """The cells in their order, but none before one that it needs."""
    by_key = {cell.key: cell for cell in cells}
    placed: dict[str, ClassifierJob] = {}

    def place(cell: ClassifierJob) -> None:
        for key in cell.needs:
            place(by_key[key])
        placed.setdefault(cell.key, cell)

    for cell in cells:
        place(cell)
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
    """The largest dose of each class over all arms; at least a grid's worth to look at."""
    most = dict.fromkeys(classes, GRID)
    for arm in experiment.arms:
        if arm.synthetic is not None and arm.synthetic.source == config.key:
            wanted = dosed_classes(arm.synthetic, experiment, classes)
            asked = doses(arm.synthetic, wanted, counts)
            for label, number in allowed(arm, asked, counts).items():
                most[label] = max(most[label], pool_size(number, arm.synthetic))
    return most


def _cell(
    experiment: Experiment,
    generators: tuple[GeneratorJob, ...],
    config: ClassifierConfig,
    arm: ArmConfig,
    fold: int,
    seed: int,
    lesions: int,
) -> ClassifierJob:
    """Classifier seed k takes the generator's seed k, in turn when there are fewer."""
    source = arm.generator
    # A replay has the counts of what its arm really added.
    needs = (cell_key(arm.replay_of, config.key, fold, seed, lesions),) if arm.replay_of else ()
    family = next((each for each in experiment.generators if each.key == source), None)
    if family is None:
        return ClassifierJob(config, arm, fold, seed, None, (), lesions, needs)
    generator_seed = family.seeds[experiment.seeds.index(seed) % len(family.seeds)]
    drawn = (source, fold, generator_seed, lesions)
    needed = tuple(
        job.key for job in generators if (job.family, job.fold, job.seed, job.lesions) == drawn
    )
    return ClassifierJob(config, arm, fold, seed, generator_seed, needed, lesions, needs)
