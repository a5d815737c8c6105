"""The arms: the training set of each, and the purpose of the controls."""

from collections.abc import Collection

from dermaug.config import Arm
from dermaug.config.arms import ORACLE, REPLAY
from dermaug.experiment.plan.comparisons import CONTROL, NEGATIVE
from dermaug.experiment.plan.comparisons import REPLAY as REFERENCE
from dermaug.experiment.run.results import RunResults
from dermaug.report.blocks import Block, Bullets, Section, Table
from dermaug.report.formats import NONE
from dermaug.scoring.scoring import Scoring

ARM_WORDS = {
    REPLAY: "Replay: as many images of each class as its synthetic arm added, drawn again from the "
    "real training images.",
    CONTROL: "A gain over the replay is due to the images, the rest to showing classes more often.",
    NEGATIVE: (
        "A replay that shows every class as often as its baseline is a negative control: it "
        "shows the training noise of this study."
    ),
    ORACLE: (
        "Oracle: the dose consists of newly drawn phantom lesions. A study that shows no gain "
        "here cannot be expected to show one for synthetic images."
    ),
    "half": (
        "Half: the arm trained on half of the lesions of each class. The effect of the other "
        "half shows what real lesions are still worth; it is not an upper bound."
    ),
    "only": (
        "Synthetic only: trained on generated images and tested on real ones, to see whether "
        "the images represent the classes at all."
    ),
    "attention": (
        "Weighted loss and class-balanced sampling: the effect of emphasising rare "
        "classes without new images."
    ),
    "blending": "Mixup and cutmix: blended real images with blended labels.",
    "discriminator": (
        "Discriminator: no classifier is trained; the discriminator of a generator, "
        "trained on the generator's schedule, predicts the class. Its results are "
        "repeated under each classifier."
    ),
    "curve": "The doses of a curve are nested. The dose to be judged is selected on validation.",
}

INTRODUCTION = (
    "The arms differ in what the classifier is trained on; networks, initial weights, folds, seeds "
    "and the number of images shown are the same for all of them. An arm with a dose is compared "
    "with its baseline, which differs from it in the dose only, and a synthetic arm also with its "
    "replay, as many real images (unless that shows every class as often as the baseline does: it "
    "is a negative control then); other arms are compared with"
)


def arm_section(results: RunResults, scoring: Scoring) -> Section:
    """The arms and their controls."""
    first = results.experiment.arms[0].name
    words = arm_words(results, set(scoring.verdicts["role"]))
    content: list[Block] = [f"{INTRODUCTION} {first}.", arm_table(results)]
    return Section("asked", "The arms", [*content, *([Bullets(words)] if words else [])], "Arms")


def arm_table(results: RunResults) -> Table:
    """The training set of each arm."""
    rows = []
    for arm in results.experiment.compared_arms:
        trials = [trial for trial in results.trials if trial.arm == arm.name]
        counts = list(trials[0].record.train_counts.values()) if trials else []
        totals = [sum(count.real for count in counts), sum(count.synthetic for count in counts)]
        texts = (f"{total:,}" if counts else NONE for total in totals)
        rows.append((arm.name, shown(arm), dose(arm), *texts))
    header = ("Arm", "How images are shown", "Dose", "Real images", "Images added")
    caption = "Arms, with the training images of the first finished fold."
    return Table(caption, header, tuple(rows), texts=3)


def shown(arm: Arm) -> str:
    """How an arm shows its images: its augmentation, and any setting other than the default."""
    words: list[str] = [arm.policy if arm.policy != "none" else "as they are"]
    words += [f"{arm.loss} loss"] if arm.loss != "plain" else []
    words += [f"{arm.sampling} sampling"] if arm.sampling else []
    words += [f"{arm.variants:,} fixed variants per class"] if arm.variants else []
    words += ["half of the lesions"] if arm.half else []
    return ", ".join(words)


def arm_words(results: RunResults, roles: Collection[str]) -> tuple[str, ...]:
    """A sentence on each kind of arm in the study and its purpose as a control.

    Args:
        results: The run.
        roles: Roles of the references in its comparisons.
    """
    arms = results.experiment.arms
    doses = [arm.synthetic for arm in arms if arm.synthetic is not None]
    sources = {dose.source for dose in doses}
    has = {
        REPLAY: REPLAY in sources,
        CONTROL: REFERENCE in roles,
        NEGATIVE: NEGATIVE in roles,
        ORACLE: ORACLE in sources,
        "half": any(arm.half for arm in arms),
        "only": any(dose.only for dose in doses),
        "attention": len({(arm.loss, arm.sampling) for arm in arms}) > 1,
        "blending": any(arm.policy in ("mixup", "cutmix") for arm in arms),
        "discriminator": any(arm.discriminator for arm in arms),
        "curve": any(arm.curve for arm in arms),
    }
    return tuple(sentence for kind, sentence in ARM_WORDS.items() if has[kind])


def dose(arm: Arm) -> str:
    """Describe the synthetic images of an arm."""
    synthetic = arm.synthetic
    if synthetic is None:
        return f"none: the discriminator of {arm.discriminator}" if arm.discriminator else "none"
    ways = {
        " only": synthetic.only,
        f", first {synthetic.first:.0%} of the training": synthetic.first > 0.0,
        f", {synthetic.share or 0.0:.0%} of what is shown": synthetic.share is not None,
        ", curated": synthetic.curation is not None,
        ", soft labels": synthetic.labels == "judged",
    }
    how = "".join(word for word, is_so in ways.items() if is_so)
    if synthetic.balance is not None:
        return (
            f"{synthetic.source}{how}, each class filled up towards {synthetic.balance:,}"
            f"{_limits(arm)}"
        )
    if isinstance(synthetic.dose, dict):
        parts = (f"{count:,} {label}" for label, count in synthetic.dose.items())
        return f"{synthetic.source}{how}, {', '.join(parts)}{_limits(arm)}"
    return f"{synthetic.source}{how}, {synthetic.dose:,} per class{_limits(arm)}"


def _limits(arm: Arm) -> str:
    """What may leave fewer images than were asked for; the column of images added counts them."""
    limit = arm.most_per_real
    return f", at most {limit:g} per real one" if limit else ""
