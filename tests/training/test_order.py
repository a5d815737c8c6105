import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dermaug.training.order import Order, class_weights


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
