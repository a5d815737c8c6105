"""Which arm is compared with which: the one place that knows an arm's baseline, replay or control.

Only the experiment's arms are asked. Whether a replay changes nothing of what is shown is seen in
the trainings alone; whoever has read them says so.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from dermaug.config import Arm
from dermaug.config.arms import ORACLE

BASELINE, AGAINST, REPLAY = "baseline", "against", "replay"
CONTROL, NEGATIVE = "control", "negative control"
"""Roles of a reference: of an arm; one that the arm names; of its images; of a replay; of a replay
that changes nothing."""
JUDGED = (BASELINE, AGAINST, REPLAY)
"""Roles whose contrasts are members of the families of verdicts."""
_OF_THE_DOSE = {"name", "synthetic", "replay", "replay_of", "curve", "half", "against"}
Arms = Sequence[Arm]


@dataclass(frozen=True)
class Contrast:
    """Two arms worth comparing.

    Args:
        arm: What is asked about.
        reference: What is subtracted.
        role: `baseline`: the arm against what lacks only its dose (or against the first arm).
            `against`: the arm against another that its entry names.
            `replay`: a synthetic arm against as many real images. `control`: a replay against its
            baseline. `negative control`: the same where the replay shows every class as often as
            its baseline, so that the two differ by the chance of training alone.
    """

    arm: str
    reference: str
    role: str


def contrasts(arms: Arms, negative: Collection[str] = ()) -> tuple[Contrast, ...]:
    """All contrasts of an experiment, in the order of its arms.

    A synthetic arm is compared with its replay unless that is a negative control: it would be
    judged against the same arm twice.

    Args:
        arms: Of the experiment.
        negative: Replays that show every class as often as their baselines.
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
    """The arm that one is judged against: all but the dose, or else the first arm.

    Returns:
        None for the first arm, and for one that only measures convergence.
    """
    if _named(arms, name).convergence_of:
        return None
    reference = control_arm(arms, name) or arms[0].name
    return None if reference == name else reference


def control_arm(arms: Arms, name: str) -> str | None:
    """The arm that differs from one with a dose, or with half of the lesions, in that only."""
    own = _named(arms, name)
    if own.synthetic is None and not own.half:
        return None
    alike = (
        arm.name
        for arm in arms
        if arm.synthetic is None and not arm.half and _without_dose(arm) == _without_dose(own)
    )
    return next(alike, None)


def is_gain(arms: Arms, contrast: Contrast) -> bool:
    """Whether a contrast is of an arm with a dose against the arm that lacks only the dose."""
    has_dose = _named(arms, contrast.arm).synthetic is not None
    return has_dose and contrast.reference == control_arm(arms, contrast.arm)


def more_lesions(arms: Arms) -> tuple[Contrast, ...]:
    """What more real lesions give: fresh phantoms against none, and all lesions against half."""
    pairs = [(arm, control_arm(arms, arm.name)) for arm in arms if arm.half or _is_oracle(arm)]
    return tuple(
        Contrast(reference, arm.name, BASELINE)
        if arm.half
        else Contrast(arm.name, reference, BASELINE)
        for arm, reference in pairs
        if reference is not None
    )


def shortened(arms: Arms) -> tuple[Contrast, ...]:
    """The full length of a training against half of it: has it converged?"""
    return tuple(
        Contrast(arm.convergence_of, arm.name, BASELINE) for arm in arms if arm.convergence_of
    )


def _named(arms: Arms, name: str) -> Arm:
    return next(arm for arm in arms if arm.name == name)


def _is_oracle(arm: Arm) -> bool:
    return arm.synthetic is not None and arm.synthetic.source == ORACLE


def _without_dose(arm: Arm) -> dict[str, object]:
    return arm.model_dump(exclude=_OF_THE_DOSE)
