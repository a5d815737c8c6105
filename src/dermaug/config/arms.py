"""What the training set of an arm is made of."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dermaug.config.networks import Sampling
from dermaug.config.section import MOST_IMAGES, Images, Name, Section

Policy = Literal["none", "fridadar", "standard", "trivial", "mixup", "cutmix"]
REPLAY = "replay"
ORACLE = "oracle"
FOLDER = "folder"
CONTROLS = (
    REPLAY,
    ORACLE,
)
"""Fillers of a dose that are not synthetic images."""
Balance = Annotated[int, Field(ge=1, le=MOST_IMAGES)]
Doses = Annotated[tuple[Images, ...], Field(min_length=1)]
Balances = Annotated[tuple[Balance, ...], Field(min_length=1)]
Quantile = Annotated[float, Field(ge=0.0, le=1.0)]


class CurationConfig(Section):
    """Which generated images an arm takes; all switches are off by default.

    A reference classifier looks at them: that of the first arm without synthetic images, of the
    same model and fold, but of the next seed, so that no network is taught by its own twin. What it
    gives to a class is compared prior-adjusted: p / q, renormalised, q being the share of the class
    that its loss saw.
    """

    drop_copies: bool = False
    """Leave out images that are nearer to a training image than unrelated lesions come."""
    drop_duplicates: bool = False
    """Leave out images that nearly repeat an earlier one."""
    confidence: float = Field(default=0.0, ge=0.0, le=1.0)
    """Least probability that the reference classifier gives to the image's own class."""
    band: tuple[Quantile, ...] = ()
    """Lower and upper quantile, for example [0.1, 0.9], of the probability that real training
    images get for their own class from networks that did not train on them: two more networks of
    the reference arm, one on each half of the lesions. Generated images whose probability, the mean
    of the two, lies outside are left out: too hard and too easy ones. Empty is off."""
    pool: float = Field(default=2.0, ge=1.0, le=100.0)
    """Images drawn for each one that is wanted."""

    @model_validator(mode="after")
    def _band_has_two_ends(self) -> Self:
        if self.band and not (len(self.band) == 2 and self.band[0] < self.band[1]):
            raise ValueError(
                "band: expected two quantiles in increasing order, for example [0.1, 0.9]; found "
                f"{list(self.band)}"
            )
        return self


class SyntheticConfig(Section):
    """The dose of an arm: where it comes from, and exactly one of `dose` and `balance`."""

    family: str = ""
    """Name of one of the experiment's generators, dcgan when nothing is given; `replay`: real
    training images once more; `oracle`: fresh phantoms, where the data are phantoms."""
    folder: str = ""
    """Instead of a family: images made elsewhere, in any layout that data sets may have."""
    classes: tuple[str, ...] = ()
    """Classes that get the dose; empty is all that the generator synthesises."""
    dose: dict[str, Images] | Images | Doses | None = None
    """Images added to each class, or to each class that is named. A list is a dose curve: one arm
    for each of its doses; validation picks the one that is judged."""
    balance: Balance | Balances | None = None
    """Fill each class up to this number of images. A list is a dose curve, as for `dose`."""
    only: bool = False
    """Train on the dose alone, without the real images."""
    share: float | None = Field(default=None, gt=0.0, lt=1.0)
    """Share of the images shown that are of the dose, however many it has; empty shows the dose and
    the real images as one set."""
    first: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Fraction of the training that shows the dose alone; the rest shows the real images alone
    (pretraining on the dose, then fine-tuning). 0 mixes them."""
    max_per_real: float = Field(default=1.0, ge=0.0, le=1e6)
    """Generated images shown of a class for each real one (fixed variants are real ones), at most;
    0 sets no limit. As one set, the dose has no more images than that. With `share`, what is over
    goes to the class's real images. With `first`, an arm that shows more is refused. A dose alone
    (`only`) and doses of real images have no limit; a replay follows its arm."""
    curation: CurationConfig | None = None
    """Which of the generated images are taken; empty takes them as they come."""
    labels: Literal["asked", "judged"] = "asked"
    """What the dose teaches: the class that each image was made for, or the probabilities that the
    reference classifier gives it, the one of another seed that curation asks, too (soft labels;
    Hinton et al. 2015, arXiv:1503.02531)."""

    @model_validator(mode="after")
    def _one_dose(self) -> Self:
        if (self.dose is None) == (self.balance is None):
            raise ValueError("expected exactly one of dose and balance")
        if isinstance(self.dose, dict) and (self.classes or not self.dose):
            raise ValueError(
                "a dose per class needs at least one class, and no separate list classes"
            )
        shown = sum(self.dose.values()) if isinstance(self.dose, dict) else self.dose
        if shown == 0 and (self.first or self.share is not None):
            raise ValueError("first and share define how a dose is shown, but a dose of 0 is empty")
        if self.folder and self.family:
            raise ValueError("folder and family exclude each other; give only one")
        ways = {"only": self.only, "share": self.share is not None, "first": self.first > 0.0}
        if len(chosen := [key for key, is_set in ways.items() if is_set]) > 1:
            raise ValueError(f"{' and '.join(chosen)} exclude each other; give only one")
        if self.curation and self.source in (*CONTROLS, FOLDER):
            raise ValueError(f"curation selects among generated images; {self.source} has none")
        return self

    @property
    def needs_reference(self) -> bool:
        """Whether a reference classifier must have looked at the dose before it is shown."""
        return self.curation is not None or self.labels == "judged"

    @property
    def needs_band(self) -> bool:
        """Whether networks trained on halves must have told how real images are recognised."""
        return self.curation is not None and bool(self.curation.band)

    @property
    def source(self) -> str:
        """Where the images come from: a generator's name, replay, oracle or folder."""
        return FOLDER if self.folder else self.family or "dcgan"


class ArmConfig(Section):
    """What the training set is made of and how it is shown."""

    name: str = Name
    """Name in folders and tables."""
    policy: Policy = "none"
    """Classic augmentation of every batch."""
    loss: Literal["plain", "weighted", "adjusted"] = "plain"
    """Cross-entropy, each class weighted by the inverse of its share of the training set, or each
    logit raised by the logarithm of its class's share of what is shown (logit adjustment; Menon et
    al. 2021, arXiv:2007.07314)."""
    sampling: Sampling | None = None
    """How often a class is shown; empty takes the classifier's."""
    variants: Images = 0
    """Fixed classic variants added to each class (Frid-Adar's classic doses): real training images,
    each rotated, flipped, shifted and scaled once."""
    half: bool = False
    """Train on half of each class's lesions (of patients, where these are kept together), the same
    half for every arm and seed: what the other half adds is what real lesions are still worth."""
    synthetic: SyntheticConfig | None = None
    """The dose added to the real images."""
    discriminator: str = ""
    """Use the discriminator of this generator as the classifier, without further training; for
    families whose discriminator predicts classes (acgan). Excludes all other keys."""
    replay: bool = True
    """Whether the dose, drawn again from the real training images, runs beside a synthetic arm."""
    against: tuple[str, ...] = Field(default=(), max_length=20)
    """Names of further arms that this one is judged against, besides its baseline."""

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
        if self.loss == "adjusted" and self.synthetic and self.synthetic.first:
            raise ValueError(
                "loss = 'adjusted' and synthetic.first exclude each other: the adjustment assumes "
                "one class distribution, but first shows two; remove one"
            )
        return self

    @property
    def generator(self) -> str:
        """Where its dose or its discriminator comes from; empty when it needs none."""
        return self.discriminator or (self.synthetic.source if self.synthetic else "")

    @property
    def is_synthetic(self) -> bool:
        """Whether its dose is of generated images, not of real ones."""
        return self.synthetic is not None and self.synthetic.source not in CONTROLS

    @property
    def dose_fraction(self) -> float | None:
        """Of all that is shown, how much is of the dose; None where all is shown as one set."""
        return (self.synthetic.first or self.synthetic.share) if self.synthetic else None
