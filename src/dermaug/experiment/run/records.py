"""What runs, trials, generators and audits note of themselves: written and read by one type."""

import math
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer

from dermaug.config import Arm, ClassifierConfig, DataConfig, GeneratorConfig
from dermaug.errors import DermaugError
from dermaug.files import Record, read_record

FORMAT: Literal[2] = 2
Ids = Annotated[tuple[str, ...], Field(min_length=1)]
Measured = Annotated[
    float,
    Field(allow_inf_nan=True),
    BeforeValidator(lambda value: math.nan if value is None else value),
    PlainSerializer(lambda value: value if math.isfinite(value) else None, when_used="json"),
]
"""NaN where it could not be measured; null in JSON, which knows no NaN."""


class Machine(Record):
    """Where a run was computed."""

    cpu: str
    cores: int | None
    memory_gib: float
    gpu: str | None
    """None without one."""
    platform: str


class DataEntry(Record):
    """Which data a run was begun with."""

    name: str
    fingerprint: str
    images: int
    lesions: int
    grouping: str
    """What the folds keep together: lesion or patient."""
    groups: int
    notes: tuple[str, ...]
    skipped: dict[str, str]
    """Files left out by `on_bad = "skip"`: path -> reason."""
    external: tuple[str, ...]
    """Fingerprints of the external test sets."""
    folders: dict[str, str]
    """Arm -> fingerprint of the folder of images that it takes."""


class RunRecord(Record):
    """`run.json`."""

    format: Literal[2] = FORMAT
    """Goes up whenever earlier runs can no longer be read."""
    command: str
    version: str
    """Of dermaug."""
    started: str
    """ISO 8601, as `finished`."""
    finished: str = ""
    """Empty until the last job has ended."""
    device: str = ""
    """Empty until the first job has begun."""
    data: DataEntry
    machine: Machine
    versions: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the output of `write`.

        Raises:
            DermaugError: Another version of dermaug made the run, or the file is damaged.
        """
        if (found := read_record(path).get("format")) != FORMAT:
            raise DermaugError(
                f"{path}: expected a run of format {FORMAT}, found {found or 'an earlier one'}: "
                "another version of dermaug made it; read it with that version, or run the study "
                "again in another folder"
            )
        return super().read(path)


class VitalsEntry(Record):
    """Vital signs of the snapshot that is kept, as in `dermaug.generators.health.Vitals`."""

    images: int
    kid: Measured
    collapsed_pairs: Measured
    nearest_training: Measured
    overfitting: Measured


class GeneratorRecord(Record):
    """A trained generator."""

    family: str
    """Key of the generator: its family, or its own name where there are several."""
    label: str
    """Class, or `all` for a conditional family."""
    fold: int
    seed: int
    lesions: int
    """Lesions per class in the training split; 0 is all."""
    fold_key: str
    config: GeneratorConfig
    training_images: int
    """Number of images that it saw."""
    images: int
    """Images shown in all."""
    kept_images: int
    """Images shown at the snapshot that is kept."""
    vitals: VitalsEntry | None
    """None where nothing was judged."""
    diagnosis: str
    """Why the training was stopped; "" when it went on to its end."""
    seconds: float
    parameters: int
    digest: str
    """Of its checkpoint."""


class ImageCounts(Record):
    """Training images of one class."""

    real: int = 0
    variants: int = 0
    synthetic: int = 0
    """Of the dose, whatever it is made of."""


class CurationEntry(Record):
    """What curation left of a class; each rule counts alone, None where it was not asked for.

    A rule that could not be judged is None, too.
    """

    wanted: int
    pool: int
    copies: int | None = None
    duplicates: int | None = None
    unconfident: int | None = None
    outside: int | None = None
    kept: int


class TrainingEntry(Record):
    """How the training of a classifier went."""

    images: int
    """Images shown in all."""
    kept_images: int
    """Images shown when the weights that are kept were reached."""
    kept_score: float
    """Balanced accuracy on validation then."""
    seconds: float
    parameters: int


class TrialRecord(Record):
    """A finished trial: what its classifier was trained on, for the leakage guards, and how."""

    arm: Arm
    model: str
    config: ClassifierConfig
    fold: int
    seed: int
    generator_seed: int | None
    """Of the generators whose images, or whose discriminator, it was given; None without any."""
    lesions: int
    """Lesions per class in the training split; 0 is all."""
    half: int | None = None
    """Half of the training split that a reference was trained on."""
    fold_key: str
    data: DataConfig
    fingerprint: str
    """Of the run's data."""
    classes: tuple[str, ...]
    train_counts: dict[str, ImageCounts]
    provenance: Literal["fold", "beyond", "unknown"]
    """`fold` when every image comes from the fold's training split or from a generator that saw
    nothing else; `beyond` for an oracle; `unknown` for images made elsewhere."""
    curation: dict[str, CurationEntry]
    """Empty without curation."""
    capped: dict[str, float]
    """Label -> generated images shown for each real one as asked for, where fewer are allowed."""
    training_images: Ids
    shown: dict[str, float]
    """Share of each class among the images that it was shown."""
    prior: dict[str, float]
    """The prior that its loss saw, by which its probabilities are adjusted."""
    digest: str
    """Of the checkpoint that predicted."""
    discriminator_of: str = ""
    """Key of the generator whose discriminator is the classifier; "" for one trained here."""
    training: TrainingEntry | None
    """None for a discriminator, which its generator trained."""


class Point(Record):
    """One image in a plane."""

    plane: str
    classifier: str
    origin: str
    label: str
    x: float
    y: float


class EmbeddingRecord(Record):
    """`embedding.json`."""

    key: str
    """What the planes depend on, as a digest."""
    points: tuple[Point, ...]


class AuditRow(Record):
    """One generator and class of an audit, as returned by `audit_class`."""

    family: str
    label: str
    fold: int
    seed: int
    lesions: int
    images: int
    training_images: int
    validation_images: int
    validation_lesions: int
    chosen_by_validation: bool
    features: str
    fid_flag: str
    kid: Measured
    kid_low: Measured
    kid_high: Measured
    fid: Measured
    precision: Measured
    recall: Measured
    density: Measured
    coverage: Measured
    kid_floor: Measured
    kid_floor_low: Measured
    kid_floor_high: Measured
    fid_floor: Measured
    precision_floor: Measured
    recall_floor: Measured
    density_floor: Measured
    coverage_floor: Measured
    copies: Measured
    copy_examined: Measured
    copy_rate: Measured
    copy_low: Measured
    copy_high: Measured
    copy_expected: Measured
    pixel_threshold: Measured
    feature_threshold: Measured
    visible_share: Measured
    visible_validation: Measured


class AuditPair(Record):
    """One synthetic image and the training image nearest to it."""

    label: str
    synthetic: int
    training_image: str
    orientation: int
    pixel_distance: Measured
    feature_distance: Measured
    score: Measured


class AuditRecord(Record):
    """`audit.json` of a generator."""

    key: str
    """What the audit depends on, as a digest."""
    numbers: Annotated[tuple[AuditRow, ...], Field(min_length=1)]
    pairs: tuple[AuditPair, ...]
