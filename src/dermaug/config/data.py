"""The data set, its squares and its folds, as an experiment file asks for them."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dermaug.config.section import MOST_IMAGES, Images, Section, Seed

Grouping = Literal["auto", "lesion", "patient"]
DataPath = Annotated[str, Field(min_length=1, max_length=4_096)]


class PhantomConfig(Section):
    """Phantom lesions, drawn on first use when `data.source` is `phantom`."""

    number: int = Field(default=2_000, ge=1, le=1_000_000)
    """Number of images."""
    seed: Seed = 0
    """Seed of the drawing."""
    balanced: bool = False
    """Equal classes instead of HAM10000's prevalences."""


class DataConfig(Section):
    """Which images, which classes, and what square of each the models see."""

    source: DataPath = "phantom"
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
    groups: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """New label -> labels merged into it, for example `malignant = ["mel", "bcc", "akiec"]`."""
    exclude: tuple[str, ...] = ()
    """Ids of images to leave out, for example one of two equal images with different labels."""
    limit: Images | dict[str, Annotated[int, Field(ge=1, le=MOST_IMAGES)]] = 0
    """At most this many groups (lesions or patients: see `splits.group`) per class, or of each
    class that is named, chosen by seed; 0 keeps all."""
    on_bad: Literal["stop", "skip"] = "stop"
    """What to do with files that cannot be decoded: stop with the list, or skip and count them."""
    external_test: tuple[DataPath, ...] = ()
    """Other data sets on which each classifier is tested once, reported apart."""
    phantom: PhantomConfig = PhantomConfig()


class SplitConfig(Section):
    """How images are split; a group (lesion or patient) never occurs in two splits of a fold."""

    folds: int = Field(default=5, ge=2, le=50)
    """Number of cross-validation folds; each is the test split once."""
    group: Grouping = "auto"
    """What stays together. `auto`: the patient where the data name one, else the lesion.
    `patient`: the same, and an error where the data name none. `lesion`: the lesion, even where
    patients are known."""
    run: tuple[Annotated[int, Field(ge=0, lt=50)], ...] = ()
    """Folds that are run, for example `[0]`; empty runs all."""
    holdout: float | None = Field(default=None, gt=0.0, lt=1.0)
    """Instead of folds: one fixed test split of this fraction of the groups."""
    validation: float = Field(default=0.15, gt=0.0, lt=1.0)
    """Fraction of the groups outside the test split that validation gets."""
    seed: Seed = 0
    """Seed of the parting."""

    lesions: tuple[Images, ...] = Field(default=(0,), min_length=1, max_length=100)
    """Groups (lesions, or patients) per class that the training split keeps; 0 keeps all. Several
    make a data-size curve, each part of the next; generators are trained anew on each."""

    @model_validator(mode="after")
    def _folds_exist(self) -> Self:
        number = 1 if self.holdout is not None else self.folds
        if outside := [index for index in self.run if index >= number]:
            raise ValueError(
                f"run: fold {outside[0]} does not exist; there are {number} folds, counted from 0"
            )
        return self

    @property
    def sizes(self) -> tuple[int, ...]:
        """`lesions` from the largest, which the report is about, to the smallest."""
        return tuple(sorted(set(self.lesions), key=lambda size: (size > 0, -size)))

    @property
    def indices(self) -> tuple[int, ...]:
        """Indices of the folds that are run."""
        return self.run or tuple(range(1 if self.holdout is not None else self.folds))
