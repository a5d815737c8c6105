"""What an experiment may not ask of the data: told before the first job is done."""

from dermaug.config import ArmConfig, Experiment, GeneratorConfig
from dermaug.config.arms import ORACLE
from dermaug.data.dataset import PHANTOM
from dermaug.errors import DermaugError
from dermaug.experiment.arms import dosed_classes, doses
from dermaug.generators import FAMILIES, family_named


def refuse_impossible(experiment: Experiment, classes: tuple[str, ...]) -> None:
    """Raise where a generator or an arm asks for classes that cannot be had.

    Args:
        experiment: What is asked.
        classes: Labels of the data set.

    Raises:
        DermaugError: A generator is to draw a class that the data lack, an arm asks for one that
            its generator does not synthesise, a critic does not tell the classes, or an oracle is
            asked of real data.
    """
    for config in experiment.generators:
        _check_classes(config, classes)
    for arm in experiment.arms:
        _check_dose(arm, experiment, classes)
        _check_critic(arm, experiment, classes)
        _check_oracle(arm, experiment)


def _check_classes(config: GeneratorConfig, classes: tuple[str, ...]) -> None:
    if unknown := sorted(set(config.classes) - set(classes)):
        raise DermaugError(
            f"generators.classes of {config.key}: expected labels of the data "
            f"({', '.join(classes)}), found {', '.join(map(repr, unknown))}"
        )


def _check_dose(arm: ArmConfig, experiment: Experiment, classes: tuple[str, ...]) -> None:
    if arm.synthetic is None:
        return
    source = arm.synthetic.source
    able = next((each for each in experiment.generators if each.key == source), None)
    drawn = (able.classes if able else ()) or classes
    wanted = dosed_classes(arm.synthetic, experiment, classes)
    given = doses(arm.synthetic, wanted, dict.fromkeys((*classes, *wanted), 0))
    if unknown := sorted(set(given) - set(drawn)):
        raise DermaugError(
            f"arm {arm.name}: a dose of {unknown[0]!r} is asked for, but {source} has only "
            f"{', '.join(drawn)}"
        )
    if arm.synthetic.only and (bare := sorted(set(classes) - {k for k, n in given.items() if n})):
        raise DermaugError(
            f"arm {arm.name} trains on its dose only, which has no {', '.join(bare)}; "
            "synthesise every class, or leave those out with data.classes"
        )


def _check_critic(arm: ArmConfig, experiment: Experiment, classes: tuple[str, ...]) -> None:
    if not arm.critic:
        return
    config = next(each for each in experiment.generators if each.key == arm.critic)
    if not family_named(config.family).tells_classes():
        able = [name for name, family in FAMILIES.items() if family.tells_classes()]
        raise DermaugError(
            f"arm {arm.name}: the discriminator of {arm.critic} ({config.family}) names no "
            f"classes; a critic is of family {' or '.join(able)}"
        )
    if bare := sorted(set(classes) - set(config.classes or classes)):
        raise DermaugError(
            f"arm {arm.name}: the discriminator of {arm.critic} never sees {', '.join(bare)}; "
            "leave out its classes, so that it learns all"
        )


def _check_oracle(arm: ArmConfig, experiment: Experiment) -> None:
    source = experiment.data.source
    if arm.synthetic is not None and arm.synthetic.source == ORACLE and source != PHANTOM:
        raise DermaugError(
            f"arm {arm.name}: an oracle draws fresh phantoms, so it expects data.source = "
            f"{PHANTOM!r}, found {source!r}; what real lesions are worth is told by an arm that "
            "trains on half of them: half = true instead of synthetic"
        )
