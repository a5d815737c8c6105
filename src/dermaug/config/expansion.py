"""Arms that a dose curve, a control and a check add to those that an experiment file names."""

from collections.abc import Iterator, Mapping, Sequence

from dermaug.config.arms import REPLAY, ArmConfig, SyntheticConfig
from dermaug.config.networks import GeneratorConfig


def expand_arms(
    arms: Sequence[ArmConfig], generators: Sequence[GeneratorConfig]
) -> Iterator[ArmConfig]:
    """Each arm, each dose of its curve, and the replay control of each synthetic one.

    Arms that were expanded before come back as they are.
    """
    drawn = {generator.key: generator.classes for generator in generators}
    controlled = {arm.replay_of for arm in arms}
    for point in (point for arm in arms for point in _doses(arm)):
        yield point
        if point.wants_control and point.name not in controlled:
            yield _replay(point, drawn)


def with_shorter_reference(arms: Sequence[ArmConfig]) -> Iterator[ArmConfig]:
    """The arms, and the reference arm once more at half of its length.

    Arms that were expanded before come back as they are.

    Raises:
        ValueError: There is no reference arm.
    """
    yield from arms
    reference = next((arm for arm in arms if arm.is_reference), None)
    if reference is None:
        raise ValueError(
            "check_convergence trains an arm without synthetic images for half as long; expected "
            "such an arm, found none"
        )
    if not any(arm.convergence_of for arm in arms):
        changes = {
            "name": f"{reference.name}-half-length",
            "length": 0.5,
            "convergence_of": reference.name,
        }
        yield reference.model_copy(update=changes)


def _doses(arm: ArmConfig) -> list[ArmConfig]:
    """One arm for each dose of a curve; the arm itself where it has one dose or none."""
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


def _replay(arm: ArmConfig, drawn: Mapping[str, tuple[str, ...]]) -> ArmConfig:
    synthetic = arm.synthetic or SyntheticConfig(dose=0)
    named = isinstance(synthetic.dose, dict)  # such a dose names its classes itself
    classes = () if named else synthetic.classes or drawn.get(synthetic.source, ())
    changes = {"family": REPLAY, "folder": "", "classes": classes, "curation": None}
    control = synthetic.model_copy(update=changes)
    return arm.model_copy(
        update={
            "name": f"{arm.name}-{REPLAY}",
            "synthetic": control,
            "replay": False,
            "against": (),
            "replay_of": arm.name,
            "curve": f"{arm.curve}-{REPLAY}" if arm.curve else "",
        }
    )
