"""Which arm is compared with which: its baseline, its replay, and what a replay itself shows."""

from dataclasses import dataclass

import numpy as np

from dermaug.config import ArmConfig
from dermaug.experiment.run.results import RunResults, TrialResult

BASELINE, REPLAY, CONTROL, NEGATIVE = "baseline", "replay", "control", "negative control"
"""Roles of a reference: of an arm; of its images; of a replay; of a replay that changes nothing."""
_OF_THE_DOSE = {"name", "synthetic", "replay", "replay_of", "curve", "half"}


@dataclass(frozen=True)
class Contrast:
    """Two arms worth comparing.

    Args:
        arm: What is asked about.
        reference: What is subtracted.
        role: `baseline`: the arm against what lacks only its dose (or against the first arm).
            `replay`: a synthetic arm against as many real images. `control`: a replay against its
            baseline. `negative control`: the same where the replay shows every class as often as
            its baseline, so that the two differ by the chance of training alone.
    """

    arm: str
    reference: str
    role: str


def contrasts(results: RunResults) -> list[Contrast]:
    """All contrasts of a run, in the experiment's order.

    A synthetic arm is compared with its replay unless that is a negative control: it would be
    judged against the same arm twice.
    """
    found = []
    for arm in results.experiment.arms:
        reference = baseline(results, arm.name)
        if reference is None:
            continue
        if not arm.replay_of:
            found.append(Contrast(arm.name, reference, BASELINE))
            continue
        negative = shows_the_same(results, arm.name, reference)
        if not negative:
            found.append(Contrast(arm.replay_of, arm.name, REPLAY))
        found.append(Contrast(arm.name, reference, NEGATIVE if negative else CONTROL))
    return found


def baseline(results: RunResults, name: str) -> str | None:
    """The arm that one is judged against: all but the dose, or else the first arm.

    Returns:
        None for the first arm, and for one that only measures convergence.
    """
    arms = results.experiment.arms
    own = next(arm for arm in arms if arm.name == name)
    if own.convergence_of:
        return None
    reference = control_arm(results, name) or arms[0].name
    return None if reference == name else reference


def control_arm(results: RunResults, name: str) -> str | None:
    """The arm that differs from one with a dose, or with half of the lesions, in that only."""
    arms = {arm.name: arm for arm in results.experiment.arms}
    own = arms[name]
    if own.synthetic is None and not own.half:
        return None
    alike = (
        arm.name
        for arm in arms.values()
        if arm.synthetic is None and not arm.half and _without_dose(arm) == _without_dose(own)
    )
    return next(alike, None)


def shows_the_same(results: RunResults, arm: str, reference: str) -> bool:
    """Whether two arms show every class equally often, in every pair of their trainings."""
    pairs: dict[tuple[str, int, int], list[TrialResult]] = {}
    for trial in results.trials:
        if trial.arm in (arm, reference):
            pairs.setdefault((trial.model, trial.fold, trial.seed), []).append(trial)
    both = [pair for pair in pairs.values() if len(pair) == 2]
    return bool(both) and all(_equal(*pair) for pair in both)


def _equal(one: TrialResult, other: TrialResult) -> bool:
    shown, also = one.manifest["shown"], other.manifest["shown"]
    return np.allclose([shown[label] for label in shown], [also[label] for label in shown])


def _without_dose(arm: ArmConfig) -> dict[str, object]:
    return arm.model_dump(exclude=_OF_THE_DOSE)
