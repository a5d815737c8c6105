"""Records of runs, trials and generators, written and read by the same types."""

import math
from abc import abstractmethod
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer

from dermaug.classifiers.trained import TrainingEntry
from dermaug.config import Arm, ClassifierConfig, DataConfig, GeneratorConfig
from dermaug.config.translation import Translation
from dermaug.errors import DermaugError
from dermaug.experiment.plan.jobs import classifier_key, generator_key
from dermaug.files import Record, read_record

FORMAT: Literal[5] = 5
Provenance = Literal["fold", "beyond", "declared", "unknown"]
Ids = Annotated[tuple[str, ...], Field(min_length=1)]
Measured = Annotated[
    float,
    Field(allow_inf_nan=True),
    BeforeValidator(lambda value: math.nan if value is None else value),
    PlainSerializer(lambda value: value if math.isfinite(value) else None, when_used="json"),
]
"""NaN if it could not be measured; null in JSON, which has no NaN."""


class Machine(Record):
    """The machine of a run."""

    cpu: str
    cores: int | None
    memory_gib: float
    gpu: str | None
    platform: str


class DataEntry(Record):
    """The data with which a run was started."""

    name: str
    fingerprint: str
    images: int
    lesions: int
    grouping: str
    """Unit that the folds keep together: lesion or patient."""
    groups: int
    notes: tuple[str, ...]
    skipped: dict[str, str]
    """Files left out by `on_bad = "skip"`: path -> reason."""
    external: tuple[str, ...]
    """Fingerprints of the external test sets."""
    external_notes: tuple[str, ...] = ()
    """What was left out of them as unclear, one sentence each."""
    folders: dict[str, str]
    """Arm -> fingerprint of the folder from which it takes its images."""


class Computation(Record):
    """How a network is trained: decided before the first job of a run, and the same for all."""

    precision: Literal["32-true", "bf16-mixed"]
    threads: int


class RunRecord(Record):
    """`run.json`."""

    format: Literal[5] = FORMAT
    """Incremented whenever earlier runs can no longer be read."""
    id: str
    """Names the run in the records of its jobs."""
    experiment: str
    """Digest of the content of `experiment.json`."""
    command: str
    version: str
    """Version of dermaug."""
    started: str
    """ISO 8601, like `finished`."""
    finished: str = ""
    """Empty until the last job has ended."""
    device: str = ""
    """Empty until the first job has started."""
    networks: dict[str, Computation] = Field(default_factory=dict)
    """Key of the classifier or generator -> its computation; empty until the first job starts."""
    jobs: tuple[str, ...]
    """Keys of the generators and trials of the experiment."""
    data: DataEntry
    contents: dict[str, str] = Field(default_factory=dict)
    """Name of each file in `contents/` -> its SHA-256."""
    machine: Machine
    versions: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a record written by `write`.

        Raises:
            DermaugError: Another version of dermaug wrote the run, or the file is damaged.
        """
        if (found := read_record(path).get("format")) != FORMAT:
            raise DermaugError(
                f"{path}: expected a run of format {FORMAT}, found {found or 'an earlier one'}: "
                "another version of dermaug made it; read it with that version, or run the study "
                "again in another folder"
            )
        return super().read(path)


class VitalsEntry(Record):
    """Health of the snapshot that is kept, as in `dermaug.generators.health.Vitals`."""

    images: int
    kid: Measured
    collapsed_pairs: Measured
    nearest_training: Measured
    overfitting: Measured


class Ties(Record):
    """What ties a job to its run; see `dermaug.experiment.run.ties`."""

    run: str
    """`RunRecord.id` of its run."""
    needs: dict[str, str]
    """Key of each job whose network it used -> digest of that network's checkpoint."""
    journal: str
    """SHA-256 of its journal; "" without one."""


class JobRecord(Record):
    """What the records of generators and trials have in common."""

    ties: Ties
    digest: str
    """Digest of its checkpoint: of the generator, or of the network that made the predictions."""

    @property
    @abstractmethod
    def key(self) -> str:
        """Key of its job: its folder below the run's."""


class GeneratorRecord(JobRecord):
    """A trained generator."""

    family: str
    """Key of the generator: its family, or its own name if there are several of the family."""
    label: str
    """Class, or `all` for a conditional family."""
    fold: int
    seed: int
    lesions: int
    """Lesions per class in the training split; 0 is all."""
    fold_key: str
    config: GeneratorConfig
    training_images: int
    images: int
    """Images shown in all."""
    kept_images: int
    """Images shown at the snapshot that is kept."""
    vitals: VitalsEntry | None
    """None if health was not measured."""
    diagnosis: str
    """Why the training was stopped; "" if it was completed."""
    seconds: float
    parameters: int
    translated: tuple[Translation, ...] = ()
    """How the sets were drawn that lie beside the one from noise."""

    @property
    def key(self) -> str:
        """Key of its job."""
        return generator_key(self.family, self.label, self.fold, self.seed, self.lesions)

    @property
    def sets(self) -> tuple[Translation | None, ...]:
        """How each of its sets was drawn; None: from noise."""
        return (None, *self.translated)


class ImageCounts(Record):
    """Training images of one class."""

    real: int = 0
    variants: int = 0
    synthetic: int = 0
    """Images of the dose, of any source."""


class CurationEntry(Record):
    """Result of the curation of a class; the count of each rule does not depend on the others.

    A rule that was not used, or could not be applied, is None.
    """

    wanted: int
    pool: int
    copies: int | None = None
    duplicates: int | None = None
    unconfident: int | None = None
    outside: int | None = None
    kept: int
    real: int | None = None
    """Real validation images of the class to which the rule on confidence was also applied."""
    real_unconfident: int | None = None


class TrialRecord(JobRecord):
    """A finished trial: its training set, which the leakage checks use, and its training."""

    arm: Arm
    model: str
    config: ClassifierConfig
    fold: int
    seed: int
    generator_seed: int | None
    """Seed of the generators whose images or discriminator it uses; None without any."""
    lesions: int
    """Lesions per class in the training split; 0 is all."""
    half: int | None = None
    """Half of the training split on which a reference classifier was trained."""
    fold_key: str
    data: DataConfig
    fingerprint: str
    """Fingerprint of the run's data."""
    classes: tuple[str, ...]
    train_counts: dict[str, ImageCounts]
    provenance: Provenance
    """`fold` if every image comes from the fold's training split or from a generator trained on it
    only; `beyond` for an oracle; `declared` or `unknown` for images made by other tools."""
    curation: dict[str, CurationEntry]
    capped: dict[str, float]
    """Label -> requested generated images per real image, for classes where fewer are allowed."""
    training_images: Ids
    shown: dict[str, float]
    """Share of each class among the images shown."""
    prior: dict[str, float]
    """The prior seen by its loss, with which its probabilities are adjusted."""
    predictions: dict[str, str]
    """Name of each file of predictions -> its SHA-256."""
    discriminator_of: str = ""
    """Key of the generator whose discriminator is the classifier; "" for one trained here."""
    training: TrainingEntry | None
    """None for a discriminator, which was trained with its generator."""

    @property
    def key(self) -> str:
        """Key of its job."""
        return classifier_key(
            self.arm.name, self.model, self.fold, self.seed, self.lesions, self.half
        )

    @property
    def coordinates(self) -> dict[str, str | int]:
        """Arm, model, fold and seed."""
        return {"arm": self.arm.name, "model": self.model, "fold": self.fold, "seed": self.seed}
