"""Stage 2: train a DCGAN of melanomas on the training split of one fold and nothing else.

Requires the output of 01_open_data.py. Writes runs/examples/generator: checkpoint, journal and
grids. If interrupted, run it again to resume. After so short a training, it draws blurs.
"""

from pathlib import Path

import numpy as np

from dermaug.config import DataConfig, GeneratorConfig
from dermaug.data.dataset import open_dataset, read_pixels
from dermaug.data.fold_files import read_folds
from dermaug.data.image_bank import ImageBank
from dermaug.generators.generator_training import train_generator
from dermaug.generators.saved_generator import GeneratorSpec
from dermaug.generators.state import GeneratorTask
from dermaug.seeding import derive_seed
from dermaug.training.fabric import start_fabric
from dermaug.training.file_names import GENERATOR
from dermaug.training.journal import read_journal
from dermaug.training.resume import forget

OUTPUT = Path("runs/examples")
LABEL = "mel"

data = DataConfig(source=str(OUTPUT / "phantoms"), size=32, classes=("bkl", "mel", "nv"))
store = read_pixels(open_dataset(data), data)
(fold,) = read_folds(OUTPUT / "folds.json")
fabric = start_fabric("cpu")

rows = store.catalog.rows(fold.train)
rows = rows[store.catalog.table["label"].to_numpy()[rows] == LABEL]

# The specification stores the key of the fold: no other fold may use images of this generator.
config = GeneratorConfig(images=3_200, batch=32, width=16, ema=0.95, snapshots=2)
seen = tuple(store.catalog.image_ids[rows])
spec = GeneratorSpec(config, data.size, (LABEL,), fold.key, seen)
task = GeneratorTask(
    title=f"dcgan {LABEL}",
    spec=spec,
    training=ImageBank.of(store.images[rows], np.zeros(len(rows), dtype=np.int64), fabric.device),
    seed=derive_seed("examples", "generator", LABEL),
    folder=OUTPUT / "generator",
)
trained = train_generator(task, fabric)
forget(task.folder)  # finished: running this again starts a new training

print(f"{trained.images} images shown in {trained.seconds:.0f} s, {trained.parameters:,} weights")
print(f"losses at the end: {read_journal(task.folder / 'journal.jsonl')[-1]}")
print(f"written: {task.folder / GENERATOR} and grids/ beside it")
