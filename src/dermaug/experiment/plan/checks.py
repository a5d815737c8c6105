"""Checks of an experiment against its data, before the first job is run."""

from collections.abc import Mapping, Sequence

from dermaug.config import Arm, Experiment, GeneratorConfig
from dermaug.config.arms import ORACLE
from dermaug.data.catalog import Catalog
from dermaug.data.dataset import PHANTOM
from dermaug.data.splits import Fold, reduce_training
from dermaug.errors import DermaugError
from dermaug.experiment.plan.doses import above_limit, allowed, doses
from dermaug.generators import FAMILIES, family_named

Counts = Mapping[tuple[int, int], Mapping[str, int]]
"""(fold, lesions) -> label -> images in the training split."""


def training_counts(catalog: Catalog, fold: Fold) -> dict[str, int]:
    """Label -> images in a fold's training split."""
    labels = catalog.table["label"].iloc[catalog.rows(fold.train)]
    return {label: int((labels == label).sum()) for label in catalog.classes}


def counts_by_point(
    experiment: Experiment, catalog: Catalog, folds: Sequence[Fold]
) -> dict[tuple[int, int], dict[str, int]]:
    """(fold, lesions) -> label -> images in the training split, for every point of the study."""
    seed = experiment.splits.seed
    return {
        (fold.index, lesions): training_counts(
            catalog, reduce_training(catalog, fold, lesions, seed)
        )
        for fold in folds
        for lesions in experiment.splits.sizes
    }


def refuse_equal_sizes(counts: Counts) -> None:
    """Raise if two points of a data-size curve are equal, which would count the same data twice.

    Raises:
        DermaugError: Two sizes give the same training split, because no class has so many lesions.
    """
    sizes: dict[tuple[int, int], int] = {}
    for (fold, lesions), images in counts.items():
        # Smaller splits are subsets of larger ones, so equal counts mean equal images.
        other = sizes.setdefault((fold, sum(images.values())), lesions)
        if other != lesions:
            raise DermaugError(
                f"splits.lesions: expected sizes that differ, found that {other or 'all (0)'} and "
                f"{lesions or 'all (0)'} lesions per class give the same training split of fold "
                f"{fold}; remove one"
            )


def refuse_impossible(experiment: Experiment, classes: tuple[str, ...], counts: Counts) -> None:
    """Raise if a generator or an arm requests something impossible.

    Raises:
        DermaugError: A generator is asked for a class that the data lack, an arm for one that its
            generator does not synthesise, a discriminator does not predict the classes, a generator
            cannot translate or has no training image to start from, an oracle is used with real
            data, a dose shown first exceeds `max_per_real`, or two doses of a curve become equal
            under that limit.
    """
    for config in experiment.generators:
        _check_classes(config, classes)
    for arm in experiment.arms:
        _check_dose(arm, experiment, classes)
        _check_discriminator(arm, experiment, classes)
        _check_translation(arm, experiment, classes)
        _check_oracle(arm, experiment)
    for (fold, lesions), real in counts.items():
        _check_point(experiment, real, f"fold {fold}, {lesions or 'all'} lesions per class")


def _check_classes(config: GeneratorConfig, classes: tuple[str, ...]) -> None:
    if unknown := sorted(set(config.classes) - set(classes)):
        raise DermaugError(
            f"generators.classes of {config.key}: expected labels of the data "
            f"({', '.join(classes)}), found {', '.join(map(repr, unknown))}"
        )


def _check_dose(arm: Arm, experiment: Experiment, classes: tuple[str, ...]) -> None:
    if arm.synthetic is None:
        return
    source = arm.synthetic.source
    able = next((each for each in experiment.generators if each.key == source), None)
    drawn = (able.classes if able else ()) or classes
    given = doses(arm.synthetic, experiment.generators, dict.fromkeys(classes, 0))
    if unknown := sorted(set(given) - set(drawn)):
        raise DermaugError(
            f"arm {arm.name}: a dose of {unknown[0]!r} is requested, but {source} has only "
            f"{', '.join(drawn)}"
        )
    if arm.synthetic.only and (bare := sorted(set(classes) - {k for k, n in given.items() if n})):
        raise DermaugError(
            f"arm {arm.name} is trained on its dose only, which has no {', '.join(bare)}; "
            "synthesise every class, or exclude classes with data.classes"
        )


def _check_discriminator(arm: Arm, experiment: Experiment, classes: tuple[str, ...]) -> None:
    if not arm.discriminator:
        return
    config = next(each for each in experiment.generators if each.key == arm.discriminator)
    if not family_named(config.family).tells_classes():
        able = [name for name, family in FAMILIES.items() if family.tells_classes()]
        raise DermaugError(
            f"arm {arm.name}: the discriminator of {arm.discriminator} ({config.family}) does not "
            f"predict classes; use the family {' or '.join(able)}"
        )
    if bare := sorted(set(classes) - set(config.classes or classes)):
        raise DermaugError(
            f"arm {arm.name}: the discriminator of {arm.discriminator} is not trained on "
            f"{', '.join(bare)}; remove classes from its generator, so that it learns all"
        )


def _check_translation(arm: Arm, experiment: Experiment, classes: tuple[str, ...]) -> None:
    if arm.synthetic is None or arm.synthetic.start is None:
        return
    config = next(each for each in experiment.generators if each.key == arm.synthetic.source)
    if not family_named(config.family).translates:
        able = [name for name, family in FAMILIES.items() if family.translates]
        raise DermaugError(
            f"arm {arm.name}: synthetic.start draws from training images, which {config.key} "
            f"({config.family}) cannot; use the family {' or '.join(able)}, or remove start"
        )
    if (start_class := arm.synthetic.start_class) and start_class not in classes:
        raise DermaugError(
            f"arm {arm.name}: synthetic.start_class expects a label of the data "
            f"({', '.join(classes)}), found {start_class!r}"
        )


def _check_oracle(arm: Arm, experiment: Experiment) -> None:
    source = experiment.data.source
    if arm.synthetic is not None and arm.synthetic.source == ORACLE and source != PHANTOM:
        raise DermaugError(
            f"arm {arm.name}: an oracle draws fresh phantoms, so it expects data.source = "
            f"{PHANTOM!r}, found {source!r}; to measure what real lesions are worth, use half = "
            "true instead of synthetic"
        )


def _check_point(experiment: Experiment, real: Mapping[str, int], place: str) -> None:
    """Check doses against the real images of a training split.

    Two doses of a curve that add the same images would count one arm twice.
    """
    curves: dict[tuple[str, tuple[tuple[str, int], ...]], str] = {}
    for arm in experiment.arms:
        if arm.synthetic is None:
            continue
        asked = doses(arm.synthetic, experiment.generators, real)
        dose = allowed(arm, asked, real)
        if arm.synthetic.first and not arm.replay_of:  # a replay follows its arm
            for config in experiment.classifiers:
                above_limit(arm, arm.sampling or config.sampling, asked, real)
        if arm.synthetic.start is not None:
            _check_starts(arm.name, arm.synthetic.start_class, dose, real, place)
        if not arm.curve or not arm.is_synthetic:
            continue
        other = curves.setdefault((arm.curve, tuple(dose.items())), arm.name)
        if other != arm.name:
            raise DermaugError(
                f"arms {other} and {arm.name} add the same images ({place}): "
                f"synthetic.max_per_real = {arm.synthetic.max_per_real:g} allows no more for the "
                "available real images; remove one, use smaller doses, or remove the limit with "
                "max_per_real = 0"
            )


def _check_starts(
    arm: str, start_class: str, dose: Mapping[str, int], real: Mapping[str, int], place: str
) -> None:
    for label, number in dose.items():
        if number and not real[origin := start_class or label]:
            raise DermaugError(
                f"arm {arm}: images of {label} start from training images of {origin}, of which "
                f"the training split has none ({place}); name another start_class, or leave "
                f"{label} out of the dose"
            )
