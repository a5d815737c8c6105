import numpy as np
import pytest
from scipy.optimize import curve_fit

from dermaug.errors import DermaugError
from dermaug.stats.learning_curve import fit_learning_curve, real_equivalents

SIZES = np.array([20.0, 60.0, 180.0, 540.0, 1_600.0])


def curve(sizes: np.ndarray, ceiling: float = 0.8, deficit: float = 1.2, exponent: float = 0.5):  # noqa: ANN201
    return ceiling - deficit * sizes**-exponent


def noisy(resamples: int, sd: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=(resamples, len(SIZES)))
    return curve(SIZES) + sd * noise


def test_a_curve_of_the_family_is_found() -> None:
    fitted = fit_learning_curve(SIZES, curve(SIZES)[None])
    sizes = np.array([20.0, 100.0, 1_000.0])
    found = [fitted.at(size)[0] for size in sizes]
    np.testing.assert_allclose(found, curve(sizes), atol=2e-3)
    np.testing.assert_allclose(fitted.lesions_for(fitted.at(250.0)), [250.0])


def test_the_fit_is_no_worse_than_scipys() -> None:
    scores = noisy(5, 0.01)
    fitted = fit_learning_curve(SIZES, scores)
    for row, ours in zip(
        scores, np.stack([fitted.at(size) for size in SIZES], axis=1), strict=True
    ):
        start, bounds = (0.8, 1.0, 0.5), ([0, 0, 0.05], [5, 20, 3])
        best, _ = curve_fit(curve, SIZES, row, p0=start, bounds=bounds)
        scipys = ((curve(SIZES, *best) - row) ** 2).sum()
        assert ((ours - row) ** 2).sum() <= 1.02 * scipys + 1e-7


def test_a_gain_as_large_as_that_of_known_lesions_is_worth_them() -> None:
    gain = float(curve(np.array(300.0)) - curve(np.array(180.0)))
    random = np.random.default_rng(1)
    found = real_equivalents(
        SIZES, noisy(2_000, 0.004), 180, gain + 0.004 * random.normal(size=2_000)
    )
    assert found.lesions == pytest.approx(120, rel=0.15)
    assert 0 <= found.low < 120 < found.high < np.inf
    assert str(found).startswith(f"{found.lesions:,.0f} real lesions (95 % interval ")


def test_the_interval_covers_the_truth() -> None:
    random = np.random.default_rng(2)
    gain, error = float(curve(np.array(300.0)) - curve(np.array(180.0))), 0.004
    hits = 0
    for _ in range(200):
        scores = curve(SIZES) + error * random.normal(size=len(SIZES))
        seen = gain + error * random.normal()
        found = real_equivalents(
            SIZES,
            scores + error * random.normal(size=(400, len(SIZES))),
            180,
            seen + error * random.normal(size=400),
        )
        hits += found.low <= 120 <= found.high
    assert 0.91 <= hits / 200 <= 0.99


def test_no_gain_is_worth_nothing_and_too_much_is_beyond_the_curve() -> None:
    scores, gain = noisy(300, 0.002), np.full(300, 0.05)
    nothing = real_equivalents(SIZES, scores, 180, -gain)
    assert (nothing.lesions, str(nothing)) == (0.0, "none")
    beyond = real_equivalents(SIZES, scores, 180, 5 * gain)
    assert (beyond.lesions, str(beyond)) == (np.inf, "more than we can tell")
    at_the_end = real_equivalents(SIZES, scores, SIZES[-1], gain)
    assert at_the_end.lesions == np.inf


def test_a_gain_in_doubt_is_told_with_its_interval() -> None:
    scores = noisy(500, 0.002)
    spread = np.random.default_rng(4).normal(size=500)
    loss = real_equivalents(SIZES, scores, 180, -0.01 + 0.02 * spread)
    assert loss.lesions == 0
    assert str(loss) == f"none (95 % interval 0 to {loss.high:,.0f})"
    at_the_end = real_equivalents(SIZES, scores, SIZES[-1], 0.01 + 0.02 * spread)
    assert str(at_the_end) == "anything from none to more than we can tell"


def test_a_falling_curve_tells_nothing_of_a_gain() -> None:
    falling = np.linspace(0.6, 0.5, len(SIZES))[None].repeat(50, axis=0)
    found = real_equivalents(SIZES, falling, 60, np.full(50, 0.01))
    assert found.lesions == np.inf


def test_a_wider_gain_gives_an_open_interval() -> None:
    gain = 0.05 + 0.05 * np.random.default_rng(3).normal(size=500)
    found = real_equivalents(SIZES, noisy(500, 0.002), 540, gain)
    assert found.low == 0
    assert found.high == np.inf


@pytest.mark.parametrize(
    ("sizes", "size"), [([20, 60], 20), ([20, 20, 60], 20), ([0, 20, 60], 20), ([20, 60, 180], 200)]
)
def test_too_few_sizes_or_one_off_the_curve_are_refused(sizes: list[int], size: int) -> None:
    scores = np.linspace(0.5, 0.6, len(sizes))[None].repeat(10, axis=0)
    with pytest.raises(DermaugError, match="found"):
        real_equivalents(np.array(sizes), scores, size, np.full(10, 0.01))


def test_undefined_resamples_are_left_out() -> None:
    scores, gain = noisy(100, 0.002), np.full(100, 0.01)
    gain[:40] = np.nan
    kept = real_equivalents(SIZES, scores, 180, gain)
    assert kept == real_equivalents(SIZES, scores[40:], 180, gain[40:])
    with pytest.raises(DermaugError, match="0 valid resamples"):
        real_equivalents(SIZES, scores, 180, np.full(100, np.nan))
