from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from drawn import recorded

from dermaug.experiment.run.results import RunResults
from dermaug.report.drawing import drawing, file_name, sheet, svg
from dermaug.report.sections.confusion_roc import roc_curves
from dermaug.report.sections.images import COLUMNS, ROWS, sample_grids
from dermaug.report.sections.training_curves import generator_curves, loss_columns
from dermaug.scoring.roc_scores import mean_roc, score_confusion, score_roc
from dermaug.scoring.scores import score_classes

Study = Callable[..., RunResults]
ARMS = ["real", "classic", "classic+synthetic"]


def test_a_drawing_is_valid_and_always_the_same() -> None:
    def draw() -> bytes:
        with drawing() as axes:
            axes.plot([0, 1], [1, 0])
            axes.set_title("$x <b> 腺")
            return svg(axes)

    first = draw()
    assert first == draw()
    texts = "".join(ElementTree.fromstring(first).itertext())
    assert "$x <b> 腺" in texts
    assert b"DejaVu" not in first


def test_titles_and_labels_that_would_be_cut_off_are_broken_into_lines() -> None:
    long = "Difference in sensitivity to malignant or pre-malignant lesions"
    with drawing(3.6, 2.4) as axes:
        axes.set(xlabel=long, ylabel="Share", title=f"Test images: {long.lower()}")
        svg(axes)
        (canvas,) = {axes.get_figure(root=True)}
        assert canvas is not None
        canvas.draw_without_rendering()
        for text in (axes.xaxis.label, axes._left_title):
            box = text.get_window_extent()
            assert "\n" in text.get_text()
            assert box.x0 >= 0
            assert box.x1 <= canvas.bbox.width
            assert text.get_text().replace("\n", " ").endswith(long[1:])
        assert axes.get_ylabel() == "Share"


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a b", "<script>", "...", "", "皮", "x" * 400]
)
def test_file_names_stay_in_their_folder(name: str) -> None:
    made = file_name("roc", 0, name)
    assert made.startswith("roc-0-")
    assert not set(made) & set("/\\<> ")
    assert len(made) < 130


def test_confusion_counts_every_test_prediction_once(drawn_study: Study) -> None:
    results = drawn_study(seeds=(0, 1))
    numbers = score_confusion(results)
    tested = 2 * sum(len(fold.test) for fold in results.folds)
    assert (numbers.groupby("arm")["predictions"].sum() == tested).all()


def test_mean_roc_has_the_mean_area_of_the_trials(drawn_study: Study) -> None:
    results = drawn_study(seeds=(0, 1))
    trials = [trial for trial in results.trials if trial.arm == "real"]
    curve = mean_roc(trials, 2, results)
    scores = score_classes(results)
    chosen = scores[(scores["arm"] == "real") & (scores["label"] == "mel")]
    assert curve["auc"].iloc[0] == pytest.approx(chosen["auc"].mean())
    assert curve["trials"].iloc[0] == 4
    assert curve["sensitivity"].is_monotonic_increasing
    area = np.trapezoid(curve["sensitivity"], curve["false_positive_rate"])
    assert area == pytest.approx(chosen["auc"].mean(), abs=0.02)


def test_a_panel_a_class_and_classifier(drawn_study: Study) -> None:
    figure = roc_curves(score_roc(drawn_study(models=("fridadar", "resnet18"))), ARMS)
    assert [name for name, _ in figure.groups] == ["fridadar", "resnet18"]
    assert len({panel.name for panel in figure.panels}) == len(figure.panels) == 6


def test_tiles_hold_the_images_in_order() -> None:
    images = np.arange(1, 31, dtype=np.uint8)[:, None, None, None].repeat(64, 1)
    page = sheet(images.repeat(64, 2).repeat(3, 3)[: ROWS * COLUMNS], COLUMNS)
    assert page.shape == (ROWS * 66 - 2, COLUMNS * 66 - 2, 3)
    corners = page[::66, ::66, 0].ravel()
    assert corners.tolist() == list(range(1, ROWS * COLUMNS + 1))
    small = sheet(images[:1, :16, :].repeat(16, 2).repeat(3, 3), 1)
    assert small.shape == (64, 64, 3)


def test_grids_show_training_images_of_the_class_only(drawn_study: Study) -> None:
    results = drawn_study()
    table = results.catalog.table.set_index("image_id")["label"]
    figure = sample_grids(results)
    assert figure is not None
    expected = (table.loc[list(results.folds[0].train)] == "mel").sum()
    assert figure.numbers["training_images"].tolist() == [expected]
    assert [panel.name for panel in figure.panels] == [
        "samples-0-dcgan-mel-real.png",
        "samples-0-dcgan-mel-synthetic.png",
    ]


def test_images_of_several_families_stand_under_their_names(drawn_study: Study) -> None:
    results = drawn_study(folds=1)
    (one,) = results.generators
    figure = sample_grids(replace(results, generators=(one, recorded(one, family="flow"))))
    assert figure is not None
    assert [(name, len(panels)) for name, panels in figure.groups] == [("dcgan", 2), ("flow", 2)]


def test_losses_are_told_from_other_columns(drawn_study: Study) -> None:
    figure = generator_curves(drawn_study())
    assert figure is not None
    assert [name for name, _, _ in figure.legend] == ["generator loss", "discriminator loss"]
    assert loss_columns(pd.DataFrame({"images": [1], "fold": [0], "score": [0.5]})) == ["score"]
