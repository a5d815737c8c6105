"""Configuration of the data set, the image squares and the folds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dermaug.config.section import MOST_IMAGES, Images, Section, Seed

Unclear = Literal["stop", "leave_out"]
Grouping = Literal["auto", "lesion", "patient"]
Column = Annotated[str, Field(max_length=200)]
DataPath = Annotated[str, Field(min_length=1, max_length=4_096)]

COLUMN_FIELDS = {
    "file_name": "image_column",
    "label": "label_column",
    "lesion_id": "lesion_column",
    "patient_id": "patient_column",
    "age": "age_column",
    "sex": "sex_column",
    "localization": "site_column",
    "skin_tone": "tone_column",
}
"""Column that dermaug reads -> entry of the section that tells its name in a table."""
COLUMN_OPTIONS = {column: f"--{field.replace('_', '-')}" for column, field in COLUMN_FIELDS.items()}
"""Column that dermaug reads -> option of the command line that tells its name in a table."""

NOT_READ = "-"
"""Stands for the name of a column that tells more of the images, and is not to be read."""

LEAVE_OUT_UNCLEAR = "--leave-out-unclear"
"""Option of the command line that sets `unclear = "leave_out"`."""


@dataclass(frozen=True)
class Reading:
    """How a user wants the tables of data to be read.

    Args:
        labels: Label -> class, or "" to leave it out.
        columns: Column that is read -> its name in the table, or `NOT_READ`.
        unclear: What to do with what is unclear: see `DataConfig.unclear`.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    unclear: Unclear = "stop"


AS_IT_IS = Reading()


class PhantomConfig(Section):
    """Phantom lesions, drawn on first use when `data.source` is `phantom`."""

    number: int = Field(default=2_000, ge=1, le=1_000_000)
    """Number of images."""
    seed: Seed = 0
    """Seed of the drawing."""
    balanced: bool = False
    """Equal classes instead of HAM10000's prevalences."""


class DataConfig(Section):
    """The images, the classes, and the square of each image that the models see."""

    source: DataPath = "phantom"
    """`phantom`, or the path of a data set that `dermaug.data.sources.open_catalog` recognises."""
    size: int = Field(default=64, ge=16, le=1024)
    """Side of the square that models see, in pixels."""
    crop: Literal["centre", "lesion"] = "centre"
    """`centre`: the central square with the length of the short side. `lesion`: the bounding box of
    the segmented lesion, with a margin."""
    margin: float = Field(default=0.25, ge=0.0, le=2.0)
    """Margin on each side of the lesion's box, as a fraction of the longer side of the box."""
    image_column: Column = ""
    """Column of a table of one's own with the names of the image files, where it is not called
    `file_name`. External test sets without this column are read as they come."""
    label_column: Column = ""
    """Column with the labels, where it is not called `label`."""
    lesion_column: Column = ""
    """Column that names the lesion, where it has no name that is known, such as `lesion_id`. `-`
    here or in one of the following: such a column is not read."""
    patient_column: Column = ""
    """Column that names the patient, where it has no name that is known, such as `patient_id`."""
    age_column: Column = ""
    """Column with the age in years, where it has no name that is known, such as `age`."""
    sex_column: Column = ""
    """Column with the sex, where it has no name that is known, such as `sex`."""
    site_column: Column = ""
    """Column with the body site, where it has no name that is known, such as `localization`."""
    tone_column: Column = ""
    """Column with the skin tone, where it has no name that is known, such as `skin_tone`."""
    unclear: Unclear = "stop"
    """Treatment of what tables leave unclear: rows without an image, images without a row, rows
    with too many or too few cells, rows that repeat another, ages and sexes that cannot be read,
    and lesions with several diagnoses. `stop`: stop with a list. `leave_out`: leave out these rows,
    images, ages, sexes and lesions, and count them; also in external test sets."""
    labels: dict[str, Annotated[str, Field(min_length=1)]] = Field(default_factory=dict)
    """Label as the data write it -> class, for example `{ AK = "akiec" }`. It overrides what is
    known of a public data set, and also applies to external test sets."""
    leave_out: tuple[str, ...] = ()
    """Labels whose images are left out, also in external test sets: as the data write them, or as
    classes."""
    classes: tuple[str, ...] = ()
    """Classes to keep; empty keeps all. A label that a public data set leaves out by default, for
    example `SCC`, is kept as a class of its own if it is named here. Other classes are left out of
    external test sets, too."""
    groups: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """New label -> labels merged into it, for example `malignant = ["mel", "bcc", "akiec"]`. Labels
    that the data do not have are ignored. An external test set may have the new labels itself."""
    exclude: tuple[str, ...] = ()
    """Ids of images to leave out, for example one of two equal images with different labels."""
    limit: Images | dict[str, Annotated[int, Field(ge=1, le=MOST_IMAGES)]] = 0
    """Largest number of groups (lesions or patients: see `splits.group`) per class, or per named
    class, chosen by seed; 0 keeps all."""
    on_bad: Literal["stop", "skip"] = "stop"
    """Treatment of files that cannot be used, because they are damaged, too small, too large or no
    images: stop with a list, or skip and count them."""
    max_megapixels: int = Field(default=50, ge=1, le=1_000)
    """Largest image that is decoded, in millions of pixels; a header that claims more is refused,
    since it may be made to fill the memory."""
    external_test: tuple[DataPath, ...] = ()
    """Other data sets on which each classifier is tested once, reported separately."""
    phantom: PhantomConfig = PhantomConfig()

    @property
    def max_pixels(self) -> int:
        """`max_megapixels` in pixels."""
        return self.max_megapixels * 1_000_000

    @property
    def label_map(self) -> dict[str, str]:
        """Label -> class by `labels`, `leave_out`, `classes` and `groups`; "" leaves out."""
        members = (label for labels in self.groups.values() for label in labels)
        kept = {label: label for label in (*self.classes, *members)}
        return kept | dict.fromkeys(self.leave_out, "") | self.labels

    @property
    def reading(self) -> Reading:
        """How the tables of the data are read."""
        return Reading(self.label_map, self.columns, self.unclear)

    @property
    def columns(self) -> dict[str, str]:
        """Column that dermaug reads -> its name in the table, for those that were named."""
        asked = {column: getattr(self, field) for column, field in COLUMN_FIELDS.items()}
        return {column: name for column, name in asked.items() if name}

    @property
    def as_options(self) -> list[str]:
        """Options of the command line that read a data set as this section does."""
        pairs = [(COLUMN_OPTIONS[column], name) for column, name in self.columns.items()]
        pairs += [("--labels", f"{label}={name}") for label, name in self.labels.items()]
        pairs += [("--leave-out", label) for label in self.leave_out]
        flags = [LEAVE_OUT_UNCLEAR] if self.unclear == "leave_out" else []
        return [*(part for pair in pairs for part in pair), *flags]

    def with_columns(self, names: Mapping[str, str]) -> Self:
        """The section with other `columns`."""
        update = {field: names.get(column, "") for column, field in COLUMN_FIELDS.items()}
        return self.model_copy(update=update)

    def with_labels(self, wanted: Mapping[str, str]) -> Self:
        """The section with more `labels` and `leave_out`; label -> class, or "" to leave it out."""
        kept = {label: name for label, name in self.labels.items() if label not in wanted}
        labels = kept | {label: name for label, name in wanted.items() if name}
        rest = (label for label in self.leave_out if label not in wanted)
        left_out = (*rest, *(label for label, name in wanted.items() if not name))
        return self.model_copy(update={"labels": labels, "leave_out": left_out})

    def read_as(self, wanted: Reading) -> Self:
        """The section with what else a user wants of the reading."""
        read = self.with_columns({**self.columns, **wanted.columns}).with_labels(wanted.labels)
        unclear = self.unclear if wanted.unclear == "stop" else wanted.unclear
        return read.model_copy(update={"unclear": unclear})

    @model_validator(mode="after")
    def _labels_agree(self) -> Self:
        if twice := sorted(set(self.labels) & set(self.leave_out)):
            raise ValueError(f"labels and leave_out both name {twice[0]!r}; remove one")
        return self


class SplitConfig(Section):
    """How images are split; a group (lesion or patient) never occurs in two splits of a fold."""

    use: Literal["new", "given"] = "new"
    """`new`: split the images anew. `given`: use the training, validation and test split that the
    data come with, as the only fold; refused if images or groups occur in two of them."""
    file: str = Field(default="", max_length=4_096)
    """CSV file with the columns `image_id,fold,split` whose folds are used, for example `folds.csv`
    of another run; `folds` must be their number."""
    folds: int = Field(default=5, ge=1, le=50)
    """Number of cross-validation folds; each is the test split once. 1 only with `file`."""
    group: Grouping = "auto"
    """The unit that stays in one split. `auto`: the patient if the data name one, otherwise the
    lesion. `patient`: the same, but an error if the data name no patients. `lesion`: the lesion,
    even if patients are known."""
    run: tuple[Annotated[int, Field(ge=0, lt=50)], ...] = ()
    """Indices of the folds to run, for example `[0]`; empty runs all."""
    holdout: float | None = Field(default=None, gt=0.0, lt=1.0)
    """Instead of folds, use one fixed test split with this fraction of the groups."""
    validation: float = Field(default=0.15, gt=0.0, lt=1.0)
    """Fraction of the groups outside the test split that form the validation split."""
    seed: Seed = 0
    """Seed of the splits."""

    lesions: tuple[Images, ...] = Field(default=(0,), min_length=1, max_length=100)
    """Number of groups (lesions or patients) per class in the training split; 0 keeps all. Several
    numbers make a data-size curve with nested training splits; generators are trained on each."""

    @model_validator(mode="after")
    def _folds_exist(self) -> Self:
        if outside := [index for index in self.run if index >= self.number]:
            raise ValueError(
                f"run: fold {outside[0]} does not exist; there are {self.number} folds, counted "
                "from 0"
            )
        if self.folds == 1 and not self.file:
            raise ValueError("folds: expected at least 2, found 1; for one test split, set holdout")
        return self

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = {"use = 'given'": self.use == "given", "file": bool(self.file)}
        ways["holdout"] = self.holdout is not None
        if sum(ways.values()) > 1:
            named = " and ".join(name for name, asked in ways.items() if asked)
            raise ValueError(f"{named} exclude each other; remove one")
        return self

    @property
    def is_dealt(self) -> bool:
        """Whether images are dealt to several folds."""
        return self.use == "new" and self.holdout is None

    @property
    def number(self) -> int:
        """Number of folds that exist."""
        return self.folds if self.is_dealt else 1

    @property
    def sizes(self) -> tuple[int, ...]:
        """`lesions` from the largest, on which the report focuses, to the smallest."""
        return tuple(sorted(set(self.lesions), key=lambda size: (size > 0, -size)))

    @property
    def indices(self) -> tuple[int, ...]:
        """Indices of the folds that are run."""
        return self.run or tuple(range(self.number))
