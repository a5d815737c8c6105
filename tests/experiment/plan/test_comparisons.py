from drawn import drawn_experiment

from dermaug.config import Arm
from dermaug.experiment.plan.comparisons import (
    BASELINE,
    CONTROL,
    NEGATIVE,
    REPLAY,
    Contrast,
    baseline,
    contrasts,
    is_gain,
    more_lesions,
    shortened,
)


def arms(*names: str, **changes: dict[str, object]) -> tuple[Arm, ...]:
    """Arms of a study, some of them changed."""
    asked = drawn_experiment(("nv", "mel"), dict.fromkeys(names, 1.0), ("fridadar",), (0,))
    return tuple(arm.model_copy(update=changes.get(arm.name, {})) for arm in asked.arms)


def test_an_arm_has_one_baseline_and_a_synthetic_one_its_replay() -> None:
    asked = arms("real", "classic", "classic+synthetic")
    found = contrasts(asked)
    assert found == (
        Contrast("classic", "real", BASELINE),
        Contrast("classic+synthetic", "classic", BASELINE),
        Contrast("classic+synthetic", "classic+synthetic-replay", REPLAY),
        Contrast("classic+synthetic-replay", "classic", CONTROL),
    )
    assert [is_gain(asked, each) for each in found] == [False, True, False, True]


def test_the_baseline_of_an_adjustment_by_source_is_the_adjusted_arm() -> None:
    adjusted, by_source = {"loss": "adjusted"}, {"loss": "adjusted_by_source"}
    asked = arms("real", "classic", "classic+synthetic", **{"classic": adjusted})
    asked = tuple(
        arm.model_copy(update=by_source) if arm.synthetic is not None else arm for arm in asked
    )
    assert baseline(asked, "classic+synthetic") == "classic"
    assert is_gain(asked, Contrast("classic+synthetic", "classic", BASELINE))


def test_a_replay_that_shows_what_its_baseline_shows_is_a_negative_control() -> None:
    found = contrasts(
        arms("real", "classic", "classic+synthetic"), negative=["classic+synthetic-replay"]
    )
    assert Contrast("classic+synthetic-replay", "classic", NEGATIVE) in found
    # Judged against its baseline already, and the two are the same: not a second time.
    assert all(each.role != REPLAY for each in found)


def test_half_of_the_lesions_is_compared_with_all() -> None:
    asked = arms("real", "half", half={"half": True, "policy": "none"})
    assert baseline(asked, "half") == "real"
    assert more_lesions(asked) == (Contrast("real", "half", BASELINE),)


def test_an_arm_that_measures_convergence_is_compared_with_nothing() -> None:
    asked = arms("real", "short", short={"convergence_of": "real", "length": 0.5})
    assert contrasts(asked) == ()
    assert baseline(asked, "short") is None
    assert shortened(asked) == (Contrast("real", "short", BASELINE),)
