import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dermaug.training.order import (
    Dosage,
    Order,
    PhasedOrder,
    class_weights,
    dose_per_real,
    part_weights,
    phases,
)


@given(
    num_rows=st.integers(1, 30),
    position=st.integers(0, 200),
    batch=st.integers(1, 70),
    cut=st.integers(0, 70),
)
def test_any_slice_equals_the_slice_of_the_whole(
    num_rows: int, position: int, batch: int, cut: int
) -> None:
    whole = Order(num_rows, seed=3).batch(0, position + batch)
    order = Order(num_rows, seed=3)
    cut = min(cut, batch)
    parts = [order.batch(position, cut)] if cut else []
    if cut < batch:
        parts.append(order.batch(position + cut, batch - cut))
    np.testing.assert_array_equal(np.concatenate(parts), whole[position:])


def test_every_epoch_shows_every_row_once() -> None:
    rows = Order(10, seed=0).batch(0, 40).reshape(4, 10)
    np.testing.assert_array_equal(np.sort(rows, axis=1), np.tile(np.arange(10), (4, 1)))
    assert len({tuple(epoch) for epoch in rows.tolist()}) == 4


def test_seeds_give_different_orders() -> None:
    assert Order(50, seed=0).batch(0, 50).tolist() != Order(50, seed=1).batch(0, 50).tolist()


def test_sampling_rules_give_their_class_shares() -> None:
    labels = np.repeat([0, 1], [900, 100])
    assert class_weights(labels, "natural") is None
    for sampling, share in (("balanced", 0.5), ("sqrt", 10 / 40)):
        order = Order(1_000, seed=0, weights=class_weights(labels, sampling))
        drawn = labels[order.batch(0, 20_000)]
        assert abs((drawn == 1).mean() - share) < 0.02


def test_a_share_of_what_is_shown_is_of_the_dose_whatever_its_size() -> None:
    labels = np.array([0] * 30 + [1] * 10 + [0] * 3 + [1] * 7)
    weights = part_weights(labels, "balanced", dosed=10, share=0.3)
    shown = [weights[:30], weights[30:40], weights[40:43], weights[43:]]
    assert [part.sum() for part in shown] == pytest.approx([0.35, 0.35, 0.15, 0.15])
    assert part_weights(labels, "natural", 10, 0.3)[40:] == pytest.approx([0.03] * 10)


SAMPLINGS = ["natural", "sqrt", "balanced"]
COUNTS = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 60)), min_size=1, max_size=6)


def rows_of(real: np.ndarray, dose: np.ndarray) -> np.ndarray:
    return np.concatenate([np.repeat(np.arange(len(real)), counts) for counts in (real, dose)])


def shown_by_class(labels: np.ndarray, dosed: int, dosage: Dosage, sampling: str) -> np.ndarray:
    """Share of what is shown, over the whole training: real and dose, by class."""
    shown, start = np.zeros((2, int(labels.max()) + 1)), 0.0
    is_dose = (np.arange(len(labels)) >= len(labels) - dosed).astype(int)
    for phase in phases(labels, sampling, dosage):
        weights = np.full(len(labels), 1 / len(labels)) if phase.weights is None else phase.weights
        np.add.at(shown, (is_dose, labels), (phase.until - start) * weights)
        start = phase.until
    return shown


@given(COUNTS, st.sampled_from(SAMPLINGS), st.sampled_from([{}, {"share": 0.4}, {"first": 0.3}]))
def test_dose_for_each_real_one_is_what_is_shown(
    counts: list[tuple[int, int]], sampling: str, way: dict[str, float]
) -> None:
    real, dose = np.array(counts).T
    labels = rows_of(real, dose)
    if dose.sum() == 0:
        return
    shown = shown_by_class(labels, dose.sum(), Dosage(int(dose.sum()), **way), sampling)
    found = dose_per_real(real, dose, sampling, next(iter(way.values()), None))
    np.testing.assert_allclose(found, shown[1] / shown[0], rtol=1e-9)


@given(COUNTS, st.sampled_from(SAMPLINGS), st.floats(0.05, 0.95), st.sampled_from([0.5, 1.0, 3.0]))
def test_a_share_shows_no_class_more_of_the_dose_than_allowed(
    counts: list[tuple[int, int]], sampling: str, share: float, most: float
) -> None:
    real, dose = np.array(counts).T
    labels = rows_of(real, dose)
    if dose.sum() == 0:
        return
    asked, held = (
        shown_by_class(labels, dose.sum(), Dosage(int(dose.sum()), share, 0.0, limit), sampling)
        for limit in (0.0, most)
    )
    assert (held[1] <= most * held[0] * (1 + 1e-9)).all()
    np.testing.assert_allclose(held.sum(axis=0), asked.sum(axis=0), atol=1e-12)
    within = asked[1] <= most * asked[0]
    np.testing.assert_allclose(held[:, within], asked[:, within], atol=1e-12)


@pytest.mark.parametrize("sampling", ["natural", "sqrt", "balanced"])
def test_a_dose_that_comes_first_is_shown_alone_and_then_not_at_all(sampling: str) -> None:
    labels = np.array([0] * 30 + [1] * 10 + [0] * 3 + [1] * 7)
    planned = phases(labels, sampling, Dosage(rows=10, first=0.5))
    order = PhasedOrder(50, 3, planned)
    before = np.concatenate([order.batch(16 * k, 16, k / 20) for k in range(10)])
    after = np.concatenate([order.batch(16 * k, 16, k / 20) for k in range(10, 20)])
    assert set(before) == set(range(40, 50))
    assert after.max() < 40


def test_without_a_dosage_an_order_is_what_it_was() -> None:
    labels = np.array([0] * 30 + [1] * 10)
    for sampling in ("natural", "balanced"):
        plain = Order(40, 3, class_weights(labels, sampling)).batch(16, 40)
        assert (
            PhasedOrder(40, 3, phases(labels, sampling, None)).batch(16, 40, 0.2) == plain
        ).all()
