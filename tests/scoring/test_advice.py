"""The sentence about a class says what its verdict says, and no more."""

from collections.abc import Callable

import numpy as np
import pytest

from dermaug.experiment.run.results import RunResults
from dermaug.scoring.advice import advice, class_sentence
from dermaug.scoring.points import point_of
from dermaug.scoring.verdicts import verdict_table
from dermaug.stats.outcomes import EQUIVALENT, HELPS, HURTS, INCONCLUSIVE, NOT_JUDGED

Study = Callable[..., RunResults]
ROW = {
    "scope": "mel",
    "difference": -0.05,
    "low": -0.09,
    "high": -0.01,
    "num_groups": 40,
    "attainable": True,
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"verdict": HURTS}, "do not use it"),
        ({"verdict": HELPS}, "gains with this dose (0.5 synthetic images per real one"),
        ({"verdict": EQUIVALENT, "margin": 0.05}, "harmless within 0.05"),
        ({"verdict": INCONCLUSIVE}, "inconclusive with 40 test groups"),
        (
            {"verdict": INCONCLUSIVE, "attainable": False},
            "inconclusive with 40 test groups, with which not even the largest "
            "possible gain would pass Holm's strictest step",
        ),
        ({"verdict": NOT_JUDGED}, "cannot be told from one training per arm"),
        ({"verdict": NOT_JUDGED, "num_groups": 9}, "cannot be told with 9 test groups"),
        ({"verdict": NOT_JUDGED, "difference": np.nan}, "cannot be told"),
    ],
)
def test_each_verdict_has_its_sentence(change: dict[str, object], said: str) -> None:
    text = class_sentence(ROW | change, [0.5, 0.5])
    assert text.startswith("melanoma (mel): ")
    assert said in text


def test_doses_that_differ_between_trainings_are_given_as_a_range() -> None:
    text = class_sentence(ROW | {"verdict": INCONCLUSIVE}, [0.0, 0.05, 0.025])
    assert "0 to 0.05 synthetic images per real one" in text


def test_every_class_of_a_synthetic_arm_is_spoken_of_once(drawn_study: Study) -> None:
    results = drawn_study(seeds=(0, 1))
    verdicts = verdict_table(point_of(results, resamples=400))
    table = advice(results, verdicts)
    assert list(table["label"]) == list(results.catalog.classes)
    assert set(table["arm"]) == {"classic+synthetic"}
    judged = verdicts[verdicts["family"] == "class sensitivity"].set_index(["arm", "scope"])
    for row in table.to_dict("records"):
        assert row["verdict"] == judged.loc[(row["arm"], row["label"]), "verdict"]
    dosed = table.set_index("label")["per_real"]
    counts = next(
        trial.record.train_counts for trial in results.trials if trial.arm == "classic+synthetic"
    )
    last = results.catalog.classes[-1]
    assert dosed[last] == pytest.approx(100 / counts[last].real, rel=0.1)
    assert (dosed.drop(last) == 0).all()
    none = table[table["per_real"] == 0]["sentence"]
    assert not none.str.contains("0 synthetic images per real one").any()


def test_arms_of_real_images_get_no_advice(drawn_study: Study) -> None:
    results = drawn_study(skill={"real": 1.2, "classic": 1.6}, seeds=(0, 1))
    assert advice(results, verdict_table(point_of(results, resamples=400))).empty
