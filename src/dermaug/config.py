"""The experiment file as one tree of frozen pydantic models; imports no torch."""

from typing import Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

Fraction = Field(gt=0.0, lt=1.0)
Policy = Literal["none", "fridadar", "standard"]
Name = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$", max_length=60)


class Section(BaseModel):
    """Base of every table of the experiment file: immutable; a misspelt key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class PhantomConfig(Section):
    """Phantom lesions, drawn on first use when `data.source` is `phantom`."""

    number: PositiveInt = 2_000
    """Number of images."""
    seed: NonNegativeInt = 0
    """Seed of the drawing."""
    balanced: bool = False
    """Equal classes instead of HAM10000's prevalences."""


class DataConfig(Section):
    """Which images, which classes, and what square of each the models see."""

    source: str = "phantom"
    """`phantom`, or the path of a data set that `dermaug.data.sources.open_catalog` recognises."""
    size: int = Field(default=64, ge=16, le=1024)
    """Side of the square that models see, in pixels."""
    crop: Literal["centre", "lesion"] = "centre"
    """`centre`: the centred square of the short side. `lesion`: the lesion's box from its
    segmentation, with a margin."""
    margin: float = Field(default=0.25, ge=0.0, le=2.0)
    """Skin kept on each side of the lesion's box, as a fraction of the box's longer side."""
    classes: tuple[str, ...] = ()
    """Labels to keep; empty keeps all."""
    groups: dict[str, tuple[str, ...]] = {}
    """New label -> labels merged into it, for example `malignant = ["mel", "bcc", "akiec"]`."""
    limit: NonNegativeInt = 0
    """At most this many lesions a class, chosen by seed; 0 keeps all."""
    on_bad: Literal["stop", "skip"] = "stop"
    """What to do with files that cannot be decoded: stop with the list, or skip and count them."""
    phantom: PhantomConfig = PhantomConfig()


class SplitConfig(Section):
    """How lesions are parted; a lesion never occurs in two parts of a fold."""

    folds: int = Field(default=5, ge=2, le=50)
    """Number of cross-validation folds; each is the test part once."""
    run: tuple[NonNegativeInt, ...] = ()
    """Folds that are run, for example `[0]`; empty runs all."""
    holdout: float | None = Field(default=None, gt=0.0, lt=1.0)
    """Instead of folds: one fixed test part of this fraction of the lesions."""
    validation: float = Field(default=0.15, gt=0.0, lt=1.0)
    """Fraction of the lesions outside the test part that validation gets."""
    seed: NonNegativeInt = 0
    """Seed of the parting."""

    @model_validator(mode="after")
    def _folds_exist(self) -> Self:
        number = 1 if self.holdout is not None else self.folds
        if outside := [index for index in self.run if index >= number]:
            raise ValueError(f"run names fold {outside[0]}; there are {number}, counted from 0")
        return self

    @property
    def indices(self) -> tuple[int, ...]:
        """Indices of the folds that are run."""
        return self.run or tuple(range(1 if self.holdout is not None else self.folds))


class ClassifierConfig(Section):
    """One classifier of the comparison: its network and how it is trained."""

    model: str = "fridadar"
    """`fridadar`, or the name of any timm model."""
    name: str = ""
    """Name in folders and tables; empty takes the model's."""
    options: dict[str, bool | int | float | str] = {}
    """Further arguments of `timm.create_model`, for example `pad_type = "same"`."""
    pretrained: bool = False
    """Start from the model hub's weights."""
    weights: str = ""
    """Start from a local `.safetensors` or `.pth` file with timm's key names."""
    expect_missing: tuple[str, ...] = ()
    """Keys (`*` allowed) that the weight file may lack, besides the classifying head."""
    images: PositiveInt = 200_000
    """Length of training, in images shown; the same for every arm."""
    batch: int = Field(default=64, ge=2)
    """Images a step."""
    optimizer: Literal["adamw", "sgd"] = "adamw"
    """AdamW, or SGD with Nesterov momentum 0.9."""
    rate: PositiveFloat = 1e-3
    """Peak learning rate."""
    backbone_rate: float = Field(default=1.0, gt=0.0, le=1.0)
    """Factor on the learning rate of all layers before the head."""
    frozen_fraction: float = Field(default=0.0, ge=0.0, le=1.0)
    """Fraction of the training during which only the head learns; 1 is a linear probe."""
    weight_decay: NonNegativeFloat = 1e-2
    """Decoupled for AdamW, L2 for SGD."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """Learning rate over the training."""
    warmup: float = Field(default=0.05, ge=0.0, lt=1.0)
    """Fraction of the training during which the rate rises linearly."""
    dropout: float | None = Field(default=None, ge=0.0, lt=1.0)
    """Dropout before the head; empty keeps the model's own."""
    label_smoothing: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Share of the target that is spread over all classes."""
    sampling: Literal["natural", "sqrt", "balanced"] = "natural"
    """How often a class is shown: as it occurs, by the square root of that, or equally."""
    ema: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Exponential moving average of the weights a step, validated and kept; 0 is off."""
    validations: PositiveInt = 10
    """How many times, evenly spaced, validation looks for the best checkpoint."""

    @model_validator(mode="after")
    def _one_start(self) -> Self:
        if self.pretrained and self.weights:
            raise ValueError("pretrained = true and weights contradict each other; give one")
        return self

    @property
    def key(self) -> str:
        """Name in folders and tables."""
        return self.name or self.model


class GeneratorConfig(Section):
    """One generator family and how it is trained, on the training lesions of a fold only."""

    family: str = "dcgan"
    """Key of `dermaug.generators.FAMILIES`."""
    classes: tuple[str, ...] = ()
    """Labels to synthesise; empty is all."""
    images: PositiveInt = 40_000
    """Length of training of each network, in real images shown."""
    batch: int = Field(default=64, ge=2)
    """Real images a step."""
    width: int = Field(default=48, ge=4)
    """Channels of the layer nearest the image."""
    kernel: Literal[4, 5] = 4
    """Side of the (transposed) convolutions; Radford used 5 by name, 4 in code."""
    latent: PositiveInt = 100
    """Dimensions of the uniform latent."""
    rate: PositiveFloat = 2e-4
    """Adam's learning rate."""
    beta1: float = Field(default=0.5, ge=0.0, lt=1.0)
    """Adam's first moment."""
    augment: bool = True
    """Show each real image in one of its eight flips and quarter turns."""
    ema: float = Field(default=0.995, ge=0.0, lt=1.0)
    """Exponential moving average of the generator a step; 0 samples the raw weights."""
    seeds: tuple[NonNegativeInt, ...] = Field(default=(0,), min_length=1)
    """Generator seeds; each classifier seed takes them in turn."""
    snapshots: PositiveInt = 8
    """How many sample grids are drawn and checkpoints saved, evenly spaced."""


class SyntheticConfig(Section):
    """The dose of a synthetic arm: exactly one of `dose` and `balance`."""

    family: str = "dcgan"
    """Which of the experiment's generators."""
    dose: dict[str, NonNegativeInt] | NonNegativeInt | None = None
    """Images added to each class, or to each class that is named."""
    balance: PositiveInt | None = None
    """Fill each synthesised class up to this number of images."""

    @model_validator(mode="after")
    def _one_dose(self) -> Self:
        if (self.dose is None) == (self.balance is None):
            raise ValueError("expected exactly one of dose and balance")
        return self


class ArmConfig(Section):
    """What the training set is made of."""

    name: str = Name
    """Name in folders and tables."""
    policy: Policy = "none"
    """Classic augmentation of every batch."""
    synthetic: SyntheticConfig | None = None
    """Synthetic images added to the real ones."""


class Experiment(Section):
    """One study: the whole of an experiment file."""

    name: str = Name
    """Name of the study and of its folder under `runs/`."""
    question: str = "Do synthetic images improve the classifier?"
    """What the study asks; the report begins with it."""
    data: DataConfig = DataConfig()
    splits: SplitConfig = SplitConfig()
    seeds: tuple[NonNegativeInt, ...] = Field(default=(0,), min_length=1)
    """Classifier seeds; every cell is trained once for each."""
    classifiers: tuple[ClassifierConfig, ...] = Field(default=(ClassifierConfig(),), min_length=1)
    generators: tuple[GeneratorConfig, ...] = ()
    arms: tuple[ArmConfig, ...] = Field(min_length=1)
    """The first arm is the reference that the others are compared with."""

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        for what, names in (
            ("arm", [arm.name for arm in self.arms]),
            ("classifier", [classifier.key for classifier in self.classifiers]),
            ("generator", [generator.family for generator in self.generators]),
        ):
            if doubles := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"two {what}s are named {doubles[0]!r}; give each its own name")
        families = [generator.family for generator in self.generators]
        for arm in self.arms:
            if arm.synthetic is not None and arm.synthetic.family not in families:
                raise ValueError(
                    f"arm {arm.name!r} needs generator {arm.synthetic.family!r}; "
                    f"[[generators]] has {families or 'none'}"
                )
        return self
