"""Records of the audit of a generator, written and read by the same types."""

from typing import Annotated

from pydantic import Field

from dermaug.experiment.run.records import Measured
from dermaug.files import Record


class AuditRow(Record):
    """One set and class of an audit, as returned by `audit_class`."""

    family: str
    """The generator, and how it drew the set if not from noise (`set_name`)."""
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
    """`audit.json` of a generator, or that of another of its sets."""

    key: str
    """Digest of everything that the audit depends on."""
    generator: str
    """Digest of the generator's checkpoint."""
    numbers: Annotated[tuple[AuditRow, ...], Field(min_length=1)]
    pairs: tuple[AuditPair, ...]
