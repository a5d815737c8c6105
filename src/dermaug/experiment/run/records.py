"""What runs, trials, generators and audits note of themselves: the entries that are read back."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

JOB_MANIFEST = "manifest.json"
"""In the folder of each generator and of each trial."""
Ids = Annotated[list[str], Field(min_length=1)]
Number = int | float | None
"""None stands for what is not a number."""


class Entries(BaseModel):
    """Base: what must be there; further entries, of other versions of dermaug, do no harm.

    Strict, because the files were written by dermaug: "5" in place of 5 is damage.
    """

    model_config = ConfigDict(frozen=True, strict=True, use_attribute_docstrings=True)


class DataEntry(Entries):
    """Which data a run was begun with."""

    fingerprint: str
    skipped: dict[str, str]
    external: list[str] = []
    """Fingerprints of the external test sets."""
    folders: dict[str, str] = {}
    """Arm -> fingerprint of the folder of images that it takes."""


class RunManifest(Entries):
    """`run.json`."""

    data: DataEntry
    machine: dict[str, Any] = {}
    versions: dict[str, Any] = {}


class TwinEntry(Entries):
    """Two images of one photograph."""

    first: str
    second: str
    correlation: float


class TwinsRecord(Entries):
    """`twins.json`: near-duplicates across groups, which the run keeps in one part."""

    pairs: list[TwinEntry]
    sought: bool


class GeneratorManifest(Entries):
    """`manifest.json` of a generator job."""

    family: str
    label: str
    fold: int
    seed: int
    fold_key: str
    images: int
    seconds: float


class JudgedManifest(GeneratorManifest):
    """Of a generator whose snapshots were judged."""

    kept_images: int
    vitals: dict[str, Number] | None
    diagnosis: str


class CurationEntry(Entries):
    """What curation left of a class: images drawn, kept, and needed for the dose."""

    pool: int
    kept: int
    wanted: int


class ArmEntry(Entries):
    """The arm of a trial."""

    name: str


class TrialManifest(Entries):
    """`manifest.json` of a trial: what its classifier was trained on, for the leakage guards."""

    arm: ArmEntry
    model: str
    fold: int
    seed: int
    fold_key: str
    data: dict[str, Any]
    fingerprint: str
    """Of the run's data."""
    train_counts: dict[str, dict[str, int]]
    training_images: Ids
    training_lesions: Ids
    shown: dict[str, float]
    """Share of each class among the images that it was shown."""
    prior: dict[str, float]
    """The prior that its loss saw, by which its probabilities are adjusted."""
    provenance: str = ""
    curation: dict[str, CurationEntry] = {}
    capped: dict[str, float] = {}
    """Label -> generated images shown for each real one as asked for, where fewer are allowed."""


class TrainedManifest(TrialManifest):
    """A trial whose classifier was trained for it, and lies beside the manifest."""

    digest: str
    images: int
    kept_images: int
    kept_score: float
    seconds: float


class ReferenceManifest(Entries):
    """What must be known of a classifier whose confidences are compared."""

    prior: dict[str, float]
    """The prior that its loss saw, by which its probabilities are adjusted."""
    train_counts: dict[str, dict[str, int]]


class CriticManifest(TrialManifest):
    """A trial whose classifier is a generator's discriminator."""

    critic: dict[str, Any]


class Point(Entries):
    """One image in a plane."""

    plane: str
    classifier: str
    origin: str
    label: str
    x: float
    y: float


class EmbeddingRecord(Entries):
    """`embedding.json`."""

    key: str
    points: list[Point]


class AuditRow(Entries):
    """One generator and class of an audit."""

    family: str
    label: str
    features: str
    fold: int
    seed: int
    lesions: int
    images: int
    held_out_images: int
    held_out_lesions: int
    chosen_by_held_out: bool
    kid: Number
    kid_low: Number
    kid_high: Number
    kid_floor: Number
    copies: Number
    copy_examined: Number
    copy_rate: Number
    copy_low: Number
    copy_high: Number
    copy_expected: Number
    visible_share: Number


class AuditPair(Entries):
    """One synthetic image and the training image nearest to it."""

    label: str
    synthetic: int
    training_image: str
    orientation: int
    score: Number


class AuditRecord(Entries):
    """`audit.json` of a generator."""

    key: str
    numbers: Annotated[list[AuditRow], Field(min_length=1)]
    pairs: list[AuditPair]
