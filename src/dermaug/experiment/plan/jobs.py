"""The jobs of an experiment, and their folders within the run's folder."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from dermaug.config import Arm, ClassifierConfig, Experiment, GeneratorConfig
from dermaug.config.translation import Translation

Network = ClassifierConfig | GeneratorConfig
"""What a job trains."""


@dataclass(frozen=True)
class PlannedSet:
    """A set of images that a generator draws once it is trained.

    Args:
        numbers: Images to draw of each of its classes.
        translation: How it draws them from training images; None draws them from noise.
    """

    numbers: tuple[int, ...]
    translation: Translation | None = None


@dataclass(frozen=True)
class GeneratorJob:
    """Train one generator in one fold and draw the largest dose of all arms.

    Args:
        config: Family and training.
        label: Class, or `all` for a conditional family.
        classes: Labels that it draws.
        numbers: Images to draw of each class from noise.
        lesions: Lesions per class in the training split; 0 is all.
        translated: Sets that arms ask for besides, drawn from training images.
    """

    config: GeneratorConfig
    label: str
    classes: tuple[str, ...]
    fold: int
    seed: int
    numbers: tuple[int, ...]
    lesions: int = 0
    translated: tuple[PlannedSet, ...] = ()
    requires: ClassVar[tuple[str, ...]] = ()
    """Keys of the jobs that must be done before this one."""

    @property
    def sets(self) -> tuple[PlannedSet, ...]:
        """All sets that it draws: first the one from noise."""
        return (PlannedSet(self.numbers), *self.translated)

    @property
    def num_drawn(self) -> int:
        """Images of all its sets."""
        return sum(sum(each.numbers) for each in self.sets)

    @property
    def family(self) -> str:
        """Key of the generator: its family, or its own name if there are several of the family."""
        return self.config.key

    @property
    def network(self) -> str:
        """Key of the network that it trains."""
        return network_name(self.config)

    @property
    def images(self) -> int:
        """Images that its training shows."""
        return self.config.images

    @property
    def key(self) -> str:
        """Folder below the run's."""
        return generator_key(self.family, self.label, self.fold, self.seed, self.lesions)


@dataclass(frozen=True)
class ClassifierJob:
    """Train one classifier: an arm x model x fold x seed.

    Args:
        config: Network and training, with the training length of the arm.
        mixture: The arm, which defines the training set.
        generator_seed: Seed of the generators whose images or discriminator it uses; None without
            any.
        generators: Keys of those generators' jobs.
        lesions: Lesions per class in the training split; 0 is all.
        needs: Keys of the classifiers that must be trained before this one.
        half: None for a trial of the study. 0 or 1 for a reference classifier: the reference arm
            trained on this half of the training split, so that the band of a curation can be taken
            from real images that the network was not trained on.
    """

    config: ClassifierConfig
    mixture: Arm
    fold: int
    seed: int
    generator_seed: int | None
    generators: tuple[str, ...]
    lesions: int = 0
    needs: tuple[str, ...] = ()
    half: int | None = None

    @property
    def arm(self) -> str:
        """Name of the arm."""
        return self.mixture.name

    @property
    def model(self) -> str:
        """Key of the classifier."""
        return self.config.key

    @property
    def network(self) -> str:
        """Key of the network that it trains."""
        return network_name(self.config)

    @property
    def requires(self) -> tuple[str, ...]:
        """Keys of the jobs that must be done before this one."""
        return (*self.generators, *self.needs)

    @property
    def images(self) -> int:
        """Images that its training shows; none for a discriminator, which its generator trains."""
        return 0 if self.mixture.discriminator else self.config.images

    @property
    def predicted(self) -> tuple[str, ...]:
        """Splits of the fold that it predicts; a reference classifier never sees the test split."""
        return ("validation", "test") if self.half is None else ("validation",)

    @property
    def title(self) -> str:
        """Name behind the progress bars."""
        half = "" if self.half is None else f" half {self.half}"
        return f"{self.arm} {self.model} fold {self.fold} seed {self.seed}{half}"

    @property
    def key(self) -> str:
        """Folder below the run's."""
        return classifier_key(self.arm, self.model, self.fold, self.seed, self.lesions, self.half)

    def beside(self, arm: str, seed: int | None = None) -> str:
        """Key of the trial of another arm, or seed, with the same model, fold and lesions."""
        seed = self.seed if seed is None else seed
        return classifier_key(arm, self.model, self.fold, seed, self.lesions)


Job = GeneratorJob | ClassifierJob


@dataclass(frozen=True)
class Jobs:
    """Waves of jobs: generators, reference classifiers on halves, and classifiers."""

    generators: tuple[GeneratorJob, ...]
    references: tuple[ClassifierJob, ...]
    classifiers: tuple[ClassifierJob, ...]

    @property
    def in_order(self) -> tuple[Job, ...]:
        """All jobs, ordered so that none needs a later one."""
        return (*self.generators, *self.references, *self.classifiers)

    def without(self, done: Callable[[str], bool]) -> "Jobs":
        """The jobs that are left, when those are done of whose key this says so."""
        return Jobs(
            tuple(job for job in self.generators if not done(job.key)),
            tuple(job for job in self.references if not done(job.key)),
            tuple(job for job in self.classifiers if not done(job.key)),
        )

    def named(self, key: str) -> Job:
        """The job of that key."""
        return next(job for job in self.in_order if job.key == key)


def network_name(config: Network) -> str:
    """Name of a network of the experiment, for example `classifiers/fridadar`."""
    kind = "classifiers" if isinstance(config, ClassifierConfig) else "generators"
    return f"{kind}/{config.key}"


def networks_of(experiment: Experiment) -> dict[str, Network]:
    """Every network of an experiment, by its name."""
    configs: list[Network] = [*experiment.classifiers, *experiment.generators]
    return {network_name(config): config for config in configs}


def below(lesions: int) -> str:
    """Folder of a point of the data-size curve, "" for the whole training split."""
    return f"lesions{lesions}/" if lesions else ""


def generator_key(family: str, label: str, fold: int, seed: int, lesions: int) -> str:
    """Folder of a generator below the run's."""
    return f"{below(lesions)}generators/{family}/fold{fold}-seed{seed}/{label}"


def classifier_key(
    arm: str, model: str, fold: int, seed: int, lesions: int, half: int | None = None
) -> str:
    """Folder of a trial, or of a reference classifier on a half, below the run's."""
    place = f"{model}/fold{fold}-seed{seed}"
    if half is not None:
        return f"{below(lesions)}references/{place}/half{half}"
    return f"{below(lesions)}classifiers/{arm}/{place}"
