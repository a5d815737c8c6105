"""The arms that are trained: those named in the file, and those that dermaug adds."""

from collections.abc import Iterator, Mapping, Sequence

from pydantic import Field

from dermaug.config.arms import REPLAY, ArmConfig, SyntheticConfig
from dermaug.config.networks import GeneratorConfig


class Arm(ArmConfig):
    """An arm that is trained: a named arm, a dose of its curve, a replay or a shorter training."""

    replay_of: str = ""
    """The synthetic arm of which this one is the replay control."""
    length: float = Field(default=1.0, gt=0.0, le=1.0)
    """Fraction of the classifier's training length."""
    convergence_of: str = ""
    """The arm of which this one is a shorter training, which shows whether it has converged."""
    curve: str = ""
    """The dose curve to which this arm belongs."""

    @property
    def is_reference(self) -> bool:
        """Whether it is trained at full length on all real images of a fold and nothing else."""
        whole = not self.half and not self.convergence_of
        return self.synthetic is None and whole and not self.discriminator

    @property
    def most_per_real(self) -> float:
        """Largest number of images of the dose shown per real image of a class; 0: no limit."""
        synthetic = self.synthetic
        if synthetic is None or synthetic.only or not (self.is_synthetic or self.replay_of):
            return 0.0
        return synthetic.max_per_real


def expand_arms(named: Sequence[ArmConfig], generators: Sequence[GeneratorConfig]) -> Iterator[Arm]:
    """Yield each arm, each dose of its curve, and the replay control of each synthetic arm."""
    drawn = {generator.key: generator.classes for generator in generators}
    for arm in named:
        for point in _doses(arm):
            yield point
            if arm.replay and point.is_synthetic and point.synthetic and not point.synthetic.only:
                yield _replay(point, point.synthetic, drawn)


def shorter_reference(arms: Sequence[Arm]) -> Arm:
    """The reference arm with half of its training length.

    Raises:
        ValueError: There is no reference arm.
    """
    reference = next((arm for arm in arms if arm.is_reference), None)
    if reference is None:
        raise ValueError(
            "check_convergence trains an arm without synthetic images for half as long; expected "
            "such an arm, found none"
        )
    changes = {"name": f"{reference.name}-half-length", "length": 0.5, "against": ()}
    return reference.model_copy(update=changes | {"convergence_of": reference.name})


def _doses(named: ArmConfig) -> list[Arm]:
    """One arm per dose of a curve; the arm itself if it has at most one dose."""
    arm = Arm(**dict(named))
    synthetic = arm.synthetic
    if synthetic is None:
        return [arm]
    given = {"dose": synthetic.dose, "balance": synthetic.balance}
    curves = {key: numbers for key, numbers in given.items() if isinstance(numbers, tuple)}
    return [
        arm.model_copy(
            update={
                "name": f"{arm.name}-{number}",
                "curve": arm.name,
                "synthetic": synthetic.model_copy(update={key: number}),
            }
        )
        for key, numbers in curves.items()
        for number in numbers
    ] or [arm]


def _replay(arm: Arm, synthetic: SyntheticConfig, drawn: Mapping[str, tuple[str, ...]]) -> Arm:
    """The replay control of an arm, with as many real images."""
    named = isinstance(synthetic.dose, dict)  # such a dose names its classes itself
    classes = () if named else synthetic.classes or drawn.get(synthetic.source, ())
    none = {"folder": "", "provenance": None, "curation": None, "start": None, "start_class": ""}
    changes = {"family": REPLAY, "classes": classes, **none}
    return arm.model_copy(
        update={
            "name": f"{arm.name}-{REPLAY}",
            "synthetic": synthetic.model_copy(update=changes),
            "replay": False,
            "against": (),
            "replay_of": arm.name,
            "curve": f"{arm.curve}-{REPLAY}" if arm.curve else "",
        }
    )
