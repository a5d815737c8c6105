"""The experiment file as one tree of frozen pydantic models."""

from itertools import product
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from dermaug.config.arms import CONTROLS, FOLDER, ArmConfig
from dermaug.config.data import DataConfig, SplitConfig
from dermaug.config.expansion import Arm, expand_arms, shorter_reference
from dermaug.config.networks import ClassifierConfig, GeneratorConfig
from dermaug.config.section import Name, Section, Seed

Margin = Annotated[float, Field(gt=0.0, le=1.0)]


class MarginConfig(Section):
    """Differences too small to matter, fixed before the run: what `equivalent` means."""

    balanced_accuracy: Margin = 0.02
    """Of mean sensitivity, prior-adjusted."""
    macro_auc: Margin = 0.01
    """Of the mean area under the ROC curve."""
    sensitivity: Margin | None = None
    """Of single classes, prior-adjusted; empty: single classes are never called equivalent."""


class VerdictConfig(Section):
    """What the verdict is about."""

    primary: Literal["balanced_accuracy", "macro_auc"] = "balanced_accuracy"
    """The metric that the short answer gives and that picks the dose of a curve on validation:
    mean sensitivity, prior-adjusted, or the mean area under the ROC curve. Both are judged."""
    margin: MarginConfig = MarginConfig()


class Experiment(Section):
    """One study: the whole of an experiment file."""

    model_config = ConfigDict(serialize_by_alias=True)

    name: str = Name
    """Name of the study and of its folder under `runs/`."""
    question: str = "Do synthetic images improve the classifier?"
    """What the study asks; the report begins with it."""
    data: DataConfig = DataConfig()
    splits: SplitConfig = SplitConfig()
    verdict: VerdictConfig = VerdictConfig()
    seeds: tuple[Seed, ...] = Field(default=(0,), min_length=1, max_length=1_000)
    """Classifier seeds; every trial is trained once for each."""
    check_convergence: bool = False
    """Train the first arm without synthetic images once more at half of its length, with every
    classifier: whether the full length still gains tells whether the baseline has converged."""
    classifiers: tuple[ClassifierConfig, ...] = Field(default=(ClassifierConfig(),), min_length=1)
    generators: tuple[GeneratorConfig, ...] = ()
    named_arms: tuple[ArmConfig, ...] = Field(min_length=1, alias="arms")
    """The first arm is the reference that the others are compared with. Points of dose curves,
    replay controls and a shorter reference are added to those that the file names."""

    @property
    def arms(self) -> tuple[Arm, ...]:
        """All arms that are trained, those that dermaug adds included."""
        arms = tuple(expand_arms(self.named_arms, self.generators))
        return (*arms, shorter_reference(arms)) if self.check_convergence else arms

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        for what, names in (
            ("arm", [arm.name for arm in self.arms]),
            ("classifier", [classifier.key for classifier in self.classifiers]),
            ("generator", [generator.key for generator in self.generators]),
        ):
            if doubles := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"two {what}s are named {doubles[0]!r}; give each its own name")
        names = [generator.key for generator in self.generators]
        for arm in self.arms:
            known = names if arm.discriminator else [*names, *CONTROLS, FOLDER, ""]
            if arm.generator not in known:
                raise ValueError(
                    f"arm {arm.name!r} needs generator {arm.generator!r}; "
                    f"[[generators]] has {names or 'none'}"
                )
        return self

    @model_validator(mode="after")
    def _references_exist(self) -> Self:
        names = [arm.name for arm in self.compared_arms]
        for arm in self.arms:
            for other in arm.against:
                if other not in names or other == arm.name:
                    there = [name for name in names if name != arm.name]
                    raise ValueError(
                        f"arm {arm.name!r}: against expects names of other arms, found {other!r}; "
                        f"there are {there}"
                    )
            if len(set(arm.against)) < len(arm.against):
                raise ValueError(f"arm {arm.name!r}: against names an arm twice")
        return self

    @property
    def compared_arms(self) -> tuple[Arm, ...]:
        """The arms without those that only measure convergence."""
        return tuple(arm for arm in self.arms if not arm.convergence_of)

    @property
    def reference(self) -> Arm | None:
        """The arm whose classifiers look at generated images: the first without any."""
        return next((arm for arm in self.arms if arm.is_reference), None)

    def reference_seed(self, seed: int) -> int:
        """Seed of the reference classifier of a trial: the next one, after the last the first."""
        return self.seeds[(self.seeds.index(seed) + 1) % len(self.seeds)]

    @model_validator(mode="after")
    def _reference_is_another_seed(self) -> Self:
        asking = [arm for arm in self.arms if arm.synthetic and arm.synthetic.needs_reference]
        if asking and len(self.seeds) < 2:
            raise ValueError(
                f"arm {asking[0].name!r} uses curation or judged labels, which need a classifier "
                f"of another seed; expected at least two seeds, found {list(self.seeds)}"
            )
        return self

    @model_validator(mode="after")
    def _reference_stands_first(self) -> Self:
        for arm in self.arms:
            if arm == self.reference:
                break
            if arm.synthetic and arm.synthetic.needs_reference:
                raise ValueError(
                    f"arm {arm.name!r} uses curation or judged labels; put an arm without "
                    "synthetic images, which provides the reference classifier, before it"
                )
        return self

    @model_validator(mode="after")
    def _corrected_once(self) -> Self:
        weighted = [arm for arm in self.arms if arm.loss == "weighted"]
        for arm, config in product(weighted, self.classifiers):
            sampling = arm.sampling or config.sampling
            if sampling != "natural":
                whose = "of the arm" if arm.sampling else f"of classifier {config.key!r}"
                raise ValueError(
                    f"arm {arm.name!r}: loss = 'weighted' and sampling = {sampling!r} ({whose}) "
                    "exclude each other: both compensate for class imbalance, which would be done "
                    "twice; remove one, or use loss = 'adjusted', which can be combined with any "
                    "sampling"
                )
        return self

    @model_validator(mode="after")
    def _nothing_twice(self) -> Self:
        for what, values in (
            ("seeds", self.seeds),
            ("splits.run", self.splits.run),
            ("data.external_test", self.data.external_test),
            *((f"generators.{i}.seeds", each.seeds) for i, each in enumerate(self.generators)),
            *((f"generators.{i}.classes", each.classes) for i, each in enumerate(self.generators)),
        ):
            if len(set(values)) < len(values):
                raise ValueError(f"{what} has duplicates; repeats are not independent evidence")
        return self
