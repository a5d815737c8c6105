"""Weaknesses of data are told in numbers, and only where there are any."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from dermaug.experiment.run.results import RunResults
from dermaug.scoring.data_threats import data_threats

Study = Callable[..., RunResults]


def told(results: RunResults, **changed: object) -> str:
    catalog = replace(results.catalog, **changed)  # type: ignore[arg-type]
    return " ".join(data_threats(replace(results, catalog=catalog)))


def test_few_patients_are_counted_where_lesions_are_unknown(drawn_study: Study) -> None:
    results = drawn_study(lesions=60)
    few = results.catalog.table.assign(patient_id="one")
    assert "Few test patients of bkl (1), mel (1), nv (1)" in told(
        results, table=few, grouped=False
    )
    assert "Few training patients of bkl (1), mel (1), nv (1) in some fold" in told(
        results, table=few, grouped=False
    )
    table = results.catalog.table
    trained = table[table["image_id"].isin(results.folds[0].train) & (table["label"] == "mel")]
    kept = set(trained["lesion_id"].unique()[:3])
    lost = ~table["lesion_id"].isin(kept) & (table["label"] == "mel")
    merged = table.assign(lesion_id=table["lesion_id"].where(~lost, min(kept)))
    assert "Few training lesions of mel (" in told(results, table=merged)
    assert "Few training" not in told(results)
    alone = results.catalog.table.assign(patient_id="")
    assert "Lesion ids are not known: each image counts" in told(
        results, table=alone, grouped=False
    )
    assert "Patients are not known" in told(results, table=alone)


def test_images_much_smaller_than_their_photographs_are_told(
    drawn_study: Study, tmp_path: Path
) -> None:
    results = drawn_study()
    side, paths = results.images.shape[1], []
    for number, factor in enumerate((8, 9, 10)):
        paths.append(str(tmp_path / f"{number}.png"))
        Image.fromarray(np.zeros((factor * side, 11 * side, 3), np.uint8)).save(paths[-1])
    table = results.catalog.table
    listed = table.assign(path=[paths[row % 3] for row in range(len(table))])
    found = told(results, table=listed, embedded=None)
    assert f"median short side of {9 * side:,} px, {8 * side:,} to {10 * side:,}" in found
    assert "finer than about 18 px" in found
    Path(paths[0]).unlink()
    assert "short side" not in told(results, table=listed, embedded=None)
    assert "short side" not in told(results)
