"""What an experiment asks of a classifier reaches its training and every prediction."""

from pathlib import Path

import numpy as np
import pytest
import torch
from begun import open_run
from lightning_fabric import Fabric

from dermaug.classifiers.inference import predict
from dermaug.classifiers.model import load_classifier
from dermaug.config.data import PhantomConfig
from dermaug.data.image_bank import ImageBank
from dermaug.data.sources.phantom import write_phantoms
from dermaug.evaluation.predictions import probabilities_of, read_predictions
from dermaug.evaluation.readouts import overall_read, prior_array
from dermaug.experiment.run.artefacts import find_classifiers
from dermaug.experiment.run.layout import JobFolder
from dermaug.experiment.run.run import Run
from dermaug.experiment.stages.classify import run_classifier_job
from dermaug.experiment.stages.judges import classifier_judge
from dermaug.experiment.stages.predict_external import evaluate
from dermaug.experiment.stages.predict_files import predict_files
from dermaug.experiment_file import validate_experiment
from dermaug.training.file_names import CLASSIFIER

VIEWS = 8


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A study of one network that looks eight times."""
    folder = tmp_path_factory.mktemp("stages")
    here, there = (
        write_phantoms(folder / str(seed), PhantomConfig(number=70, balanced=True, seed=seed), 32)
        for seed in (0, 1)
    )
    tree = {
        "name": "stages",
        "data": {"source": str(here), "size": 32, "external_test": [str(there)]},
        "splits": {"folds": 3, "run": [0]},
        "classifiers": [{"model": "resnet10t", "images": 64, "batch": 16, "views": VIEWS}],
        "arms": [{"name": "real"}],
    }
    return open_run(folder / "run", validate_experiment(tree, "test"))


@pytest.fixture(scope="module")
def trained(run: Run, fabric: Fabric) -> Path:
    """Folder of the arm without a dose."""
    job = run.jobs.classifiers[0]
    run_classifier_job(run, job, fabric).write(run.job(job.key).record)
    return run.folder / job.key


def seen(checkpoint: Path, images: np.ndarray, views: int = VIEWS) -> np.ndarray:
    classifier, _ = load_classifier(checkpoint)
    labels = np.zeros(len(images), dtype=np.int64)
    return predict(classifier, ImageBank.of(images, labels, torch.device("cpu")), views=views)


def test_every_prediction_takes_all_views(run: Run, trained: Path, fabric: Fabric) -> None:
    fold, classes = run.fold(0), run.catalog.classes
    images = run.images[run.catalog.rows(fold.test)]
    expected = seen(trained / CLASSIFIER, images)
    assert not np.allclose(expected, seen(trained / CLASSIFIER, images, views=1), atol=1e-4)
    table = read_predictions(JobFolder(trained).predictions, classes)
    stored = probabilities_of(table[table["part"] == "test"], classes)
    np.testing.assert_allclose(stored, expected, atol=1e-6)
    judge = classifier_judge(trained / CLASSIFIER, fabric.device)
    np.testing.assert_allclose(judge.probabilities(images), expected, atol=1e-6)


def test_predictions_on_other_data_take_all_views(run: Run, trained: Path, fabric: Fabric) -> None:
    (other,) = map(Path, run.experiment.data.external_test)
    classes = run.catalog.classes
    table = read_predictions(JobFolder(trained).external(0), classes)
    (stored,) = find_classifiers(trained)
    files = sorted(other.rglob("*.jpg"))
    named, _ = predict_files(stored.path, files, fabric)
    by_name = table.set_index("image_id").loc[[file.stem for file in files]]
    np.testing.assert_allclose(probabilities_of(by_name, classes), named, atol=1e-6)
    scores, _ = evaluate([stored], other, fabric, skip_known=False)
    labels = np.array([classes.index(label) for label in table["label"]])
    prior = prior_array(stored.record.prior, classes)
    expected = overall_read(labels, probabilities_of(table, classes), prior)
    assert scores.iloc[0][list(expected)].to_dict() == pytest.approx(expected, abs=1e-5)
