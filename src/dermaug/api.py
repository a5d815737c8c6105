"""The functions of `import dermaug`: open data, train, generate, audit, compare."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from pydantic import Field

from dermaug.arguments import AnyPath, checked
from dermaug.config import DataConfig
from dermaug.config.data import COLUMN_FIELDS
from dermaug.data.dataset import open_dataset, read_pixels
from dermaug.data.pixels import PixelStore
from dermaug.errors import DermaugError
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.run.artefacts import find_generator, only_classifier
from dermaug.experiment.stages.judges import classifier_judge
from dermaug.experiment_file import read_experiment, validate_section
from dermaug.files import expanded
from dermaug.inspection.audit_folder import audit_folder
from dermaug.scoring.leaderboard import compare_runs
from dermaug.seeding import derive_seed
from dermaug.shipped import find_experiment
from dermaug.stats import paired_difference as paired_difference
from dermaug.study import run_study
from dermaug.synthesis.sampling import load_sampler, sample
from dermaug.training.fabric import start_fabric


@checked
def open_data(
    source: AnyPath,
    size: int = 64,
    classes: Sequence[str] = (),
    columns: Mapping[str, str] | None = None,
) -> PixelStore:
    """Open a labelled data set and decode its images.

    Args:
        source: Folder or file in any supported layout, or "phantom" for drawn lesions.
        size: Side of the images in pixels, from 16 to 1024.
        classes: Labels to keep; empty keeps all.
        columns: Column that is read -> its name in your table, for example `{"file_name": "Photo",
            "label": "Diagnosis", "patient_id": "Patient"}`; None reads a table as it comes.

    Returns:
        `catalog.table` (one row per image with id, lesion, label and metadata) and `images`, uint8
        (n, size, size, 3).
    """
    asked = {"source": str(source), "size": size, "classes": tuple(classes)}
    config = validate_section(DataConfig, asked, "open_data", "arguments")
    if unknown := sorted(set(columns or {}) - set(COLUMN_FIELDS)):
        raise DermaugError(
            f"columns: expected {', '.join(COLUMN_FIELDS)} -> a column of your table, found "
            f"{', '.join(unknown)}"
        )
    config = config.with_columns(columns or {})
    return read_pixels(open_dataset(config), config)


@checked
def train(
    experiment: AnyPath,
    output: AnyPath,
    settings: Sequence[str] = (),
    *,
    device: str = "auto",
    precision: str = "auto",
) -> Path:
    """Run a study: train its generators and classifiers, score them, and write the report.

    Calling it again resumes an interrupted run. Jobs run one after the other; `dermaug run` runs
    several at the same time, with the same results.

    Args:
        experiment: A TOML file, or the name of a shipped experiment such as "quickstart".
        output: Folder of the run: a new or empty one, or that of a run to resume.
        settings: Changes to the experiment, for example "data.size=32".
        device: auto, cpu, cuda or mps.
        precision: auto, 32-true or bf16-mixed.

    Returns:
        Folder of the run, with `report.html` and `scoring/`.
    """
    asked = read_experiment(find_experiment(str(experiment)), settings)
    command = f"dermaug.train({str(experiment)!r}, {str(output)!r}, {list(settings)!r})"
    folder = expanded(output, "output")
    run_study(folder, asked, Launch(device, precision), command)
    return folder


@checked
def generate(
    generator: AnyPath,
    label: str,
    number: Annotated[int, Field(ge=1, le=1_000_000)] = 100,
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0,
    *,
    device: str = "cpu",
) -> UInt8[np.ndarray, "number h w 3"]:
    """Draw images of one class; the same images as `dermaug generate` with this seed.

    Args:
        generator: Checkpoint of a generator, or its folder.
        label: One of its classes.
        number: Number of images, from 1 to a million.
        seed: Seed of the latents, a whole number from 0.
        device: auto, cpu, cuda or mps.
    """
    checkpoint = find_generator(expanded(generator, "generator"))
    sampler, spec = load_sampler(checkpoint, label, start_fabric(device).device)
    return sample(sampler, spec.classes.index(label), number, derive_seed("generate", seed))


@checked
def audit(
    synthetic: AnyPath, data: AnyPath, model: AnyPath, *, device: str = "cpu"
) -> pd.DataFrame:
    """Compare synthetic with real images: fidelity, copies, and recognisable classes.

    Args:
        synthetic: Images of dermaug or of any other tool.
        data: The real images.
        model: A classifier of a run (checkpoint or folder), which provides the features.
        device: auto, cpu, cuda or mps.

    Returns:
        One row per class with the numbers of `dermaug audit`.
    """
    stored = only_classifier(expanded(model, "model"))
    judge = classifier_judge(stored.path, start_fabric(device).device)
    drawn, real = expanded(synthetic, "synthetic"), expanded(data, "data")
    return audit_folder(drawn, real, judge, stored=stored).audit.numbers


@checked
def compare(*runs: AnyPath, across: bool = False) -> pd.DataFrame:
    """The primary contrasts of some runs with their verdicts, the largest difference first.

    Args:
        runs: Folders of runs, at least one.
        across: Apply Holm's rule across all of them, instead of within each run.

    Returns:
        One row per run, arm, reference and classifier: see `dermaug.scoring.leaderboard`.
    """
    return compare_runs([expanded(run, "runs") for run in runs], across=across)
