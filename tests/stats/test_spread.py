import numpy as np
import pytest

from dermaug.evaluation.readouts import ADJUSTED, ARGMAX, AUC
from dermaug.stats.metrics import ALL, Metric, metrics_of
from dermaug.stats.spread import FREEDOM, MARGIN, SPREAD, UNKNOWN, expected_spread, moderated


def test_every_metric_has_an_expectation() -> None:
    metrics = metrics_of(("a", "b"))
    found = expected_spread(metrics, np.full(len(metrics), 0.6), np.full(len(metrics), 50.0))
    assert (found > 0).all()


def test_rates_near_their_ends_vary_less_and_never_not_at_all() -> None:
    metric = [Metric(ADJUSTED, "mel", "sensitivity")]
    middle, end = (
        expected_spread(metric, np.array([level]), np.array([30.0]))[0] for level in (0.5, 1.0)
    )
    assert middle == pytest.approx(MARGIN * SPREAD[ADJUSTED, "sensitivity"] / 4)
    assert 0 < end < middle / 5
    overall = [Metric(AUC, ALL, "macro_auc")]
    assert expected_spread(overall, np.array([0.9]), np.array([30.0]))[0] == (
        pytest.approx(MARGIN * SPREAD[AUC, "macro_auc"])
    )


def test_moderation_is_smyths_weighted_mean() -> None:
    variance, freedom = moderated(np.array([0.0]), 1, np.array([0.3]))
    assert freedom == FREEDOM + 1
    assert variance[0] == pytest.approx(FREEDOM * 0.3 / freedom)


@pytest.mark.parametrize("of_class", [True, False])
def test_an_unmeasured_metric_is_expected_to_vary_as_much_as_any_read_out(of_class: bool) -> None:
    single = {"sensitivity", "specificity", "auc"}
    measured = [
        value
        for (readout, metric), value in SPREAD.items()
        if readout in (ARGMAX, ADJUSTED, AUC) and (metric in single) == of_class
    ]
    assert max(measured) == UNKNOWN[of_class]
