"""Probabilities averaged over the images of a lesion, and the numbers of two-class data."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawn import reported
from sklearn.metrics import balanced_accuracy_score

from dermaug.experiment.run.results import RunResults
from dermaug.scoring.lesion_scores import score_lesions
from dermaug.scoring.scores import on_test

Study = Callable[..., RunResults]


def test_a_lesion_is_classified_by_the_mean_of_its_images(drawn_study: Study) -> None:
    results = drawn_study(classes=("mel", "nv"), lesions=60, skill={"real": 0.7}, folds=1)
    scores = score_lesions(results)
    trial = results.trials[0]
    test = on_test(trial)
    test = test.assign(lesion=test["image_id"].str.rsplit("-", n=1).str[0])
    lesions = test.groupby("lesion").agg({"label": "first", "p_mel": "mean", "p_nv": "mean"})
    called = np.where(lesions["p_mel"] > lesions["p_nv"], "mel", "nv")
    first = scores.iloc[0]
    assert first["lesions"] == len(lesions) < len(test)
    expected = balanced_accuracy_score(lesions["label"], called)
    assert first["balanced_accuracy"] == pytest.approx(expected)


def test_single_images_have_no_scores_of_their_own(drawn_study: Study) -> None:
    results = drawn_study(classes=("mel", "nv"), lesions=20, skill={"real": 1.0}, folds=1)
    table = results.catalog.table
    alone = replace(results.catalog, table=table.assign(lesion_id=table["image_id"]))
    assert score_lesions(replace(results, catalog=alone)).empty
    assert score_lesions(replace(results, catalog=replace(results.catalog, grouped=False))).empty


def test_two_class_data_get_their_numbers_on_the_page(drawn_study: Study, tmp_path: Path) -> None:
    results = drawn_study(classes=("benign", "malignant"), lesions=60, folds=1)
    page = reported(results, tmp_path / "page.html").read_text(encoding="utf-8")
    text = re.sub(r"<[^>]+>", " ", page)
    assert "Partial AUC" in text
    assert "Scores of lesions: the probabilities of all images of a lesion are averaged" in text
    points = pd.read_csv(tmp_path / "scoring/operating_points.csv")
    assert set(points["target"]) == {"malignant"}
    assert points["partial_auc"].between(0.02, 0.2).all()
    assert {"sensitivity", "specificity", "auc"} <= set(points.columns)
