"""The examples run one after the other on nothing but what the one before left on disk."""

import runpy
from pathlib import Path

import pandas as pd
import pytest

from dermaug.data.fold_files import read_folds
from dermaug.data.sources import open_catalog
from dermaug.synthesis.synthetic_set import read_synthetic_set

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted(ROOT.glob("examples/*.py"))
STAGES = (*EXAMPLES[:5], EXAMPLES[6])


def test_there_is_one_a_stage_and_each_fits_on_a_screen_or_two() -> None:
    assert [path.stem[:2] for path in EXAMPLES] == ["01", "02", "03", "04", "05", "06", "07"]
    assert max(len(path.read_text(encoding="utf-8").splitlines()) for path in EXAMPLES) < 80


@pytest.mark.slow
def test_examples_run_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for path in STAGES:
        runpy.run_path(str(path), run_name="__main__")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs"]

    folder = tmp_path / "runs/examples"
    catalog = open_catalog(folder / "phantoms")
    (fold,) = read_folds(folder / "folds.json")
    synthetic = read_synthetic_set(folder / "synthetic")
    assert synthetic.provenance.fold_key == fold.key
    assert set(synthetic.provenance.training_images) <= set(fold.train)
    assert synthetic.images.std(axis=0).mean() > 1  # not one image over and over
    tested = {
        arm: pd.read_parquet(folder / "classifiers" / arm / "predictions.parquet")
        for arm in ("classic", "classic+synthetic")
    }
    for table in tested.values():
        assert sorted(table["image_id"]) == sorted(fold.test)
        assert set(table["lesion_id"]) <= set(catalog.table["lesion_id"])
    probabilities = [table.filter(like="p_").to_numpy() for table in tested.values()]
    assert abs(probabilities[0] - probabilities[1]).max() > 1e-3  # the dose reached the training
    told = capsys.readouterr().out
    assert "mean sensitivity, classic+synthetic minus classic" in told
    assert "drawn: (8, 32, 32, 3), uint8" in told
    assert (folder / "study/report.html").is_file()

    set_aside = runpy.run_path(str(EXAMPLES[5]))["set_aside"]
    kept, held = set_aside(folder / "phantoms", tmp_path / "set-aside", one_in=5)
    study, external = (
        open_catalog(tmp_path / "set-aside" / name) for name in ("HAM10000", "ISIC2018")
    )
    assert (len(study), len(external)) == (kept, held)
    assert min(kept, held) > 0
    assert sorted([*study.image_ids, *external.image_ids]) == sorted(catalog.image_ids)
    lesions = catalog.table.set_index("image_id")["lesion_id"]
    assert not set(lesions[list(study.image_ids)]) & set(lesions[list(external.image_ids)])
