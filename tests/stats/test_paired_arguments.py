"""What is no table, prior, margin or number is refused by `paired_difference`."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from drawn import tables

from dermaug.errors import DermaugError
from dermaug.experiment.run.results import RunResults
from dermaug.stats import paired_difference

Study = Callable[..., RunResults]


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.assign(p_mel=t["p_mel"].astype(object)),
        lambda t: t.assign(p_mel=t["p_mel"].astype(str)),
        lambda t: t.assign(p_mel=t["p_mel"].map(lambda share: str(share).replace(".", ","))),
        lambda t: t.assign(p_mel=t["p_mel"].astype("category")),
        lambda t: t.convert_dtypes(),
    ],
    ids=["objects", "text", "decimal commas", "categories", "nullable"],
)
def test_numbers_are_numbers_in_columns_of_any_type(
    drawn_study: Study, change: Callable[[pd.DataFrame], pd.DataFrame]
) -> None:
    one, other = tables(drawn_study(seeds=(0, 1)), "classic", "real")
    assert paired_difference(change(one), other) == paired_difference(one, other)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.to_dict("list"), "predictions_a: expected a DataFrame, found {'image'"),
        (lambda t: t["p_mel"], "expected a DataFrame, found a value of type Series"),
        (lambda t: pd.concat([t, t[["p_mel"]]], axis=1), "found mel twice"),
        (lambda t: pd.concat([t, t[["label"]]], axis=1), "found label twice"),
        (lambda t: t.rename(columns={"p_mel": "p_label"}), "found label twice"),
        (
            lambda t: t.assign(p_mel=pd.array([None, *t["p_mel"][1:]], dtype="Float64")),
            "the sum nan",
        ),
        (
            lambda t: t.assign(p_mel=["0,1", "high", *map(str, t["p_mel"][2:])]),
            "probabilities in mel, found text ('high', image",
        ),
    ],
)
def test_what_is_no_table_of_numbers_is_refused(
    drawn_study: Study, change: Callable[[pd.DataFrame], object], message: str
) -> None:
    one, other = tables(drawn_study(), "classic", "real")
    with pytest.raises(DermaugError) as caught:
        paired_difference(change(one), other)
    assert message in str(caught.value)


EVEN = {"mel": 1, "nv": 1, "bkl": 1}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"prior_a": {}}, "prior_a: expected a number for each class"),
        ({"prior_a": {"mel": 1, "nv": 1}}, "prior_a: expected a number for each class"),
        ({"prior_b": EVEN | {"zz": 1}}, "found mel, nv, bkl, zz"),
        ({"prior_a": None}, "prior_a: expected a prior, as the other table has one"),
        ({"prior_b": None}, "prior_b: expected a prior, as the other table has one"),
        ({"prior_a": [1, 1, 1]}, "prior_a: Input should be a table of keys and values"),
        ({"prior_a": EVEN | {"mel": 0}}, "prior_a.mel: Input should be greater than 0; found 0"),
        ({"prior_a": EVEN | {"mel": -1}}, "prior_a.mel: Input should be greater than 0"),
        ({"prior_a": EVEN | {"mel": np.nan}}, "prior_a.mel: Input should be a finite number"),
        ({"prior_a": EVEN | {"mel": np.inf}}, "prior_a.mel: Input should be a finite number"),
        ({"prior_a": EVEN | {"mel": "a"}}, "prior_a.mel: Input should be a valid number"),
        ({"margins": None}, "margins: Input should be a table of keys and values"),
        ({"margins": {"balanced_acuracy": 0.5}}, "did you mean 'balanced_accuracy'?"),
        ({"margins": {"sensitivity": 0.5}}, "sensitivity: unknown key"),
        ({"margins": {"macro_auc": 5}}, "macro_auc: Input should be less than or equal to 1"),
        ({"margins": {"macro_auc": -1}}, "macro_auc: Input should be greater than 0"),
        ({"margins": {"macro_auc": np.nan}}, "margins.macro_auc: Input should be a finite number"),
        ({"margins": {"macro_auc": "a"}}, "margins.macro_auc: Input should be a valid number"),
        ({"trained_on": 0}, "trained_on: Input should be greater than or equal to 1; found 0"),
        ({"trained_on": -5}, "trained_on: Input should be greater than or equal to 1"),
        ({"trained_on": np.nan}, "trained_on: Input should be a valid integer; found nan"),
        ({"trained_on": "many"}, "trained_on: Input should be a valid integer; found 'many'"),
        ({"resamples": 0}, "resamples: Input should be greater than or equal to 100"),
        ({"resamples": 1}, "resamples: Input should be greater than or equal to 100"),
        ({"resamples": 200.5}, "resamples: Input should be a valid integer"),
        ({"resamples": True}, "resamples: Input should be a valid integer; found True"),
        ({"resamples": 10**12}, "resamples: Input should be less than or equal to 100000"),
        ({"resamples": 10**5000}, "found a value of type int"),
        ({"resamples": None}, "resamples: Input should be a valid integer; found None"),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)
def test_impossible_arguments_are_refused(
    drawn_study: Study, given: dict[str, object], message: str
) -> None:
    one, other = tables(drawn_study(), "classic", "real")
    with pytest.raises(DermaugError) as caught:
        paired_difference(one, other, **({"prior_a": EVEN, "prior_b": EVEN} | given))
    assert message in str(caught.value)


def test_priors_are_shares_or_numbers_and_margins_those_of_a_run(drawn_study: Study) -> None:
    one, other = tables(drawn_study(seeds=(0, 1)), "classic", "real")

    def found(times: float, **given: object) -> object:
        prior = {"mel": 0.25 * times, "nv": 0.625 * times, "bkl": 0.125 * times}
        return paired_difference(one, other, prior_a=prior, prior_b=EVEN, resamples=100, **given)

    assert found(1.0) == found(1000) == found(2.0**1020)
    assert found(1.0) == found(np.float32(1.0), margins={"macro_auc": 0.01})
    assert found(1.0) != found(1.0, margins={"macro_auc": 0.02})
