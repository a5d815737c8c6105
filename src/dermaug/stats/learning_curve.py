"""The equivalent of a gain in real lesions, read off the data-size curve of the arm without it.

The curve is the inverse power law a - b * n^-c (Cortes et al. 1993; Figueroa et al. 2012, BMC Med.
Inform. Decis. Mak. 12:8), fitted to every resample by least squares. It is not extrapolated beyond
the largest number of lesions in the study.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from dermaug.errors import DermaugError

NONE, MORE = "none", "more than we can tell"
MIN_SIZES = 3
_EXPONENTS = np.geomspace(0.05, 3.0, 200)
"""From nearly logarithmic to saturated after a few lesions."""


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """Rising curves a - b * n^-c with b >= 0, one per resample.

    Args:
        ceiling: a, the limit of the score for many lesions.
        deficit: b, 0 for a curve that does not rise.
        exponent: c > 0.
    """

    ceiling: Float[np.ndarray, " r"]
    deficit: Float[np.ndarray, " r"]
    exponent: Float[np.ndarray, " r"]

    def at(self, size: float) -> Float[np.ndarray, " r"]:
        """Score with `size` lesions."""
        return np.asarray(self.ceiling - self.deficit * size**-self.exponent)

    def lesions_for(self, scores: Float[np.ndarray, " r"]) -> Float[np.ndarray, " r"]:
        """Number of lesions for these scores; infinite for a score that is never reached."""
        below = np.maximum(self.ceiling - scores, 0.0)
        share = np.divide(below, self.deficit, out=np.zeros_like(below), where=self.deficit > 0)
        with np.errstate(divide="ignore", over="ignore"):
            return np.asarray(share ** (-1.0 / self.exponent))


@dataclass(frozen=True)
class RealEquivalent:
    """Number of additional real lesions with the same effect as the synthetic dose.

    Args:
        lesions: Median over resamples; 0 for none, infinite beyond the curve.
        low: Lower end of the 95 % interval.
        high: Upper end; infinite if it lies beyond the curve.
    """

    lesions: float
    low: float
    high: float

    def __str__(self) -> str:
        high = f"{self.high:,.0f}" if np.isfinite(self.high) else MORE
        if self.lesions <= 0:
            return f"{NONE} (95 % interval 0 to {high})" if self.high > 0 else NONE
        if np.isfinite(self.lesions):
            return f"{self.lesions:,.0f} real lesions (95 % interval {self.low:,.0f} to {high})"
        if self.low <= 0:
            return f"anything from {NONE} to {MORE}"
        return f"{MORE}, at least {self.low:,.0f} real lesions" if self.low < np.inf else MORE


def fit_learning_curve(
    sizes: Float[np.ndarray, " p"], scores: Float[np.ndarray, "r p"]
) -> LearningCurve:
    """Fit a curve to every resample, by a grid over exponents with a closed form for a and b.

    Args:
        sizes: Numbers of real training lesions, all different and above 0.
        scores: Score at each size.

    Raises:
        DermaugError: There are fewer than three sizes, or they are not positive and different.
    """
    sizes = np.asarray(sizes, dtype=float)
    if len(np.unique(sizes)) < max(MIN_SIZES, len(sizes)) or sizes.min() <= 0:
        raise DermaugError(
            f"a learning curve needs at least {MIN_SIZES} different numbers of lesions, found "
            f"{', '.join(f'{size:g}' for size in sizes)}; add data sizes to the experiment"
        )
    shapes = sizes ** -_EXPONENTS[:, None]  # (exponents, p)
    shapes_centred = shapes - shapes.mean(axis=1, keepdims=True)
    means = scores.mean(axis=1)
    covariance = (scores - means[:, None]) @ shapes_centred.T  # (r, exponents)
    deficits = np.maximum(-covariance / (shapes_centred**2).sum(axis=1), 0.0)
    explained = deficits * np.maximum(-covariance, 0.0)
    best = explained.argmax(axis=1)
    deficit = np.take_along_axis(deficits, best[:, None], axis=1)[:, 0]
    return LearningCurve(means + deficit * shapes.mean(axis=1)[best], deficit, _EXPONENTS[best])


def real_equivalents(
    sizes: Float[np.ndarray, " p"],
    scores: Float[np.ndarray, "r p"],
    size: float,
    gain: Float[np.ndarray, " r"],
) -> RealEquivalent:
    """Estimate the number of real lesions with the same effect as a dose of synthetic images.

    Args:
        sizes: Numbers of real training lesions without synthetic images.
        scores: Resampled scores at these sizes.
        size: Number of real training lesions of the synthetic arm.
        gain: Resampled gain of the synthetic arm, from the same resamples; resamples with NaN are
            left out.

    Raises:
        DermaugError: There are too few sizes, `size` is outside them, or no resample is defined.
    """
    sizes = np.asarray(sizes, dtype=float)
    kept = np.isfinite(scores).all(axis=1) & np.isfinite(gain)
    curve = fit_learning_curve(sizes, scores[kept])
    if not sizes.min() <= size <= sizes.max() or not kept.any():
        raise DermaugError(
            f"expected scores and a number of lesions on the learning curve ({sizes.min():g} to "
            f"{sizes.max():g}), found {size:g} with {kept.sum()} valid resamples"
        )
    reached = curve.lesions_for(curve.at(size) + gain[kept])
    extra = np.where(reached > sizes.max(), np.inf, np.maximum(reached - size, 0.0))
    extra = np.where(gain[kept] <= 0, 0.0, extra)
    # Quantiles are order statistics, since values cannot be interpolated with infinity.
    low, middle, high = np.quantile(extra, [0.025, 0.5, 0.975], method="inverted_cdf")
    return RealEquivalent(float(middle), float(low), float(high))
