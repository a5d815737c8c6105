import numpy as np
import pytest
from sklearn import metrics

from dermaug.errors import DermaugError
from dermaug.evaluation.discrimination import confusion, overall, per_class, rates, roc

CLASSES = ("bkl", "mel", "nv", "vasc")


def predictions(number: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = random.choice(len(CLASSES), size=number, p=[0.2, 0.2, 0.5, 0.1])
    logits = random.normal(size=(number, len(CLASSES))) + 1.3 * np.eye(len(CLASSES))[labels]
    return labels, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


@pytest.mark.parametrize("seed", range(3))
def test_per_class_agrees_with_scikit_learn(seed: int) -> None:
    labels, probabilities = predictions(seed=seed)
    table = per_class(labels, probabilities, CLASSES).set_index("label")
    called = probabilities.argmax(axis=1)
    report = metrics.classification_report(
        labels, called, target_names=CLASSES, output_dict=True, zero_division=np.nan
    )
    for index, label in enumerate(CLASSES):
        row, expected = table.loc[label], report[label]
        assert row["support"] == expected["support"]
        assert row["sensitivity"] == pytest.approx(expected["recall"])
        assert row["ppv"] == pytest.approx(expected["precision"])
        assert row["f1"] == pytest.approx(expected["f1-score"])
        inverted = metrics.precision_recall_fscore_support(labels != index, called != index)
        assert row["specificity"] == pytest.approx(inverted[1][1])
        assert row["npv"] == pytest.approx(inverted[0][1])
        scores = probabilities[:, index]
        assert row["auc"] == pytest.approx(metrics.roc_auc_score(labels == index, scores))
        precision = metrics.average_precision_score(labels == index, scores)
        assert row["average_precision"] == pytest.approx(precision)


@pytest.mark.parametrize("seed", range(3))
def test_overall_agrees_with_scikit_learn(seed: int) -> None:
    labels, probabilities = predictions(seed=seed)
    called, numbers = probabilities.argmax(axis=1), overall(labels, probabilities)
    expected = {
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, called),
        "accuracy": metrics.accuracy_score(labels, called),
        "macro_auc": metrics.roc_auc_score(labels, probabilities, multi_class="ovr"),
        "kappa": metrics.cohen_kappa_score(labels, called),
        "weighted_sensitivity": metrics.recall_score(labels, called, average="weighted"),
    }
    for name, value in expected.items():
        assert numbers[name] == pytest.approx(value), name
    specificities = per_class(labels, probabilities, CLASSES)["specificity"]
    assert numbers["mean_specificity"] == pytest.approx(specificities.mean())
    counts = confusion(labels, probabilities)
    assert (counts == metrics.confusion_matrix(labels, called)).all()


def test_a_class_without_images_is_undefined_not_zero() -> None:
    labels, probabilities = predictions()
    kept = labels != 3
    labels, probabilities = labels[kept], probabilities[kept]
    row = per_class(labels, probabilities, CLASSES).iloc[3]
    assert row["support"] == 0
    assert row[["sensitivity", "f1", "auc", "average_precision"]].isna().all()
    assert 0 < row["specificity"] < 1
    numbers = overall(labels, probabilities)
    recalls = metrics.recall_score(
        labels, probabilities.argmax(axis=1), average=None, labels=[0, 1, 2]
    )
    assert numbers["balanced_accuracy"] == pytest.approx(recalls.mean())
    assert not any(np.isnan(value) for value in numbers.values())


def test_a_class_never_predicted_has_no_predictive_value() -> None:
    labels = np.array([0, 0, 1])
    table = per_class(labels, np.array([[0.9, 0.1]] * 3), ("a", "b"))
    assert np.isnan(table["ppv"][1])
    assert table["sensitivity"].tolist() == [1.0, 0.0]
    assert table["f1"][1] == 0.0


def test_a_single_class_and_no_images_give_no_warning() -> None:
    one = overall(np.zeros(4, dtype=int), np.array([[0.9, 0.1]] * 4))
    assert one["balanced_accuracy"] == 1.0
    assert np.isnan(one["mean_specificity"])
    assert np.isnan(one["macro_auc"])
    none = overall(np.zeros(0, dtype=int), np.zeros((0, 2)))
    assert all(np.isnan(value) for value in none.values())


def test_roc_runs_from_corner_to_corner_with_the_same_area() -> None:
    labels, probabilities = predictions()
    curve = roc(labels, probabilities, 1)
    assert curve is not None
    assert (curve.false_positive_rate[0], curve.sensitivity[0]) == (0.0, 0.0)
    assert (curve.false_positive_rate[-1], curve.sensitivity[-1]) == (1.0, 1.0)
    area = np.trapezoid(curve.sensitivity, curve.false_positive_rate)
    assert area == pytest.approx(metrics.roc_auc_score(labels == 1, probabilities[:, 1]))
    assert roc(np.zeros(5, dtype=int), np.full((5, 2), 0.5), 0) is None


def test_rates_of_a_stack_are_the_rates_of_each() -> None:
    stack = np.stack([confusion(*predictions(seed=seed)) for seed in range(4)])
    together = rates(stack)
    for index, counts in enumerate(stack):
        for name, value in rates(counts).items():
            assert together[name][index] == pytest.approx(float(value))


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([0, 1], [[0.5, 0.5]], "expected n labels"),
        ([0], [[np.nan, 0.5]], "finite"),
        ([2], [[0.5, 0.5]], "labels 0 to 1"),
        ([-1], [[0.5, 0.5]], "labels 0 to 1"),
    ],
)
def test_wrong_input_is_refused(labels: list, probabilities: list, message: str) -> None:
    with pytest.raises(DermaugError, match=message):
        overall(np.array(labels), np.array(probabilities))
