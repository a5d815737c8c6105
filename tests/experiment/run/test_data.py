"""One photograph under two lesions stays in one part of every fold, whenever a run goes on."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from begun import open_run
from PIL import Image

from dermaug.config import Experiment
from dermaug.errors import DermaugError
from dermaug.experiment.run import data as run_data
from dermaug.experiment.run.data import Twins, decoded, joined, twins_of
from dermaug.experiment.run.run import Run
from dermaug.experiment_file import validate_experiment
from dermaug.files import read_json

LESIONS = 12


def asked(source: Path) -> Experiment:
    tree = {
        "name": "twins",
        "data": {"source": str(source), "size": 32},
        "splits": {"folds": 3},
        "arms": [{"name": "real"}],
    }
    return validate_experiment(tree, "twins")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two classes; three photographs of each are there twice, compressed anew, as other lesions."""
    root, lines = tmp_path / "data", ["file_name,label,lesion_id"]
    root.mkdir()
    for place, label in enumerate(("mel", "nv")):
        for lesion in range(LESIONS):
            random = np.random.default_rng(100 * place + lesion)
            coarse = Image.fromarray(random.integers(70, 200, (24, 24, 3)).astype(np.uint8))
            image = coarse.resize((96, 96), Image.Resampling.BICUBIC)
            image.save(root / f"{label}{lesion}.png")
            lines.append(f"{label}{lesion}.png,{label},{label}{lesion}")
            if lesion < 3:
                image.rotate(90).save(root / f"{label}{lesion}again.jpg", quality=85)
                lines.append(f"{label}{lesion}again.jpg,{label},{label}{lesion}again")
    (root / "metadata.csv").write_text("\n".join(lines) + "\n")
    return root


@pytest.fixture
def begin(data: Path, tmp_path: Path) -> Callable[[], Run]:
    """Begin the run, or go on with it."""
    return lambda: open_run(tmp_path / "run", asked(data))


def test_near_duplicates_stay_in_one_part_of_every_fold(begin: Callable[[], Run]) -> None:
    run = begin()
    expected = {(f"{label}{n}", f"{label}{n}again") for label in ("mel", "nv") for n in range(3)}
    assert {tuple(sorted(pair[:2])) for pair in run.twins.pairs} == expected
    groups = dict(zip(run.catalog.image_ids, run.groups, strict=True))
    for fold in run.folds:
        for one, other in expected:
            assert groups[one] == groups[other]
            assert [one in part for part in (fold.train, fold.validation, fold.test)] == [
                other in part for part in (fold.train, fold.validation, fold.test)
            ]
    assert "Near-duplicates: 6 pairs of images of different lesions" in run.catalog.notes[-1]
    assert read_json(run.folder / "run.json")["data"]["groups"] == 2 * LESIONS
    assert read_json(run.folder / "run.json")["data"]["lesions"] == 2 * LESIONS + 6


def test_a_run_goes_on_with_the_pairs_it_was_begun_with(
    begin: Callable[[], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another machine's decoder may give other detail: the folds must not depend on it."""
    run = begin()
    assert len(read_json(run.files.twins)["pairs"]) == 6
    monkeypatch.setattr(run_data, "near_pairs", None)
    again = begin()
    assert again.twins == run.twins
    assert again.folds == run.folds


def test_too_many_images_are_not_compared_and_it_is_said(
    begin: Callable[[], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_data, "MOST", 29)
    run = begin()
    assert run.twins == Twins(sought=False)
    assert "not searched among so many images" in run.catalog.notes[-1]
    monkeypatch.setattr(run_data, "MOST", 100)
    assert begin().twins == run.twins


def test_equal_images_with_two_labels_stop_a_run(data: Path, tmp_path: Path) -> None:
    with (data / "metadata.csv").open("a") as file:
        file.write("twice.png,nv,twice\n")
    (data / "twice.png").write_bytes((data / "mel5.png").read_bytes())
    experiment = asked(data)
    with pytest.raises(DermaugError, match="one of the labels is wrong"):
        open_run(tmp_path / "run", experiment)
    assert not (tmp_path / "run").exists()
    left = experiment.model_copy(
        update={"data": experiment.data.model_copy(update={"exclude": ("twice",)})}
    )
    store = decoded(left)
    assert len(joined(store, twins_of(store, None)).catalog) == 2 * LESIONS + 6
