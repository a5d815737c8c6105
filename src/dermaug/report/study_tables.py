"""Tables of the study itself: arms, training images, split, cost and machine."""

import numpy as np

from dermaug.config import ArmConfig, ClassifierConfig
from dermaug.config.arms import ORACLE, REPLAY
from dermaug.data.splits import Fold
from dermaug.experiment.run.records import ImageCounts
from dermaug.experiment.run.results import RunResults
from dermaug.report.tables import NONE, Table

ARM_WORDS = {
    REPLAY: "Replay: as many images of each class as its synthetic arm added, drawn again from the "
    "real training images. What an arm gains over its replay is owed to its images, the rest to "
    "showing classes more often. Where that shows every class as often as the baseline does, the "
    "replay is a negative control: what training noise does here.",
    ORACLE: "Oracle: the dose filled with freshly drawn phantom lesions. A study that shows no "
    "gain here cannot be expected to show one of synthetic images.",
    "half": "Half: the same arm on half of the lesions of each class. What the other half adds is "
    "what real lesions are still worth; it bounds nothing above all of them.",
    "only": "Synthetic only: trained on generated images, tested on real ones. Do they carry the "
    "classes at all?",
    "attention": "Weighted loss and balanced sampling: what attention to rare classes gives "
    "without a new image.",
    "blending": "Mixup and cutmix: blended images with blended labels, made of real ones alone.",
    "critic": "Critic: no classifier is trained; the discriminator of a generator, which learnt by "
    "the generator's schedule, names the class. It stands, the same, under each classifier.",
    "curve": "The doses of a curve are nested. Validation picks the one that is judged.",
}


def arm_table(results: RunResults) -> Table:
    """What each arm trains on."""
    rows = []
    for arm in results.experiment.compared_arms:
        trials = [trial for trial in results.trials if trial.arm == arm.name]
        counts = list(trials[0].record.train_counts.values()) if trials else []
        totals = [sum(count.real for count in counts), sum(count.synthetic for count in counts)]
        texts = (f"{total:,}" if counts else NONE for total in totals)
        rows.append((arm.name, shown(arm), dose(arm), *texts))
    header = ("Arm", "How images are shown", "Dose", "real", "dose")
    caption = "Arms, with the training images of the first finished fold."
    return Table(caption, header, tuple(rows), texts=3)


def shown(arm: ArmConfig) -> str:
    """How an arm shows its images: its augmentation, and what differs from the plain way."""
    words: list[str] = [arm.policy if arm.policy != "none" else "as they are"]
    words += [f"{arm.loss} loss"] if arm.loss != "plain" else []
    words += [f"{arm.sampling} sampling"] if arm.sampling else []
    words += [f"{arm.variants:,} fixed variants per class"] if arm.variants else []
    words += ["half of the lesions"] if arm.half else []
    return ", ".join(words)


def arm_words(results: RunResults) -> list[str]:
    """A sentence on each kind of arm that the study has: what it is a control for."""
    arms = results.experiment.arms
    doses = [arm.synthetic for arm in arms if arm.synthetic is not None]
    sources = {dose.source for dose in doses}
    has = {
        REPLAY: REPLAY in sources,
        ORACLE: ORACLE in sources,
        "half": any(arm.half for arm in arms),
        "only": any(dose.only for dose in doses),
        "attention": len({(arm.loss, arm.sampling) for arm in arms}) > 1,
        "blending": any(arm.policy in ("mixup", "cutmix") for arm in arms),
        "critic": any(arm.critic for arm in arms),
        "curve": any(arm.curve for arm in arms),
    }
    return [sentence for kind, sentence in ARM_WORDS.items() if has[kind]]


def dose(arm: ArmConfig) -> str:
    """The synthetic part of an arm in words."""
    synthetic = arm.synthetic
    if synthetic is None:
        return f"none: the discriminator of {arm.critic}" if arm.critic else "none"
    ways = {
        " only": synthetic.only,
        f", first {synthetic.first:.0%} of the training": synthetic.first > 0.0,
        f", {synthetic.share or 0.0:.0%} of what is shown": synthetic.share is not None,
        ", curated": synthetic.curation is not None,
        ", soft labels": synthetic.labels == "judged",
    }
    how = "".join(word for word, is_so in ways.items() if is_so)
    if synthetic.balance is not None:
        return f"{synthetic.source}{how}, each class filled up to {synthetic.balance:,}"
    if isinstance(synthetic.dose, dict):
        parts = (f"{count:,} {label}" for label, count in synthetic.dose.items())
        return f"{synthetic.source}{how}, {', '.join(parts)}"
    return f"{synthetic.source}{how}, {synthetic.dose:,} per class"


def training_table(results: RunResults) -> Table | None:
    """Real + synthetic training images by class and arm, first finished fold; None when unknown."""
    columns: dict[str, dict[str, ImageCounts]] = {}
    for trial in results.trials:
        columns.setdefault(trial.arm, trial.record.train_counts)
    if not columns:
        return None

    def text(count: ImageCounts) -> str:
        return f"{count.real:,}" + (f" + {count.synthetic:,}" if count.synthetic else "")

    rows = (
        (label, *(text(counts[label]) for counts in columns.values()))
        for label in results.catalog.classes
    )
    caption = "Training images by class: real + synthetic, in the first finished fold."
    return Table(caption, ("Class", *columns), tuple(rows))


def split_table(results: RunResults) -> Table:
    """Images and lesions of each part of each fold."""
    lesions = results.catalog.table.set_index("image_id")["lesion_id"]
    rows = []
    for fold in results.folds:
        for name, ids in parts(fold).items():
            number_of_lesions = lesions.loc[list(ids)].nunique()
            rows.append((f"{fold.index}", name, f"{len(ids):,}", f"{number_of_lesions:,}"))
    caption = "Images and lesions in each part of each fold."
    return Table(caption, ("Fold", "Part", "images", "lesions"), tuple(rows), texts=2)


def cost_table(results: RunResults) -> Table:
    """Minutes and images shown by stage, all data sizes together."""
    points = (results, *results.reduced)
    rows = []
    stages: list[tuple[str, list[float], int]] = []
    for generator in results.experiment.generators:
        trained = (one for point in points for one in point.generators)
        ours = {one.folder: one.record for one in trained if one.family == generator.key}
        seconds = [one.seconds for one in ours.values()]
        stages.append((f"generator {generator.key}", seconds, generator.images))
    for classifier in results.experiment.classifiers:
        trials = (trial for point in points for trial in point.trials)
        mine = (trial.record.training for trial in trials if trial.model == classifier.key)
        seconds = [training.seconds for training in mine if training is not None]
        stages.append((f"classifier {classifier.key}", seconds, classifier.images))
    for name, seconds, images in stages:
        each = f"{np.mean(seconds) / 60:.1f}" if seconds else NONE
        total = f"{sum(seconds) / 60:.1f}" if seconds else NONE
        rows.append((name, str(len(seconds)), f"{images:,}", each, total))
    header = ("Stage", "trainings", "images shown each", "minutes each", "minutes in all")
    caption = "Time and cost. Every arm of a comparison is shown the same number of images."
    return Table(caption, header, tuple(rows))


def machine_table(results: RunResults) -> Table:
    """Machine, versions and command."""
    told = results.record.model_dump(exclude={"data", "machine", "versions"})
    pairs = [*told.items(), *results.record.machine, *results.record.versions.items()]
    rows = tuple((str(key).replace("_", " "), str(value)) for key, value in pairs if value)
    return Table("Machine and versions.", ("", ""), rows, texts=2)


def parts(fold: Fold) -> dict[str, tuple[str, ...]]:
    """Image ids of a fold by part."""
    return {"train": fold.train, "validation": fold.validation, "test": fold.test}


def classifier_words(classifier: ClassifierConfig) -> str:
    """Name of a classifier and what its weights start from."""
    if classifier.pretrained:
        return f"{classifier.key} (pre-trained)"
    return f"{classifier.key} ({'from a weight file' if classifier.weights else 'from scratch'})"
