"""Configuration of classifiers and generators and of their training."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dermaug.config.section import Section, Seed

Sampling = Literal["natural", "sqrt", "balanced"]
Shown = Annotated[int, Field(ge=1, le=10_000_000_000)]
Batch = Annotated[int, Field(ge=2, le=65_536)]
Rate = Annotated[float, Field(gt=0.0, le=10.0)]
Plain = bool | int | float | str
Times = Annotated[int, Field(ge=1, le=10_000)]


class ClassifierConfig(Section):
    """One classifier of the comparison: its network and how it is trained."""

    model: str = "fridadar"
    """`fridadar`, or the name of any timm model."""
    name: str = Field(default="", pattern=r"^([A-Za-z0-9][A-Za-z0-9_.+-]*)?$", max_length=60)
    """Name in folders and tables; empty takes the name of the model."""
    options: dict[str, Plain] = Field(default_factory=dict)
    """Further arguments of `timm.create_model`, for example `pad_type = "same"`."""
    pretrained: bool = False
    """Start from the weights of an installed package or, if none has them, of the model hub."""
    weights: str = ""
    """Start from a local `.safetensors` or `.pth` file with timm's key names, or from `package`:
    weights that are installed as a package (extra `imagenet`), and no others."""
    expect_missing: tuple[str, ...] = ()
    """Keys (`*` allowed) that the weight file may lack, besides the classification head."""
    images: Shown = 200_000
    """Length of training, in images shown; the same for every arm."""
    batch: Batch = 64
    """Images a step."""
    optimizer: Literal["adamw", "sgd"] = "adamw"
    """AdamW, or SGD with Nesterov momentum 0.9."""
    rate: Rate = 1e-3
    """Peak learning rate."""
    backbone_rate: float = Field(default=1.0, gt=0.0, le=1.0)
    """Factor on the learning rate of all layers before the head."""
    frozen_fraction: float = Field(default=0.0, ge=0.0, le=1.0)
    """Fraction of the training during which only the head is trained; 1 is a linear probe."""
    weight_decay: float = Field(default=1e-2, ge=0.0, le=10.0)
    """Decoupled for AdamW, L2 for SGD."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """Schedule of the learning rate."""
    warmup: float = Field(default=0.05, ge=0.0, lt=1.0)
    """Fraction of the training during which the learning rate rises linearly."""
    dropout: float | None = Field(default=None, ge=0.0, lt=1.0)
    """Dropout before the head; empty keeps the default of the model."""
    label_smoothing: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Label smoothing: fraction of the target that is spread over all classes."""
    sampling: Sampling = "natural"
    """How often a class is shown: by its frequency, by the square root of it, or equally."""
    ema: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Decay per step of the exponential moving average of the weights; 0 switches it off."""
    validations: Times = 10
    """Number of evenly spaced evaluations on validation, each with a checkpoint."""
    keep: Literal["last", "best"] = "last"
    """The weights that are kept: the last ones, or those of the evaluation with the best balanced
    accuracy on validation, which selects noise if validation has few lesions of a class."""
    views: int = Field(default=1, ge=1, le=8)
    """Number of orientations of an image (flips and quarter turns) over which the trained network
    averages its probabilities; 8 are all. Evaluations during training use one."""

    members: int = Field(default=1, ge=1, le=20)
    """Number of networks that are trained at the same time on the same images, each from initial
    weights of its own, and whose probabilities are averaged (a deep ensemble; Lakshminarayanan et
    al. 2017, arXiv:1612.01474). A step takes as many times as long."""

    @model_validator(mode="after")
    def _one_start(self) -> Self:
        if self.pretrained and self.weights:
            raise ValueError("pretrained = true and weights exclude each other; give only one")
        return self

    @property
    def key(self) -> str:
        """Name in folders and tables."""
        return self.name or self.model


class GeneratorConfig(Section):
    """One generator family and its training, on the training lesions of a fold only."""

    family: str = "dcgan"
    """Key of `dermaug.generators.FAMILIES`."""
    name: str = Field(default="", pattern=r"^([A-Za-z0-9][A-Za-z0-9_.+-]*)?$", max_length=60)
    """Name in folders, tables and arms; empty takes the name of the family."""
    options: dict[str, Plain | tuple[Plain, ...] | dict[str, Plain]] = Field(default_factory=dict)
    """Settings of the family, for example `kernel = 5`; see its `Options`."""
    classes: tuple[str, ...] = ()
    """Labels to synthesise; empty means all."""
    images: Shown = 40_000
    """Length of training of each network, in real images shown."""
    batch: Batch = 64
    """Real images per step."""
    width: int = Field(default=48, ge=4, le=4_096)
    """Channels of the layer nearest the image."""
    latent: int = Field(default=100, ge=1, le=65_536)
    """Dimensions of the latent."""
    rate: Rate = 2e-4
    """Adam's learning rate."""
    sampling: Sampling = "sqrt"
    """How often a class is shown to a conditional network."""
    augment: bool = True
    """Show each real image in one of its eight flips and quarter turns."""
    ema: float = Field(default=0.995, ge=0.0, lt=1.0)
    """Decay per step of the exponential moving average of the generator; 0 switches it off."""
    seeds: tuple[Seed, ...] = Field(default=(0,), min_length=1, max_length=1_000)
    """Generator seeds; the classifier seeds cycle through them."""
    snapshots: Times = 8
    """Number of evenly spaced snapshots, each with a sample grid and a checkpoint."""

    keep: Literal["best", "last"] = "best"
    """The snapshot from which images are drawn: the best one by KID to validation, or the last."""
    examined: int = Field(default=128, ge=0, le=100_000)
    """Number of generated images per class with which the health of every snapshot is measured, to
    stop a training that collapses, overfits or copies; 0 measures nothing and keeps the last one.
    """

    @property
    def key(self) -> str:
        """Name in folders, tables and arms."""
        return self.name or self.family
