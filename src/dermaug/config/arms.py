"""Arms: the training set of a classifier and how it is shown."""

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dermaug.config.curation import CurationConfig
from dermaug.config.networks import Sampling
from dermaug.config.provenance import ProvenanceConfig
from dermaug.config.section import MOST_IMAGES, Images, Name, Section
from dermaug.config.translation import Translation

Policy = Literal["none", "fridadar", "standard", "trivial", "mixup", "cutmix"]
_POLICIES: dict[Policy, str] = {
    "none": "no augmentation",
    "fridadar": "augmentation of Frid-Adar et al.",
    "standard": "standard augmentation",
    "trivial": "TrivialAugment",
    "mixup": "mixup",
    "cutmix": "cutmix",
}
BLENDS = ("mixup", "cutmix")
"""Policies that blend two images of a batch."""
Loss = Literal["plain", "weighted", "adjusted", "adjusted_by_source"]
LOSSES: dict[Loss, str] = {
    "weighted": "weighted loss",
    "adjusted": "logit adjustment",
    "adjusted_by_source": "logit adjustment by source",
}
"""Losses other than plain cross-entropy, in words."""
SAMPLINGS: dict[Sampling, str] = {
    "natural": "natural sampling",
    "sqrt": "square-root sampling",
    "balanced": "class-balanced sampling",
}
"""How often classes are shown, in words."""
REPLAY = "replay"
ORACLE = "oracle"
FOLDER = "folder"
CONTROLS = (
    REPLAY,
    ORACLE,
)
"""Sources of a dose that are not synthetic images: these get no replay beside them, no limit by
`max_per_real`, and no curation. Each has its filler in `dermaug.experiment.stages.fillers`."""
Balance = Annotated[int, Field(ge=1, le=MOST_IMAGES)]
Doses = Annotated[tuple[Images, ...], Field(min_length=1, max_length=100)]
Balances = Annotated[tuple[Balance, ...], Field(min_length=1, max_length=100)]


class SyntheticConfig(Section):
    """The dose of an arm: its source, and exactly one of `dose` and `balance`."""

    family: str = ""
    """Name of one of the experiment's generators, by default dcgan; `replay`: real training images
    drawn again; `oracle`: new phantoms, if the data are phantoms."""
    folder: str = ""
    """Instead of a family: images made by other tools, in any layout of data sets."""
    provenance: ProvenanceConfig | None = None
    """Where the images of a folder come from, as you declare it, for example `{ tool = "StyleGAN3",
    trained_on = "training split", licence = "CC BY 4.0" }`; empty is unknown."""
    classes: tuple[str, ...] = ()
    """Classes that receive the dose; empty means all that the generator synthesises."""
    dose: dict[str, Images] | Images | Doses | None = None
    """Number of images added to each class, or to each named class. A list is a dose curve, with
    one arm per dose; the dose to be judged is selected on validation."""
    balance: Balance | Balances | None = None
    """Fill each class up to this number of images. A list is a dose curve, as in `dose`."""
    only: bool = False
    """Train on the dose alone, without the real images."""
    share: float | None = Field(default=None, gt=0.0, lt=1.0)
    """Fraction of the images shown that come from the dose, whatever its size; if empty, the dose
    and the real images are shown as one set."""
    first: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Fraction of the training that shows only the dose, before the rest shows only real images
    (pretraining on the dose, then fine-tuning). 0 mixes them."""
    max_per_real: float = Field(default=1.0, ge=0.0, le=1e6)
    """Largest number of generated images of a class shown per real image (fixed variants count as
    real); 0 sets no limit. If dose and real images form one set, the dose is reduced to the limit.
    With `share`, the excess goes to the real images of the class. With `first`, an arm above the
    limit is refused. A dose alone (`only`) and doses of real images have no limit; a replay follows
    its arm."""
    start: float | None = Field(default=None, gt=0.0, lt=1.0)
    """Draw each image from a real training image instead of from noise, beginning at this time on
    the path from noise (0) to image (1); for the family flow (SDEdit, arXiv:2108.01073)."""
    start_class: str = ""
    """With `start`, the class of these training images, for example nv; empty takes for each class
    its own."""
    curation: CurationConfig | None = None
    """Selection among the generated images; empty takes them in the order of drawing."""
    labels: Literal["asked", "judged"] = "asked"
    """Targets of the dose: the class for which each image was drawn, or the probabilities of the
    reference classifier that curation uses as well (soft labels; Hinton et al. 2015,
    arXiv:1503.02531)."""

    @model_validator(mode="after")
    def _one_dose(self) -> Self:
        if (self.dose is None) == (self.balance is None):
            raise ValueError("expected exactly one of dose and balance")
        if isinstance(self.dose, dict) and (self.classes or not self.dose):
            raise ValueError(
                "a dose per class needs at least one class, and no separate list classes"
            )
        numbers = self.dose.values() if isinstance(self.dose, dict) else self.dose
        if numbers == 0 or (isinstance(numbers, Iterable) and not any(numbers)):
            raise ValueError("a dose of 0 adds no image; give a number, or leave synthetic out")
        if self.folder and self.family:
            raise ValueError("folder and family exclude each other; give only one")
        if self.provenance and not self.folder:
            raise ValueError("provenance is declared of a folder; that of a family is known")
        ways = {"only": self.only, "share": self.share is not None, "first": self.first > 0.0}
        if len(chosen := [key for key, is_set in ways.items() if is_set]) > 1:
            raise ValueError(f"{' and '.join(chosen)} exclude each other; give only one")
        if self.curation and self.source in (*CONTROLS, FOLDER):
            raise ValueError(f"curation selects among generated images; {self.source} has none")
        return self

    @model_validator(mode="after")
    def _translated_by_a_generator(self) -> Self:
        if self.start_class and self.start is None:
            raise ValueError("start_class needs start, a time between 0 and 1, for example 0.5")
        if self.start is not None and self.source in (*CONTROLS, FOLDER):
            raise ValueError(
                f"start is a time on the path of a generator from noise to image; {self.source} "
                "has none; remove start, or name a generator of the family flow"
            )
        return self

    @property
    def translation(self) -> Translation | None:
        """How its images are drawn from training images; None draws them from noise."""
        if self.start is None:
            return None
        return Translation(start=self.start, start_class=self.start_class)

    @property
    def needs_reference(self) -> bool:
        """Whether a reference classifier must assess the dose before training."""
        return self.curation is not None or self.labels == "judged"

    @property
    def needs_band(self) -> bool:
        """Whether reference classifiers on halves are needed, for the band of a curation."""
        return self.curation is not None and bool(self.curation.band)

    @property
    def source(self) -> str:
        """Source of the images: the name of a generator, replay, oracle or folder."""
        return FOLDER if self.folder else self.family or "dcgan"


class ArmConfig(Section):
    """One arm: its training set and how it is shown."""

    name: str = Name
    """Name in folders and tables."""
    policy: Policy = "none"
    """Classic augmentation of every batch."""
    loss: Loss = "plain"
    """`plain`: cross-entropy; `weighted`: each class by the inverse of its share of the training
    set; `adjusted`: each logit raised by the logarithm of its class's share of what is shown (logit
    adjustment; Menon et al. 2021, arXiv:2007.07314); `adjusted_by_source`: the same with the shares
    among the real images for real images and those among the dose for its images, so that a network
    that can tell the two apart learns nothing from it about the classes."""
    sampling: Sampling | None = None
    """How often a class is shown; empty takes the setting of the classifier."""
    variants: Images = 0
    """Number of fixed variants added to each class (the classic doses of Frid-Adar et al.): real
    training images, each rotated, flipped, shifted and scaled once."""
    half: bool = False
    """Train on half of the lesions of each class (of the patients, if these are kept together), the
    same half for every arm and seed. The effect of the other half shows what further real lesions
    are worth."""
    synthetic: SyntheticConfig | None = None
    """The dose added to the real images."""
    discriminator: str = ""
    """Use the discriminator of this generator as the classifier, without further training; for
    families whose discriminator predicts classes (acgan). Excludes all other keys."""
    replay: bool = True
    """Whether a synthetic arm has a replay control, with its dose drawn again from real images."""
    against: tuple[str, ...] = Field(default=(), max_length=20)
    """Names of further arms with which this one is compared and judged, besides its baseline."""

    @model_validator(mode="after")
    def _discriminator_alone(self) -> Self:
        given = self.model_fields_set - {"name", "discriminator"}
        changed = [
            key
            for key in type(self).model_fields
            if key in given and getattr(self, key) != type(self).model_fields[key].default
        ]
        if self.discriminator and changed:
            raise ValueError(
                f"discriminator and {', '.join(changed)} exclude each other: the discriminator of "
                f"{self.discriminator!r} is trained with its generator; remove discriminator or "
                "the other keys"
            )
        return self

    @model_validator(mode="after")
    def _half_alone(self) -> Self:
        if self.half and self.synthetic:
            raise ValueError(
                "half and synthetic exclude each other: half measures what real lesions are worth, "
                "but generators are trained on all of them; remove one"
            )
        return self

    @model_validator(mode="after")
    def _dose_alone(self) -> Self:
        if self.variants and self.synthetic and self.synthetic.only:
            raise ValueError(
                "variants and synthetic.only exclude each other: variants are real images; remove "
                "one"
            )
        return self

    @model_validator(mode="after")
    def _one_mix(self) -> Self:
        if self.loss.startswith("adjusted") and self.synthetic and self.synthetic.first:
            raise ValueError(
                f"loss = {self.loss!r} and synthetic.first exclude each other: the adjustment "
                "assumes one class distribution, but first shows two; remove one"
            )
        return self

    @model_validator(mode="after")
    def _two_sources(self) -> Self:
        if self.loss != "adjusted_by_source":
            return self
        if self.synthetic is None or self.synthetic.only:
            raise ValueError(
                "loss = 'adjusted_by_source' needs real images and a dose, but this arm has images "
                "of one source; use loss = 'adjusted', which is the same for one source"
            )
        if self.policy in BLENDS:
            raise ValueError(
                f"loss = 'adjusted_by_source' and policy = {self.policy!r} exclude each other: a "
                "blend of two images has no single source; choose another policy"
            )
        return self

    @property
    def generator(self) -> str:
        """Source of its dose or of its discriminator; empty without either."""
        return self.discriminator or (self.synthetic.source if self.synthetic else "")

    @property
    def treatment(self) -> str:
        """How its images are shown, in words: augmentation, and what differs from the default.

        Example:
            >>> ArmConfig(name="balanced", policy="standard", sampling="balanced").treatment
            'standard augmentation, class-balanced sampling'
        """
        words = [_POLICIES[self.policy]]
        words += [LOSSES[self.loss]] if self.loss in LOSSES else []
        words += [SAMPLINGS[self.sampling]] if self.sampling else []
        words += [f"{self.variants:,} fixed variants per class"] if self.variants else []
        words += ["half of the lesions"] if self.half else []
        return ", ".join(words)

    @property
    def is_synthetic(self) -> bool:
        """Whether its dose consists of generated images rather than real ones."""
        return self.synthetic is not None and self.synthetic.source not in CONTROLS

    @property
    def dose_fraction(self) -> float | None:
        """Fraction of the images shown that come from the dose; None if all form one set."""
        return (self.synthetic.first or self.synthetic.share) if self.synthetic else None
