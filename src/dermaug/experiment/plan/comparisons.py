"""Which arms are compared: the only place that resolves an arm's baseline, replay and controls.

Everything here depends on the experiment's arms only. Whether a replay shows every class as often
as its baseline can be seen only in the finished trials, so callers pass this information.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from dermaug.config import Arm
from dermaug.config.arms import ORACLE

BASELINE, AGAINST, REPLAY = "baseline", "against", "replay"
CONTROL, NEGATIVE = "control", "negative control"
"""Roles of a reference: baseline of an arm; an arm named in `against`; replay of a synthetic arm;
baseline of a replay; baseline of a replay that shows every class equally often."""
JUDGED = (BASELINE, AGAINST, REPLAY)
"""Roles whose contrasts are members of the families of verdicts."""
_OF_THE_DOSE = {"name", "synthetic", "replay", "replay_of", "curve", "half", "against"}
Arms = Sequence[Arm]


@dataclass(frozen=True)
class Contrast:
    """A comparison of two arms.

    Args:
        arm: The arm under study.
        reference: The arm that is subtracted.
        role: `baseline`: an arm against the one that lacks only its dose (or against the first
            arm). `against`: an arm against another one named in its entry. `replay`: a synthetic
            arm against its replay with as many real images. `control`: a replay against its
            baseline. `negative control`: a replay that shows every class as often as its baseline,
            so that the two differ only by the randomness of training.
    """

    arm: str
    reference: str
    role: str


def contrasts(arms: Arms, negative: Collection[str] = ()) -> tuple[Contrast, ...]:
    """All contrasts of an experiment, in the order of its arms.

    A synthetic arm is not compared with a replay that is a negative control, because it would then
    be judged against an equivalent of its baseline twice.
    """
    found = []
    for arm in arms:
        reference = baseline(arms, arm.name)
        if reference is None:
            found += [Contrast(arm.name, other, AGAINST) for other in arm.against]
            continue
        if not arm.replay_of:
            found.append(Contrast(arm.name, reference, BASELINE))
            others = (other for other in arm.against if other != reference)
            found += [Contrast(arm.name, other, AGAINST) for other in others]
            continue
        if arm.name not in negative:
            found.append(Contrast(arm.replay_of, arm.name, REPLAY))
        role = NEGATIVE if arm.name in negative else CONTROL
        found.append(Contrast(arm.name, reference, role))
    return tuple(found)


def baseline(arms: Arms, name: str) -> str | None:
    """The baseline of an arm: the arm that lacks only its dose, or else the first arm.

    Returns:
        None for the first arm, and for an arm that only measures convergence.
    """
    if _named(arms, name).convergence_of:
        return None
    reference = control_arm(arms, name) or arms[0].name
    return None if reference == name else reference


def control_arm(arms: Arms, name: str) -> str | None:
    """The arm that differs from the named one only in its dose or in half of the lesions."""
    own = _named(arms, name)
    if own.synthetic is None and not own.half:
        return None
    alike = (
        arm.name
        for arm in arms
        if arm.synthetic is None and not arm.half and without_dose(arm) == without_dose(own)
    )
    return next(alike, None)


def is_gain(arms: Arms, contrast: Contrast) -> bool:
    """Whether a contrast compares an arm that has a dose with the arm that lacks only the dose."""
    has_dose = _named(arms, contrast.arm).synthetic is not None
    return has_dose and contrast.reference == control_arm(arms, contrast.arm)


def more_lesions(arms: Arms) -> tuple[Contrast, ...]:
    """Contrasts that measure the effect of more real lesions: new phantoms, or all against half."""
    more = [arm for arm in arms if arm.half or arm.generator == ORACLE]
    pairs = [(arm, control_arm(arms, arm.name)) for arm in more]
    return tuple(
        Contrast(reference, arm.name, BASELINE)
        if arm.half
        else Contrast(arm.name, reference, BASELINE)
        for arm, reference in pairs
        if reference is not None
    )


def shortened(arms: Arms) -> tuple[Contrast, ...]:
    """Contrasts of the full training length with half of it, which measure convergence."""
    return tuple(
        Contrast(arm.convergence_of, arm.name, BASELINE) for arm in arms if arm.convergence_of
    )


def without_dose(arm: Arm) -> dict[str, object]:
    """All entries of an arm except its name and its dose; equal ones differ only in their dose."""
    entries: dict[str, object] = arm.model_dump(exclude=_OF_THE_DOSE)
    if arm.loss == "adjusted_by_source":  # without a dose, all images have one source
        entries["loss"] = "adjusted"
    return entries


def _named(arms: Arms, name: str) -> Arm:
    return next(arm for arm in arms if arm.name == name)
