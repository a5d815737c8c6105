import numpy as np
import pytest

from dermaug.evaluation.readouts import ADJUSTED, ARGMAX, AUC
from dermaug.stats.metrics import ALL, ROWS, Metric, metric_weights, metrics_of

CLASSES = ("a", "b", "c")


def test_every_metric_is_the_mean_that_its_name_says() -> None:
    support = np.array([[10.0, 30.0, 60.0], [90.0, 70.0, 40.0]])
    values = np.random.default_rng(0).random((len(ROWS), 3))
    found = dict(
        zip(
            metrics_of(CLASSES),
            np.einsum("mrk,rk->m", metric_weights(support), values),
            strict=True,
        )
    )
    assert found[Metric(ADJUSTED, ALL, "balanced_accuracy")] == pytest.approx(values[2].mean())
    assert found[Metric(ADJUSTED, ALL, "mean_specificity")] == pytest.approx(values[3].mean())
    accuracy = values[0] @ np.array([0.1, 0.3, 0.6])
    assert found[Metric("argmax", ALL, "accuracy")] == pytest.approx(accuracy)
    assert found[Metric("argmax", "b", "specificity")] == pytest.approx(values[1, 1])
    assert found[Metric(AUC, ALL, "macro_auc")] == pytest.approx(values[4].mean())
    assert found[Metric(AUC, "c", "auc")] == pytest.approx(values[4, 2])


def test_a_class_without_images_is_left_out_of_means_and_undefined_itself() -> None:
    weights = metric_weights(np.array([[10.0, 30.0, 0.0], [30.0, 10.0, 40.0]]))
    places = {metric: place for place, metric in enumerate(metrics_of(CLASSES))}
    mean = weights[places[Metric(AUC, ALL, "macro_auc")]]
    np.testing.assert_allclose(mean[4], [0.5, 0.5, 0.0])
    assert np.isnan(weights[places[Metric(AUC, "c", "auc")]]).any()


def test_of_a_single_class_its_sensitivity_is_the_mean_and_nothing_else_is_known() -> None:
    weights = metric_weights(np.array([[22.0, 0.0, 0.0], [0.0, 22.0, 22.0]]))
    names = metrics_of(("nv", "mel", "df"))
    known = {metric for metric, own in zip(names, weights, strict=True) if not np.isnan(own).any()}
    for readout in (ARGMAX, ADJUSTED):
        mean, own = (
            weights[names.index(Metric(readout, *which))]
            for which in (("all", "balanced_accuracy"), ("nv", "sensitivity"))
        )
        np.testing.assert_array_equal(mean, own)
        assert Metric(readout, "all", "mean_specificity") not in known
    assert Metric(AUC, "all", "macro_auc") not in known
