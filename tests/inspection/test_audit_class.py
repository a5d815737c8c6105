from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from dermaug.data.sources.phantom import draw_class
from dermaug.errors import DermaugError
from dermaug.experiment.stages.judges import Judge
from dermaug.inspection.audit_class import PAIR_COLUMNS, Subjects, audit_class

SIZE = 32
CPU = torch.device("cpu")


def coarse(images: Tensor) -> Tensor:
    """Mean colours of 8 x 8 blocks: features that need no training."""
    return functional.avg_pool2d(images, SIZE // 4).flatten(1)


JUDGE = Judge("coarse colours", coarse, CPU)


def drawn(number: int, seed: int) -> np.ndarray:
    return draw_class("bcc", number, seed, SIZE).images


@pytest.fixture(scope="module")
def subjects() -> Callable[[np.ndarray], Subjects]:
    training, validation = draw_class("bcc", 120, 1, SIZE), draw_class("bcc", 110, 2, SIZE)
    ids = np.array([f"T{row}" for row in range(120)], dtype=object)
    known, lesions = (
        np.array([f"{side} {lesion}" for lesion in batch.table["lesion_id"]], dtype=object)
        for side, batch in (("training", training), ("validation", validation))
    )

    def given(synthetic: np.ndarray) -> Subjects:
        return Subjects("bcc", synthetic, training.images, ids, known, validation.images, lesions)

    return given


def noise(number: int) -> np.ndarray:
    shape = (number, SIZE, SIZE, 3)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_training_images_in_the_place_of_synthetic_ones_get_the_floor(
    subjects: Callable[[np.ndarray], Subjects],
) -> None:
    given = subjects(drawn(120, 1))
    # As if of different lesions, as the synthetic ones are.
    given = replace(given, training_lesions=given.training_ids)
    found = audit_class(given, JUDGE, 0).numbers
    for name in ("kid", "fid", "precision", "recall", "density", "coverage"):
        assert found[name] == pytest.approx(found[f"{name}_floor"]), name
    assert found["copy_rate"] == 1.0
    assert found["copies"] == found["copy_examined"] == 120


def test_fresh_lesions_are_at_the_floor_and_no_copies(
    subjects: Callable[[np.ndarray], Subjects],
) -> None:
    found = audit_class(subjects(drawn(120, 3)), JUDGE, 0).numbers
    assert found["kid_low"] <= found["kid_floor"] <= found["kid_high"]
    assert found["recall"] > 0.5
    assert found["copy_low"] <= found["copy_expected"]


def test_images_of_one_lesion_count_once_on_both_sides(
    subjects: Callable[[np.ndarray], Subjects],
) -> None:
    """Each photograph there twice: neither KID with its interval nor FID may change."""
    once = subjects(drawn(120, 3))
    once = replace(once, training_lesions=once.training_ids, lesions=np.arange(110).astype(str))
    rows, kept = np.repeat(np.arange(120), 2), np.repeat(np.arange(110), 2)
    twice = replace(
        once,
        training=once.training[rows],
        training_ids=once.training_ids[rows],
        training_lesions=once.training_lesions[rows],
        validation=once.validation[kept],
        lesions=once.lesions[kept],
    )
    one, two = (audit_class(given, JUDGE, 0).numbers for given in (once, twice))
    for name in ("kid", "kid_floor", "kid_low", "kid_high", "fid", "fid_floor"):
        assert two[name] == pytest.approx(one[name], rel=1e-6, abs=1e-9), name
    assert two["fid_flag"] == one["fid_flag"]


def test_noise_is_far_from_everything(subjects: Callable[[np.ndarray], Subjects]) -> None:
    found = audit_class(subjects(noise(60)), JUDGE, 0).numbers
    assert found["kid_low"] > found["kid_floor_high"]
    assert found["fid"] > 3 * found["fid_floor"]
    assert found["precision"] < 0.5 * found["precision_floor"]
    assert found["coverage"] < 0.1
    assert found["copies"] == 0


def test_planted_copies_head_the_pairs(subjects: Callable[[np.ndarray], Subjects]) -> None:
    images = drawn(50, 4)
    images[[9, 30]] = np.rot90(drawn(120, 1)[[70, 5]], 3, axes=(1, 2))
    audit = audit_class(subjects(images), JUDGE, 0)
    assert list(audit.pairs.columns) == list(PAIR_COLUMNS)
    top = audit.pairs.head(2)
    assert set(zip(top["synthetic"], top["training_image"], strict=True)) == {
        (9, "T70"),
        (30, "T5"),
    }
    assert (top["score"] == 0).all()
    assert audit.pairs["score"].is_monotonic_increasing


@pytest.mark.parametrize("validation", [0, 1, 3])
def test_few_validation_images_leave_gaps_not_errors(
    subjects: Callable[[np.ndarray], Subjects], validation: int
) -> None:
    full = subjects(drawn(20, 5))
    first = np.unique(full.lesions, return_index=True)[1][:validation]
    given = replace(full, validation=full.validation[first], lesions=full.lesions[first])
    found = audit_class(given, JUDGE, 0).numbers
    expected = audit_class(full, JUDGE, 0).numbers
    assert set(found) == set(expected)
    assert np.isfinite(found["kid"]) == (validation >= 2)
    assert np.isnan([found["precision"], found["kid_low"], found["visible_share"]]).all()
    assert np.isfinite(found["copy_rate"]) == (validation >= 1)


def test_the_unit_of_features_does_not_matter(subjects: Callable[[np.ndarray], Subjects]) -> None:
    large = Judge("larger", lambda images: 1000.0 * coarse(images), CPU)
    given = subjects(drawn(30, 6))
    one, other = (audit_class(given, judge, 0) for judge in (JUDGE, large))
    assert one.numbers["kid"] == pytest.approx(other.numbers["kid"], rel=1e-3)
    pd.testing.assert_series_equal(one.pairs["score"], other.pairs["score"], rtol=1e-3)


def test_nothing_to_look_at_is_an_error(subjects: Callable[[np.ndarray], Subjects]) -> None:
    with pytest.raises(DermaugError, match="bcc: expected synthetic and training images"):
        audit_class(subjects(drawn(3, 1)[:0]), JUDGE, 0)
