import numpy as np
import pytest

from dermaug.evaluation.decision_curve import net_benefit

RANDOM = np.random.default_rng(0)
POSITIVE = RANDOM.random(500) < 0.2
THRESHOLDS = np.linspace(0.01, 0.9, 40)


def test_calling_all_and_calling_right_have_known_benefits() -> None:
    share = POSITIVE.mean()
    odds = THRESHOLDS / (1 - THRESHOLDS)
    every = net_benefit(POSITIVE, np.ones(500), THRESHOLDS)
    np.testing.assert_allclose(every, share - (1 - share) * odds)
    np.testing.assert_allclose(net_benefit(POSITIVE, POSITIVE * 1.0, THRESHOLDS), share)
    assert (net_benefit(POSITIVE, np.zeros(500), THRESHOLDS) == 0).all()
    assert net_benefit(POSITIVE, np.ones(500), np.array([share])) == pytest.approx(0)


def test_true_probabilities_are_never_worse_than_calling_all_or_none() -> None:
    probabilities = RANDOM.random(200_000)
    positive = RANDOM.random(200_000) < probabilities
    own = net_benefit(positive, probabilities, THRESHOLDS)
    every = net_benefit(positive, np.ones(200_000), THRESHOLDS)
    assert (own >= np.maximum(every, 0) - 1e-9).all()
