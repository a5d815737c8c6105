"""The flow diagram and table 1 count what is in the splits, and nothing twice."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from drawn import recorded

from dermaug.experiment.run.results import RunResults
from dermaug.report.sections.characteristics import split_characteristics
from dermaug.report.sections.flow import (
    UNREADABLE,
    flow_boxes,
    flow_diagram,
)
from dermaug.report.sections.leakage import NO_PART, split_table
from dermaug.scoring.points import point_of
from dermaug.scoring.subgroup_scores import score_subgroups
from dermaug.scoring.verdicts import verdict_table

Study = Callable[..., RunResults]


def test_all_images_are_in_one_split_or_left_out(drawn_study: Study) -> None:
    results = drawn_study()
    fold = results.folds[0]
    skipped = results.record.data.model_copy(update={"skipped": {"a.jpg": "truncated"}})
    short = replace(recorded(results, data=skipped), folds=(replace(fold, train=fold.train[:10]),))
    images = {each.box: each.images for each in flow_boxes(short)}
    parts = [images[name] for name in ("train", "validation", "test", NO_PART)]
    assert sum(parts) == images["used"] == len(results.catalog)
    assert images["selected"] == images["used"] + images[UNREADABLE]
    (panel,) = flow_diagram(short).panels
    assert f"train: {images['train']:,} images" in panel.alt
    assert b"unreadable" in panel.data


def test_table_1_counts_classes_ages_and_ways_of_diagnosis(drawn_study: Study) -> None:
    results = drawn_study()
    rows = {row[0]: row[1:] for row in split_characteristics(results).rows}
    fold = results.folds[0]
    assert rows["Images"] == tuple(
        f"{len(ids)}" for ids in (fold.train, fold.validation, fold.test)
    )
    table = results.catalog.table.set_index("image_id").loc[list(fold.test)]
    mel = (table["label"] == "mel").sum()
    assert rows["Class melanoma (mel)"][2] == f"{mel} ({100 * mel / len(table):.1f} %)"
    assert rows["Age in years"][2] == f"{table['age'].mean():.1f} ± {table['age'].std():.1f}"
    assert rows["Diagnosis by: histo"] == tuple(f"{n} (100.0 %)" for n in rows["Images"])


def test_lesions_that_are_unknown_are_not_counted_and_patients_are(drawn_study: Study) -> None:
    results = drawn_study()
    table = results.catalog.table
    patients = [f"p{row // 2}" for row in range(len(table))]
    catalog = replace(
        results.catalog, table=table.assign(patient_id=patients), grouped=False, grouping="auto"
    )
    unknown = replace(results, catalog=catalog)
    (used,) = (each for each in flow_boxes(unknown) if each.box == "used")
    assert np.isnan(used.lesions)
    assert used.patients == len(set(patients))
    (panel,) = flow_diagram(unknown).panels
    assert "lesion" not in panel.alt
    assert f"used: {len(table)} images, {len(set(patients))} patients" in panel.alt
    rows = {row[0]: row[1:] for row in split_characteristics(unknown).rows}
    assert rows["Lesions"] == ("unknown",) * 3
    assert "Lesions" not in split_table(unknown).header
    assert "Lesions" in split_table(results).header
    assert "lesions" in flow_diagram(results).panels[0].alt


def test_results_are_given_by_way_of_diagnosis(drawn_study: Study) -> None:
    ways = ("histo", "follow_up")
    results = drawn_study(seeds=(0, 1))
    table = results.catalog.table
    split = [ways[row % 2] for row in range(len(table))]
    catalog = replace(results.catalog, table=table.assign(dx_type=split))
    scored = score_subgroups(point_of(replace(results, catalog=catalog), 50), 50)
    found = scored[scored["grouping"] == "dx_type"]
    assert set(found["group"]) == set(ways)
    images = found.drop_duplicates("group").set_index("group")["images"]
    assert images.sum() == len({image for fold in results.folds for image in fold.test})


def test_a_group_of_one_class_is_as_uncertain_as_the_class(drawn_study: Study) -> None:
    results = drawn_study(seeds=(0, 1), lesions=60)
    table = results.catalog.table
    ways = np.where(table["label"] == "nv", "follow_up", "histo")
    catalog = replace(results.catalog, table=table.assign(dx_type=ways))
    point = point_of(replace(results, catalog=catalog), 400)
    scored, verdicts = score_subgroups(point, 400), verdict_table(point)
    told = scored[(scored["group"] == "follow_up") & (scored["metric"] == "balanced_accuracy")]
    asked = verdicts[(verdicts["scope"] == "nv") & (verdicts["family"] == "class sensitivity")]
    both = told.merge(asked, on=["arm", "reference"], suffixes=("", "_of_class"))
    assert len(both)
    assert np.allclose(both["value"], both["difference"])
    assert np.allclose(both[["low", "high"]], both[["low_of_class", "high_of_class"]], atol=0.01)
