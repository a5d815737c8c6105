from collections.abc import Callable, Mapping
from dataclasses import replace

from dermaug.experiment.plan.comparisons import (
    BASELINE,
    CONTROL,
    NEGATIVE,
    REPLAY,
    Contrast,
    baseline,
    contrasts,
)
from dermaug.experiment.run.results import RunResults

Study = Callable[..., RunResults]
ARMS = {"real": 1.2, "classic": 1.6, "classic+synthetic": 1.8, "classic+synthetic-replay": 1.6}


def with_arm(results: RunResults, name: str, changes: Mapping[str, object]) -> RunResults:
    arms = tuple(
        arm.model_copy(update=dict(changes)) if arm.name == name else arm
        for arm in results.experiment.arms
    )
    return replace(results, experiment=results.experiment.model_copy(update={"arms": arms}))


def shown_alike(results: RunResults) -> RunResults:
    first = results.trials[0].manifest["shown"]
    return replace(
        results,
        trials=tuple(
            replace(trial, manifest={**trial.manifest, "shown": first}) for trial in results.trials
        ),
    )


def test_an_arm_has_one_baseline_and_a_synthetic_one_its_replay(drawn_study: Study) -> None:
    assert contrasts(drawn_study(skill=ARMS)) == [
        Contrast("classic", "real", BASELINE),
        Contrast("classic+synthetic", "classic", BASELINE),
        Contrast("classic+synthetic", "classic+synthetic-replay", REPLAY),
        Contrast("classic+synthetic-replay", "classic", CONTROL),
    ]


def test_a_replay_that_shows_what_its_baseline_shows_is_a_negative_control(
    drawn_study: Study,
) -> None:
    found = contrasts(shown_alike(drawn_study(skill=ARMS)))
    assert Contrast("classic+synthetic-replay", "classic", NEGATIVE) in found
    # Judged against its baseline already, and the two are the same: not a second time.
    assert all(each.role != REPLAY for each in found)


def test_half_of_the_lesions_is_compared_with_all(drawn_study: Study) -> None:
    results = with_arm(drawn_study(skill={"real": 1.0, "half": 0.8}), "half", {"half": True})
    results = with_arm(results, "half", {"policy": "none"})
    assert baseline(results, "half") == "real"


def test_an_arm_that_measures_convergence_is_compared_with_nothing(drawn_study: Study) -> None:
    results = drawn_study(skill={"real": 1.0, "short": 0.8})
    results = with_arm(results, "short", {"convergence_of": "real", "length": 0.5})
    assert contrasts(results) == []
    assert baseline(results, "short") is None
