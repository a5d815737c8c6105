import numpy as np
import pytest
from sklearn import metrics

from dermaug.data.sources.descriptors import HAM10000
from dermaug.evaluation.malignancy import (
    auc,
    called_by_top_class,
    malignant_classes,
    melanoma_classes,
    one_against_rest,
    partial_auc,
    sensitivity_specificity,
)


def predictions(number: int = 300) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    labels = random.integers(0, len(HAM10000), number)
    logits = random.normal(size=(number, len(HAM10000))) + 1.2 * np.eye(len(HAM10000))[labels]
    return labels, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def test_it_agrees_with_scikit_learn_on_the_folded_question() -> None:
    labels, probabilities = predictions()
    chosen = malignant_classes(HAM10000)
    assert chosen is not None
    truth = np.isin(np.array(HAM10000)[labels], ["mel", "bcc", "akiec"])
    summed = sum(probabilities[:, HAM10000.index(name)] for name in ("mel", "bcc", "akiec"))
    positive, scores = one_against_rest(labels, probabilities, chosen)
    assert (positive == truth).all()
    np.testing.assert_allclose(scores, summed)
    assert auc(positive, scores) == pytest.approx(metrics.roc_auc_score(truth, summed))
    top = np.isin(np.array(HAM10000)[probabilities.argmax(axis=1)], ["mel", "bcc", "akiec"])
    found = sensitivity_specificity(positive, called_by_top_class(probabilities, chosen))
    assert found[0] == pytest.approx(metrics.recall_score(truth, top))
    assert found[1] == pytest.approx(metrics.recall_score(~truth, ~top))


def test_benign_and_malignant_are_what_they_say() -> None:
    chosen = malignant_classes(["benign", "malignant"])
    assert chosen is not None
    assert chosen.tolist() == [False, True]


@pytest.mark.parametrize(
    "classes",
    [("mel", "melanocytic"), ("bkl", "nv"), ("mel", "bcc"), ("mel", "nv", "other"), ("MEL",)],
)
def test_unknown_names_and_one_sided_questions_are_left_alone(classes: tuple[str, ...]) -> None:
    assert malignant_classes(classes) is None


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (("BCC", "Dermatofibroma", "Melanoma", "Naevus", "Seborrheic keratosis"), "BCC Melanoma"),
        (("malignant", "nv"), "malignant"),
        (("Melanom", "Plattenepithelkarzinom", "Muttermal"), "Melanom Plattenepithelkarzinom"),
        (HAM10000, "akiec bcc mel"),
    ],
)
def test_diagnoses_are_known_by_their_names(classes: tuple[str, ...], expected: str) -> None:
    chosen = malignant_classes(classes)
    assert chosen is not None
    assert [label for label, own in zip(classes, chosen, strict=True) if own] == expected.split()
    assert melanoma_classes(classes).tolist() == [
        each[:5].lower() in ("mel", "melan") for each in classes
    ]


def test_one_side_alone_has_no_auc() -> None:
    assert np.isnan(auc(np.array([True, True]), np.array([0.1, 0.9])))
    sensitivity, specificity = sensitivity_specificity(np.array([True]), np.array([True]))
    assert sensitivity == 1.0
    assert np.isnan(specificity)


def test_partial_area_is_that_of_the_isic_2024_challenge() -> None:
    random = np.random.default_rng(0)
    for _ in range(5):
        positive = random.random(200) < 0.3
        scores = np.round(random.normal(size=200) + positive, 1)
        scaled = metrics.roc_auc_score(~positive, -scores, max_fpr=0.2)
        least, most = 0.5 * 0.2**2, 0.2
        expected = least + (most - least) / 0.5 * (scaled - 0.5)
        assert partial_auc(positive, scores) == pytest.approx(expected)
    assert partial_auc(positive, positive.astype(float)) == pytest.approx(0.2)
    assert np.isnan(partial_auc(np.ones(3, bool), np.arange(3.0)))
