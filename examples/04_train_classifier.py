"""Stage 4: train the same classifier with and without the synthetic images, all else equal.

Requires the output of stages 1 to 3. Writes runs/examples/classifiers/<arm>: checkpoint, journal
and predictions.
"""

from pathlib import Path

import numpy as np

from dermaug.classifiers.classifier_training import train_classifier
from dermaug.classifiers.inference import predict
from dermaug.classifiers.model import load_classifier
from dermaug.classifiers.trial_steps import ClassifierTask
from dermaug.config import ClassifierConfig, DataConfig
from dermaug.data.dataset import open_dataset, read_pixels
from dermaug.data.fold_files import read_folds
from dermaug.data.image_bank import ImageBank, channel_statistics
from dermaug.evaluation.predictions import build_predictions, write_predictions
from dermaug.experiment.stages.curating import take_dose
from dermaug.seeding import derive_seed
from dermaug.synthesis.synthetic_set import read_synthetic_set
from dermaug.training.fabric import start_fabric
from dermaug.training.file_names import CLASSIFIER
from dermaug.training.resume import forget

OUTPUT = Path("runs/examples")
DOSES = {"classic": {"mel": 0}, "classic+synthetic": {"mel": 60}}

data = DataConfig(source=str(OUTPUT / "phantoms"), size=32, classes=("bkl", "mel", "nv"))
store = read_pixels(open_dataset(data), data)
catalog = store.catalog
(fold,) = read_folds(OUTPUT / "folds.json")
fabric = start_fabric("cpu")
synthetic = read_synthetic_set(OUTPUT / "synthetic")

train, validation, test = (catalog.rows(p) for p in (fold.train, fold.validation, fold.test))
mean, std = channel_statistics(store.images[train])  # of the real training images, in every arm
validating, testing = (
    ImageBank.of(store.images[rows], catalog.labels[rows], fabric.device)
    for rows in (validation, test)
)

for arm, dose in DOSES.items():
    # Refuses a synthetic set that was generated for another fold.
    extra, names = take_dose([synthetic], dose, fold, arm)
    images, labels = store.images[train], catalog.labels[train]
    if names:
        images = np.concatenate([images, extra])
        labels = np.append(labels, [catalog.classes.index(name) for name in names])
    task = ClassifierTask(
        title=arm,
        config=ClassifierConfig(images=4_800, batch=32, validations=3),
        policy="standard",
        sampling="natural",
        loss="plain",
        classes=catalog.classes,
        training=ImageBank.of(images, labels, fabric.device),
        validation=validating,
        mean=mean,
        std=std,
        seed=derive_seed("examples", "fridadar"),  # does not depend on the arm: arms are paired
        folder=OUTPUT / "classifiers" / arm,
    )
    train_classifier(task, fabric)
    forget(task.folder)  # finished: running this again starts a new training
    classifier, _ = load_classifier(task.folder / CLASSIFIER)
    table = build_predictions(catalog, test, "test", predict(classifier, testing))
    write_predictions(task.folder / "predictions.parquet", table, catalog.classes)
    print(f"{arm}: {len(labels)} images, {task.config.images} shown: {task.folder / CLASSIFIER}")
