"""The arms: the training set of each, and the purpose of the controls."""

from collections.abc import Collection, Sequence

from dermaug.config import Arm, Experiment
from dermaug.config.arms import FOLDER, LOSSES, ORACLE, REPLAY, SAMPLINGS
from dermaug.experiment.plan.comparisons import AGAINST, BASELINE, CONTROL, NEGATIVE
from dermaug.experiment.plan.comparisons import REPLAY as REFERENCE
from dermaug.experiment.run.results import RunResults
from dermaug.report.blocks import Block, Bullets, Section, Table
from dermaug.report.formats import listed, spanned
from dermaug.scoring.scoring import Scoring

ARM_WORDS = {
    REPLAY: "Replay: as many images of each class as its synthetic arm added, drawn again from the "
    "real training images.",
    CONTROL: (
        "The difference to the replay is the effect of the images themselves; the difference of "
        "the replay to the baseline is that of showing the classes more often (and of adjusting "
        "the loss by the source of each image, where it is)."
    ),
    NEGATIVE: (
        "A replay that shows every class as often as its baseline is a negative control: "
        "its difference is mainly the training noise of this study."
    ),
    ORACLE: (
        "Oracle: the dose consists of newly drawn phantom lesions. A study that shows no gain "
        "here cannot be expected to show one for synthetic images."
    ),
    "half": (
        "Half: the arm trained on half of the lesions of each class (of the patients, if these "
        "are kept together). The effect of the other half shows what real lesions are still "
        "worth; it is not an upper bound."
    ),
    "translated": (
        "Translated: each image is drawn from a real training image of the named class, beginning "
        "at that time of the path from noise (0) to image (1), instead of from noise alone. It "
        "keeps something of that image; the audit counts copies of it, too."
    ),
    "only": (
        "Synthetic only: trained on generated images and tested on real ones, to see whether "
        "the images represent the classes at all."
    ),
    "discriminator": (
        "Discriminator: no classifier is trained; the discriminator of a generator, "
        "trained on the generator's schedule, predicts the class. Its results are "
        "repeated under each classifier."
    ),
    "curve": "The doses of a curve are nested. The dose to be judged is selected on validation.",
}

INTRODUCTION = (
    "The arms differ in what the table lists; networks, initial "
    "weights, folds, seeds and the number of images shown are the same for all arms that train a "
    "classifier."
)
ROLE_WORDS = {
    BASELINE: "An arm with a dose, or with half of the lesions, is compared with its baseline, "
    "which differs from it in that only (and in the source by which its loss is adjusted, if it "
    "is); other arms are compared with {first}.",
    AGAINST: "Some arms are also compared with further arms that the experiment names (against).",
    REFERENCE: "A synthetic arm is also compared with its replay.",
    NEGATIVE: "No synthetic arm is judged against a replay that is a negative control; where the "
    "two are compared, the comparison is exploratory.",
}


def arm_section(results: RunResults, scoring: Scoring) -> Section:
    """The arms and their controls."""
    first, roles = results.experiment.arms[0].name, set(scoring.verdicts["role"])
    told = (text.format(first=first) for role, text in ROLE_WORDS.items() if role in roles)
    words = arm_words(results, roles)
    content: list[Block] = [" ".join([INTRODUCTION, *told]), arm_table(results)]
    return Section("asked", "The arms", [*content, *([Bullets(words)] if words else [])])


def arm_table(results: RunResults) -> Table:
    """The training set of each arm."""
    rows = []
    for arm in results.experiment.compared_arms:
        records = [trial.record for trial in results.trials if trial.arm == arm.name]
        counts = [list(record.train_counts.values()) for record in records]
        texts = (
            spanned(sum(getattr(count, kind) for count in own) for own in counts)
            for kind in ("real", "synthetic")
        )
        rows.append((arm.name, _shown(arm, results.experiment), dose(arm), *texts))
    header = ("Arm", "How images are shown", "Dose", "Real images", "Images added")
    caption = "Arms, with their training images: fewest–most over folds and seeds."
    return Table(caption, header, tuple(rows), texts=3)


def arm_terms(results: RunResults) -> dict[str, str]:
    """Name of each arm -> how it shows images, and what is added to the real ones."""
    return {
        arm.name: f"an arm: {_shown(arm, results.experiment)}; added images: {dose(arm)}."
        for arm in results.experiment.compared_arms
    }


def _shown(arm: Arm, experiment: Experiment) -> str:
    """How an arm shows its images; how often it shows each class is always said."""
    if arm.sampling or arm.discriminator:
        return arm.treatment
    own = dict.fromkeys(SAMPLINGS[each.sampling] for each in experiment.classifiers)
    return f"{arm.treatment}, {' or '.join(own)}"


def arm_words(results: RunResults, roles: Collection[str]) -> tuple[str, ...]:
    """A sentence on each kind of arm in the study and its purpose as a control."""
    arms = results.experiment.arms
    doses = [arm.synthetic for arm in arms if arm.synthetic is not None]
    sources = {dose.source for dose in doses}
    has = {
        REPLAY: REPLAY in sources,
        CONTROL: REFERENCE in roles,
        NEGATIVE: NEGATIVE in roles,
        ORACLE: ORACLE in sources,
        "half": any(arm.half for arm in arms),
        "translated": any(dose.translation for dose in doses),
        "only": any(dose.only for dose in doses),
        "discriminator": any(arm.discriminator for arm in arms),
        "curve": any(arm.curve for arm in arms),
    }
    told = [sentence for kind, sentence in ARM_WORDS.items() if has[kind]]
    return (*told, *_foreign(arms), *_emphasis(arms), *_blending(arms))


def _foreign(arms: Sequence[Arm]) -> list[str]:
    """A sentence on each arm whose images another tool has drawn, as far as that is declared."""
    return [
        f"{arm.name}: images {declared.words} (provenance declared by the user)."
        if (declared := arm.synthetic.provenance)
        else f"{arm.name}: images of another tool; its provenance is not declared."
        for arm in arms
        if arm.synthetic is not None and arm.synthetic.source == FOLDER
    ]


def _emphasis(arms: Sequence[Arm]) -> list[str]:
    """A sentence on losses and samplings in which the arms differ."""
    if len({(arm.loss, arm.sampling) for arm in arms}) == 1:
        return []
    losses = [LOSSES[arm.loss] for arm in arms if arm.loss in LOSSES]
    samplings = [SAMPLINGS[arm.sampling] for arm in arms if arm.sampling]
    names = listed(list(dict.fromkeys([*losses, *samplings])))
    return [
        f"{names.capitalize()}: the difference from an arm that differs in nothing else, where "
        "there is one, is the effect of emphasising classes without new images."
    ]


def _blending(arms: Sequence[Arm]) -> list[str]:
    policies = dict.fromkeys(arm.policy for arm in arms if arm.policy in ("mixup", "cutmix"))
    names = listed(list(policies)) if policies else ""
    return [f"{names.capitalize()}: blended real images with blended labels."] if names else []


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
    how = f" translated {synthetic.translation.words}" if synthetic.translation else ""
    how += "".join(word for word, is_so in ways.items() if is_so)
    if arm.replay_of:
        return f"{synthetic.source}{how}, as many of each class as {arm.replay_of} got"
    if synthetic.balance is not None:
        return (
            f"{synthetic.source}{how}, each class that is drawn filled up towards "
            f"{synthetic.balance:,}{_limits(arm)}"
        )
    if isinstance(synthetic.dose, dict):
        parts = (f"{count:,} {label}" for label, count in synthetic.dose.items())
        return f"{synthetic.source}{how}, {', '.join(parts)}{_limits(arm)}"
    return f"{synthetic.source}{how}, {synthetic.dose:,} per class{_limits(arm)}"


def _limits(arm: Arm) -> str:
    """What may leave fewer images than were asked for; the column of images added counts them."""
    limit = arm.most_per_real
    return f", at most {limit:g} per real one" if limit else ""
