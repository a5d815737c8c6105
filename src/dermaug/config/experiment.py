"""The experiment file as a tree of frozen pydantic models."""

from itertools import product
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from dermaug.config.arms import CONTROLS, FOLDER, ArmConfig
from dermaug.config.data import DataConfig, SplitConfig
from dermaug.config.expansion import Arm, expand_arms, shorter_reference
from dermaug.config.networks import ClassifierConfig, GeneratorConfig
from dermaug.config.section import Name, Section, Seed

Margin = Annotated[float, Field(gt=0.0, le=1.0)]
Share = Annotated[float, Field(gt=0.0, lt=1.0)]


class Margins(Section):
    """Largest differences that do not matter, of the metrics over all classes."""

    balanced_accuracy: Margin = 0.02
    """Margin of mean sensitivity, prior-adjusted."""
    macro_auc: Margin = 0.01
    """Margin of macro AUC."""


class MarginConfig(Margins):
    """Largest differences that do not matter, fixed before the run, for tests of equivalence."""

    sensitivity: Margin | None = None
    """Margin of single classes, prior-adjusted; if empty, they are not tested for equivalence."""


class PrevalenceConfig(Section):
    """Shares among the lesions that are examined in practice, at which predictive values are given.

    They are assumptions, not properties of the data.
    """

    malignant: Share = 0.05
    """Share of malignant or pre-malignant lesions (mel, bcc, akiec)."""
    mel: Share = 0.02
    """Share of melanoma."""


class VerdictConfig(Section):
    """Metric and margins of the verdicts, and the prevalence of predictive values."""

    primary: Literal["balanced_accuracy", "macro_auc"] = "balanced_accuracy"
    """Primary metric, reported in the answer and used to select the dose of a curve on
    validation: mean sensitivity, prior-adjusted, or macro AUC. Both are judged."""
    margin: MarginConfig = MarginConfig()
    prevalence: PrevalenceConfig = PrevalenceConfig()


class Experiment(Section):
    """One study: the whole experiment file."""

    model_config = ConfigDict(serialize_by_alias=True)

    name: str = Name
    """Name of the study and of its folder under `runs/`."""
    question: str = Field(default="Do synthetic images improve the classifier?", max_length=2_000)
    """The question of the study, with which the report begins."""
    data: DataConfig = DataConfig()
    splits: SplitConfig = SplitConfig()
    verdict: VerdictConfig = VerdictConfig()
    seeds: tuple[Seed, ...] = Field(default=(0,), min_length=1, max_length=1_000)
    """Classifier seeds; each arm, classifier and fold is trained once per seed."""
    check_convergence: bool = False
    """Also train the first arm without synthetic images for half as long, with every classifier.
    The difference to the full length shows whether the baseline has converged."""
    classifiers: tuple[ClassifierConfig, ...] = Field(
        default=(ClassifierConfig(),), min_length=1, max_length=100
    )
    generators: tuple[GeneratorConfig, ...] = Field(default=(), max_length=100)
    named_arms: tuple[ArmConfig, ...] = Field(min_length=1, max_length=1_000, alias="arms")
    """The first arm is the reference for the others. Points of dose curves, replay controls and a
    shorter reference are added to the arms of the file."""

    @property
    def arms(self) -> tuple[Arm, ...]:
        """All arms that are trained, including those that dermaug adds."""
        arms = tuple(expand_arms(self.named_arms, self.generators))
        return (*arms, shorter_reference(arms)) if self.check_convergence else arms

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        for what, names in (
            ("arm", [arm.name for arm in self.arms]),
            ("classifier", [classifier.key for classifier in self.classifiers]),
            ("generator", [generator.key for generator in self.generators]),
        ):
            seen: dict[str, str] = {}
            for name in names:
                if (other := seen.setdefault(name.lower(), name)) != name:
                    raise ValueError(
                        f"{what}s {other!r} and {name!r} differ in capitals only, which some file "
                        "systems do not tell apart; rename one"
                    )
            if doubles := sorted({name for name in names if names.count(name) > 1}):
                given = [arm.name for arm in self.named_arms]
                added = what == "arm" and given.count(doubles[0]) < 2
                why = " (dermaug adds replays, doses and a shorter reference)" if added else ""
                raise ValueError(
                    f"two {what}s are named {doubles[0]!r}{why}; give each its own name"
                )
        names = [generator.key for generator in self.generators]
        for arm in self.arms:
            known = names if arm.discriminator else [*names, *CONTROLS, FOLDER, ""]
            if arm.generator not in known:
                raise ValueError(
                    f"arm {arm.name!r} needs generator {arm.generator!r}; "
                    f"[[generators]] has {names or 'none'}, and a dose can also be of "
                    f"{', '.join((*CONTROLS, FOLDER))}"
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

    @model_validator(mode="after")
    def _folder_is_of_one_fold(self) -> Self:
        for arm in self.arms:
            declared = arm.synthetic.provenance if arm.synthetic else None
            several = len(self.splits.indices) > 1
            if several and declared and declared.trained_on == "training split":
                raise ValueError(
                    f"arm {arm.name!r}: one folder cannot be drawn from the training splits of "
                    f"{len(self.splits.indices)} folds, since each tests what others train on; run "
                    "one fold (splits.run = [0]), or declare trained_on = 'unknown'"
                )
        return self

    @property
    def compared_arms(self) -> tuple[Arm, ...]:
        """The arms except those that only measure convergence."""
        return tuple(arm for arm in self.arms if not arm.convergence_of)

    @property
    def reference(self) -> Arm | None:
        """The arm of the reference classifiers: the first one without synthetic images."""
        return next((arm for arm in self.arms if arm.is_reference), None)

    def reference_seed(self, seed: int) -> int:
        """Seed of the reference classifier of a trial: the next seed, cyclically."""
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
            ("splits.lesions", self.splits.lesions),
            ("data.external_test", self.data.external_test),
            *((f"generators.{i}.seeds", each.seeds) for i, each in enumerate(self.generators)),
            *((f"generators.{i}.classes", each.classes) for i, each in enumerate(self.generators)),
        ):
            if len(set(values)) < len(values):
                raise ValueError(f"{what} has duplicates; repeats are not independent evidence")
        return self
