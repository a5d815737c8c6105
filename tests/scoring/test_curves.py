"""Dose curves pick by validation, size curves cover every size, threats are found."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawn import recorded, reported, scored, verdicts_of

from dermaug.config import Experiment
from dermaug.config.arms import SyntheticConfig
from dermaug.config.curation import CurationConfig
from dermaug.config.provenance import ProvenanceConfig
from dermaug.experiment.launchers.launch import run_experiment
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.run.reading import read_results
from dermaug.experiment.run.records import CurationEntry, ImageCounts
from dermaug.experiment.run.results import RunResults
from dermaug.experiment_file import validate_experiment
from dermaug.scoring.convergence import convergence
from dermaug.scoring.curves import dose_curve
from dermaug.scoring.points import point_of
from dermaug.scoring.scores import score_classes
from dermaug.scoring.threats import Known, threats
from dermaug.scoring.verdicts import verdict_table
from dermaug.stats.outcomes import EXPLORATORY, NOT_JUDGED

Study = Callable[..., RunResults]


def asked() -> Experiment:
    tree = {
        "name": "curves",
        "data": {
            "size": 32,
            "classes": ["mel", "nv"],
            "phantom": {"number": 280, "balanced": True},
        },
        "splits": {"folds": 4, "run": [0], "lesions": [3, 8, 0]},
        "classifiers": [{"images": 320, "batch": 16, "validations": 2}],
        "arms": [
            {"name": "classic", "policy": "standard"},
            {
                "name": "more",
                "policy": "standard",
                "synthetic": {"family": "oracle", "dose": [5, 20]},
            },
        ],
    }
    return validate_experiment(tree, "test")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> RunResults:
    folder = tmp_path_factory.mktemp("runs") / "curves"
    return read_results(run_experiment(folder, asked(), Launch("cpu")))


def test_every_size_has_its_trials_on_the_same_test_part(results: RunResults) -> None:
    assert [point.lesions for point in (results, *results.reduced)] == [0, 8, 3]
    for point in (results, *results.reduced):
        assert len(point.trials) == point.num_jobs[1] == 3
        assert point.folds[0].test == results.folds[0].test
    sizes = [len(point.folds[0].train) for point in (results, *results.reduced)]
    assert sizes == sorted(sizes, reverse=True)


def test_dose_is_picked_by_validation_alone(results: RunResults) -> None:
    table = dose_curve(point_of(results))
    assert table["arm"].tolist() == ["more-5", "more-20"]
    assert table["dose"].tolist() == [10, 40]
    assert table.loc[table["chosen"], "validation"].iloc[0] == table["validation"].max()
    other = "more-5" if table["validation"].iloc[1] == table["validation"].max() else "more-20"
    if table["validation"].nunique() > 1:
        assert point_of(results).exploratory == {("fridadar", other)}
    trial = next(trial for trial in results.trials if trial.arm == "more-5")
    better = replace(trial, predictions=truth(trial.predictions))
    trials = tuple(better if each is trial else each for each in results.trials)
    assert point_of(replace(results, trials=trials)).exploratory == {("fridadar", "more-20")}


def test_doses_that_were_not_chosen_are_drawn_but_not_judged(results: RunResults) -> None:
    table = verdicts_of(results, 100)
    unasked = {arm for _, arm in point_of(results).exploratory}
    assert len(unasked) == 1
    drawn = table["arm"].isin(unasked)
    assert set(table.loc[drawn, "verdict"]) == {EXPLORATORY}
    assert table.loc[drawn, ["p_holm", "detectable"]].isna().all(axis=None)
    assert table.loc[drawn & (table["scope"] == "all"), "low"].notna().all()
    assert table.loc[drawn, "sentence"].str.startswith("Exploratory: ").all()
    judged = table[~drawn & (table["family"] != "")]
    assert set(judged["verdict"]) == {NOT_JUDGED}  # one training in one fold


def test_replays_of_doses_are_chosen_with_them(drawn_study: Study) -> None:
    tree = drawn_study().experiment.model_dump()
    tree["arms"] = [
        {"name": "classic"},
        {"name": "more", "synthetic": {"dose": [5, 20]}},
    ]
    asked = validate_experiment(tree, "test")
    names = [arm.name for arm in asked.arms]
    skill = dict.fromkeys(names, 1.0)
    results = replace(drawn_study(skill=skill), experiment=asked)
    # Of equals the smaller dose, even where the replay of the larger one is better.
    counts = {"more-5": 5, "more-20": 20, "more-5-replay": 5, "more-20-replay": 20}
    trials = tuple(
        replace(
            recorded(
                trial,
                train_counts={"nv": ImageCounts(real=9, synthetic=counts.get(trial.arm, 0))},
            ),
            predictions=right(trial.predictions)
            if trial.arm == "more-20-replay"
            else trial.predictions,
        )
        for trial in results.trials
    )
    others = {("fridadar", "more-20"), ("fridadar", "more-20-replay")}
    assert point_of(replace(results, trials=trials)).exploratory == others


def test_curves_over_sizes_have_a_row_a_size_and_arm(results: RunResults) -> None:
    scoring = scored(results)
    sizes, gains = scoring.sizes, scoring.gains
    assert len(sizes) == 3 * 3
    assert (sizes["low"] <= sizes["score"]).all()
    assert (sizes["score"] <= sizes["high"]).all()
    assert len(gains) == 3  # of the two doses, the one that validation picks at that size
    assert sizes["chosen"].sum() == 3 * 2
    joined = gains.merge(sizes, on=["lesions", "model", "arm"]).merge(
        sizes[sizes["arm"] == "classic"], on=["lesions", "model"], suffixes=("", "_control")
    )
    difference = joined["score"] - joined["score_control"]
    np.testing.assert_allclose(joined["difference"], difference, atol=1e-6)
    assert gains["worth"].str.contains("none|real lesions|more than we can tell").all()


def test_threats_name_the_weak_points(results: RunResults) -> None:
    told = " ".join(threats_of(results))
    assert "One classifier seed" in told
    assert "One fold" in told
    trials = tuple(
        recorded(trial, provenance="unknown") for trial in results.trials if trial.arm == "more-5"
    )
    assert "Provenance unknown (more-5)" in " ".join(threats_of(replace(results, trials=trials)))
    declared = ProvenanceConfig(tool="StyleGAN3", licence="CC0")
    stated = {"family": "", "folder": "x", "provenance": declared}
    arms = tuple(
        arm.model_copy(update={"synthetic": arm.synthetic.model_copy(update=stated)})
        if arm.synthetic
        else arm
        for arm in results.experiment.named_arms
    )
    theirs = replace(
        results,
        experiment=results.experiment.model_copy(update={"named_arms": arms}),
        trials=tuple(recorded(trial, provenance="declared") for trial in trials),
    )
    told = " ".join(threats_of(theirs))
    assert "Provenance declared by the user (more-5): drawn by StyleGAN3, trained on" in told
    assert "licence CC0. It was not checked" in told
    alone = replace(results, catalog=replace(results.catalog, grouped=False))
    assert "Lesion ids are not known" in " ".join(threats_of(alone))
    patients = [f"P{row}" for row in range(len(results.catalog))]
    known = alone.catalog.table.assign(patient_id=patients)
    grouped = replace(alone, catalog=replace(alone.catalog, table=known))
    assert "Lesion ids are not known" not in " ".join(threats_of(grouped))


def test_a_rule_on_copies_that_could_not_be_applied_is_a_threat(drawn_study: Study) -> None:
    results = drawn_study(skill={"classic": 1.0, "synthetic": 1.0})
    ours, *others = [trial for trial in results.trials if trial.arm == "synthetic"]
    synthetic = SyntheticConfig(dose=5, curation=CurationConfig(drop_copies=True))
    arm = ours.record.arm.model_copy(update={"synthetic": synthetic})
    judged = CurationEntry(wanted=5, pool=10, kept=9, copies=1)
    trials = [recorded(each, arm=arm, curation={"mel": judged}) for each in others]
    assert "could not be left out" not in " ".join(threats_of(replace(results, trials=(*trials,))))
    unjudged = recorded(ours, arm=arm, curation={"mel": CurationEntry(wanted=5, pool=10, kept=10)})
    told = " ".join(threats_of(replace(results, trials=(unjudged, *trials))))
    assert f"asks for it: synthetic (mel): 1 of {1 + len(trials)}. In their folds the class" in told


def test_an_oracle_that_shows_no_gain_and_a_class_never_named_are_threats_of(
    results: RunResults,
) -> None:
    control = {
        (trial.fold, trial.seed): trial.predictions
        for trial in results.trials
        if trial.arm == "classic"
    }
    equal = tuple(
        replace(trial, predictions=control[trial.fold, trial.seed]) for trial in results.trials
    )
    told = " ".join(threats_of(replace(results, trials=equal)))
    assert "More real lesions" not in told  # one training in one fold: not judged
    nevi = {"p_mel": 0.0, "p_nv": 1.0}
    blind = tuple(
        replace(trial, predictions=trial.predictions.assign(**nevi))
        if trial.arm == "classic"
        else replace(trial, predictions=truth(trial.predictions))
        for trial in results.trials
    )
    told = " ".join(threats_of(replace(results, trials=blind)))
    assert "classic with fridadar hardly ever predicts mel" in told


def test_more_lesions_without_a_gain_and_an_odd_negative_control_are_threats_of(
    drawn_study: Study,
) -> None:
    skill = {"classic": 2.0, "classic+oracle": 2.0}
    results = drawn_study(skill=skill, seeds=(0, 1))
    tree = results.experiment.model_dump()
    tree["arms"][1]["synthetic"] = {"family": "oracle", "dose": 5}
    tree["arms"][0]["policy"] = tree["arms"][1]["policy"]
    told = " ".join(threats_of(replace(results, experiment=validate_experiment(tree, "test"))))
    assert "More real lesions (classic+oracle against classic) show no clear gain" in told
    tree["arms"][1]["synthetic"] = {"family": "replay", "dose": 5}
    asked = validate_experiment(tree, "test")
    classic, replay = asked.arms
    control = replay.model_copy(update={"replay_of": "an arm that is not shown"})
    asked = asked.model_copy(update={"named_arms": (classic, control)})
    apart = drawn_study(skill=skill | {"classic+oracle": 6.0}, seeds=(0, 1), lesions=60)
    shown = apart.trials[0].record.shown
    trials = tuple(recorded(c, shown=shown) for c in apart.trials)
    told = " ".join(threats_of(replace(apart, trials=trials, experiment=asked)))
    assert "The negative control classic+oracle differs from classic" in told


def threats_of(results: RunResults) -> list[str]:
    point = point_of(results, 200)
    classes = score_classes(results)
    rising = convergence(results, 200)
    found = threats(Known(results, verdict_table(point), classes, dose_curve(point), rising))
    return list(found["sentence"])


def right(predictions: pd.DataFrame) -> pd.DataFrame:
    columns = [name for name in predictions if name.startswith("p_")]
    wanted = {name: (predictions["label"] == name[2:]).astype(float) for name in columns}
    return predictions.assign(**wanted)


def truth(predictions: pd.DataFrame) -> pd.DataFrame:
    is_mel = (predictions["label"] == "mel").astype(float)
    return predictions.assign(p_mel=is_mel, p_nv=1 - is_mel)


def test_report_shows_the_curves(results: RunResults, tmp_path: Path) -> None:
    page = reported(results, tmp_path / "report.html").read_text(encoding="utf-8")
    for heading in ("Dose and response", "Data size and the equivalent of a dose"):
        assert heading in page
    assert page.count('="dose_response.csv"') == page.count('="data_size.csv"') == 1
    # The dose curve stands on the first screen, the data-size curve in its section.
    places = [page.index(f'="{name}.csv"') for name in ("dose_response", "data_size")]
    assert places[0] < page.index('<section id="verdicts"') < places[1]
    assert "Threats to validity" in page
    for name in ("doses", "sizes", "gains"):
        assert (tmp_path / "scoring" / f"{name}.csv").exists()
