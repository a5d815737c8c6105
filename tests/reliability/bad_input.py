"""Damaged files of every kind that dermaug reads: each is refused with a message, or read."""

import io
import json
import shutil
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
import torch
from PIL import Image

from dermaug.classifiers.model import load_classifier
from dermaug.config import PhantomConfig, SplitConfig
from dermaug.data.decoding import read_square
from dermaug.data.fold_files import read_folds
from dermaug.data.given_splits import chosen_folds
from dermaug.data.sources import open_catalog
from dermaug.data.sources.phantom import write_phantoms
from dermaug.errors import DermaugError
from dermaug.evaluation.predictions import read_predictions
from dermaug.experiment.run.contents import read_remembered
from dermaug.experiment.run.data import Twins
from dermaug.experiment.run.identity import read_run_experiment
from dermaug.experiment.run.records import GeneratorRecord, RunRecord, TrialRecord
from dermaug.experiment_file import read_experiment
from dermaug.generators.saved_generator import load_family
from dermaug.synthesis.synthetic_set import read_synthetic_set
from dermaug.training.checkpoint import load_checkpoint, save_checkpoint
from dermaug.training.journal import read_journal
from reliability.kills import small_run
from reliability.mutation import damaged, edited, edited_text, edited_tree
from reliability.processes import begun, ended

Change = Callable[[bytes, Random], bytes]
SLOW = 10.0
"""Seconds after which an input counts as one that hangs."""


@dataclass
class Count:
    """What was tried and what came of it."""

    refused: int = 0
    """Inputs that ended in a `DermaugError`, or in exit code 2 with one message."""
    read: int = 0
    """Inputs that were read all the same: the accident was harmless."""
    slow: int = 0
    faults: list[str] = field(default_factory=list)
    """Errors of another kind, with the file that made them, and libraries that crashed."""

    def add(self, other: "Count") -> None:
        """Add another count."""
        self.refused += other.refused
        self.read += other.read
        self.slow += other.slow
        self.faults += other.faults

    def __str__(self) -> str:
        return (
            f"{self.refused:,} refused, {self.read:,} read (harmless), "
            f"{len(self.faults)} tracebacks, {self.slow} took longer than {SLOW:.0f} s"
        )


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Args:
        path: A sound file; damaged content is written in its place.
        read: Reads it, or what it belongs to.
        change: Damages its content.
    """

    path: Path
    read: Callable[[], object]
    change: Change


def kinds(place: Path) -> dict[str, Kind]:
    """Name -> kind of file, with sound files in an empty folder."""
    run = place / "run"
    small_run(run)
    return foreign_kinds(place) | _of_a_run(run)


def foreign_kinds(place: Path) -> dict[str, Kind]:
    """The kinds of files that others write: images, tables and archives."""
    found = _images(place / "images") | _tables(place / "tables")
    return found | _archives(place / "archives")


def try_all(number: int, seed: int, place: Path, minutes: float) -> Count:
    """`try_kinds` of all kinds of file."""
    return try_kinds(kinds(place), number, seed, place, minutes)


def try_kinds(
    there: Mapping[str, Kind], number: int, seed: int, place: Path, minutes: float
) -> Count:
    """Damage each kind of file in turn until enough inputs are refused.

    Each kind is tried in a process of its own, so that a library that crashes is counted, too.

    Args:
        there: The kinds of file.
        number: Inputs that are to be refused.
        seed: Of the damage.
        place: An empty folder.
        minutes: Time after which no further round is begun.
    """
    count, end = Count(), time.monotonic() + 60 * minutes
    by_kind = {name: Count() for name in there}
    rounds = 0
    while count.refused < number and time.monotonic() < end:
        rounds += 1
        for name, kind in there.items():
            told = place / "told"
            work = partial(_try, kind, Random(f"{seed} {rounds} {name}"), 50, told)
            code = ended(begun(work, place / "printed"))
            one = Count(**json.loads(told.read_text())) if code == 0 else Count()
            if code:
                one.faults.append(f"{name}: ended with {code}: {(place / 'printed').read_text()}")
            one.faults = [f"{name}, seed {seed}, round {rounds}: {each}" for each in one.faults]
            by_kind[name].add(one)
            count.add(one)
    for name, one in by_kind.items():
        print(f"{name}: {one}")
    return count


def _try(kind: Kind, draw: Random, number: int, told: Path) -> None:
    """Damage a file again and again, and read it each time."""
    count, sound = Count(), kind.path.read_bytes()
    for _ in range(number):
        kind.path.write_bytes(kind.change(sound, draw))
        start = time.monotonic()
        try:
            kind.read()
            count.read += 1
        except DermaugError:
            count.refused += 1
        except Exception:
            kept = told.with_name(f"fault-{len(count.faults)}-{kind.path.name}")
            shutil.copy(kind.path, kept)
            count.faults.append(f"{kept}: {traceback.format_exc()}")
        count.slow += time.monotonic() - start > SLOW
    kind.path.write_bytes(sound)
    told.write_text(json.dumps(vars(count)))


def _images(folder: Path) -> dict[str, Kind]:
    folder.mkdir()
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (40, 60, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(pixels[:4, :6]).resize((60, 40)))
    image = Image.fromarray(smooth)
    made = {
        "jpg": image,
        "png": image,
        "webp": image,
        "bmp": image,
        "tif": image,
        "gif": image.convert("P"),
        "cmyk.jpg": image.convert("CMYK"),
        "grey.jpg": image.convert("L"),
        "palette.png": image.convert("P"),
        "16.png": Image.fromarray(smooth[..., 0].astype(np.uint16) * 257),
    }
    found = {}
    for name, each in made.items():
        path = folder / f"a.{name}"
        each.save(path)
        found[f"image {name}"] = Kind(path, partial(read_square, path, 32), damaged)
    return found


def _tables(folder: Path) -> dict[str, Kind]:
    phantoms = write_phantoms(folder / "ham", PhantomConfig(number=42, balanced=True), 32)
    own = folder / "own"
    shutil.copytree(next(phantoms.glob("*part_1")), own)
    names = sorted(path.name for path in own.glob("*.jpg"))
    rows = [
        f"{name},{'mel' if place % 2 else 'nv'},L{place},50" for place, name in enumerate(names)
    ]
    (own / "metadata.csv").write_text("\n".join(["file_name,label,lesion_id,age", *rows]) + "\n")
    experiment = folder / "experiment.toml"
    shipped = Path(__file__).parents[2] / "experiments" / "quickstart.toml"
    shutil.copy(shipped, experiment)
    splits = folder / "folds.csv"
    ids = [name.removesuffix(".jpg") for name in names]
    parts = ["train", "validation", "test"]
    rows = [f"{name},0,{parts[place % 3]}" for place, name in enumerate(ids)]
    splits.write_text("\n".join(["image_id,fold,split", *rows]) + "\n")
    asked = SplitConfig(file=str(splits), folds=1)
    table = phantoms / "HAM10000_metadata.csv"
    return {
        "HAM10000_metadata.csv": Kind(table, partial(open_catalog, phantoms), edited_text),
        "metadata.csv": Kind(own / "metadata.csv", partial(open_catalog, own), edited_text),
        "experiment.toml": Kind(experiment, partial(read_experiment, experiment), edited_text),
        "folds.csv": Kind(splits, partial(chosen_folds, open_catalog(own), asked), edited_text),
    }


def _of_a_run(run: Path) -> dict[str, Kind]:
    classifier = next(run.rglob("classifier.safetensors"))
    generator = next(run.rglob("generator.safetensors"))
    trial, trained = classifier.parent, generator.parent
    drawn = trained / "synthetic"
    cpu = torch.device("cpu")
    readers: dict[str, tuple[Path, Callable[[], object], Change]] = {
        "run.json": (run / "run.json", partial(RunRecord.read, run / "run.json"), edited_tree),
        "experiment.json": (
            run / "experiment.json",
            partial(read_run_experiment, run),
            edited_tree,
        ),
        "folds.json": (run / "folds.json", partial(read_folds, run / "folds.json"), edited_tree),
        "twins.json": (run / "twins.json", partial(Twins.read, run / "twins.json"), edited_tree),
        "record.json of a trial": (
            trial / "record.json",
            partial(TrialRecord.read, trial / "record.json"),
            edited_tree,
        ),
        "record.json of a generator": (
            trained / "record.json",
            partial(GeneratorRecord.read, trained / "record.json"),
            edited_tree,
        ),
        "manifest.json": (
            drawn / "manifest.json",
            partial(read_synthetic_set, drawn),
            edited_tree,
        ),
        "images.npy": (drawn / "images.npy", partial(read_synthetic_set, drawn), damaged),
        "journal.jsonl": (
            trial / "journal.jsonl",
            partial(read_journal, trial / "journal.jsonl"),
            edited_text,
        ),
        "predictions.parquet": (
            trial / "predictions.parquet",
            partial(read_predictions, trial / "predictions.parquet", ("mel", "nv")),
            damaged,
        ),
        "contents.parquet": (
            run / "contents" / "data.parquet",
            partial(read_remembered, run),
            damaged,
        ),
        "details.npy": (run / "contents" / "details.npy", partial(read_remembered, run), damaged),
        "checkpoint": (classifier, partial(load_checkpoint, classifier), damaged),
        "classifier, sealed again": (classifier, partial(load_classifier, classifier), resealed),
        "generator, sealed again": (generator, partial(load_family, generator, cpu), resealed),
    }
    return {name: Kind(*parts) for name, parts in readers.items()}


def resealed(content: bytes, draw: Random) -> bytes:
    """A checkpoint of other content, whose digest is right."""
    memory = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path("/tmp")
    path = memory / f"dermaug-{draw.random()}"
    try:
        path.write_bytes(content)
        state = load_checkpoint(path)
        part = draw.choice(list(state))
        changed = edited({part: state[part]}, draw)
        state = state | changed if isinstance(changed, dict) else {"kind": changed}
        try:
            save_checkpoint(path, state)
        except (TypeError, ValueError, OverflowError, UnicodeError):  # no state at all
            return damaged(content, draw)
        return path.read_bytes()
    finally:
        path.unlink(missing_ok=True)


def _archives(folder: Path) -> dict[str, Kind]:
    import zipfile

    import h5py
    import pandas as pd

    folder.mkdir()
    pictures = {}
    for place in range(6):
        pixels = np.random.default_rng(place).integers(0, 256, (24, 24, 3), dtype=np.uint8)
        memory = io.BytesIO()
        Image.fromarray(pixels).save(memory, "PNG")
        pictures[f"{'mel' if place % 2 else 'nv'}/{place}.png"] = memory.getvalue()
    packed = folder / "zipped" / "set.zip"
    packed.parent.mkdir()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in pictures.items():
            archive.writestr(name, content)
    hdf5 = folder / "hdf5" / "set.hdf5"
    hdf5.parent.mkdir()
    with h5py.File(hdf5, "w") as file:
        for name, content in pictures.items():
            file.create_dataset(name, data=np.void(content))
    parquet = folder / "parquet" / "set.parquet"
    parquet.parent.mkdir()
    table = pd.DataFrame(
        {
            "image": [{"bytes": content, "path": name} for name, content in pictures.items()],
            "label": [name.split("/")[0] for name in pictures],
        }
    )
    table.to_parquet(parquet)

    def whole(path: Path) -> None:
        catalog = open_catalog(path)
        for name in catalog.table["path"]:
            read_square(name, 32)

    return {
        path.suffix[1:]: Kind(path, partial(whole, path), damaged)
        for path in (packed, hdf5, parquet)
    }
