import pytest

from dermaug.config import Experiment
from dermaug.errors import DermaugError
from dermaug.experiment.plan.checks import Counts
from dermaug.experiment.plan.doses import doses
from dermaug.experiment.plan.enumeration import enumerate_jobs
from dermaug.experiment.stages.curating import take_dose
from dermaug.experiment_file import validate_experiment

CLASSES = ("df", "mel", "nv")
COUNTS = {(0, 0): {"df": 20, "mel": 150, "nv": 900}, (1, 0): {"df": 22, "mel": 140, "nv": 910}}


def experiment(**changes: object) -> Experiment:
    tree: dict[str, object] = {
        "name": "x",
        "seeds": [3, 4, 5],
        "splits": {"folds": 2},
        "classifiers": [{"model": "fridadar"}, {"model": "resnet10t"}],
        "generators": [{"family": "dcgan", "classes": ["df", "mel"], "seeds": [0, 1]}],
        "arms": [
            {"name": "real"},
            {"name": "dose", "synthetic": {"dose": {"df": 70}, "max_per_real": 0.0}},
            {"name": "balance", "synthetic": {"balance": 100, "max_per_real": 0.0}},
        ],
    }
    return validate_experiment(tree | changes, "test")


def test_every_trial_once_and_every_generator_once() -> None:
    jobs = enumerate_jobs(experiment(), CLASSES, COUNTS)
    assert len(jobs.generators) == 2 * 2 * 2  # folds, seeds, classes
    assert len(jobs.classifiers) == 2 * 3 * 2 * 5  # folds, seeds, classifiers, arms and controls
    keys = [job.key for job in jobs.in_order]
    assert len(set(keys)) == len(keys)
    assert "generators/dcgan/fold1-seed0/mel" in keys
    assert "classifiers/balance/resnet10t/fold0-seed4" in keys


def test_largest_dose_of_any_arm_is_drawn() -> None:
    numbers = {
        (job.label, job.fold): job.numbers
        for job in enumerate_jobs(experiment(), CLASSES, COUNTS).generators
    }
    assert numbers[("df", 0)] == (80,)  # balance 100 - 20 beats the dose of 70
    assert numbers[("df", 1)] == (78,)
    assert numbers[("mel", 0)] == (64,)  # no arm needs any: a grid to look at


def test_only_what_can_be_used_is_drawn() -> None:
    curated = {"drop_duplicates": True, "pool": 5.0}
    arms = [
        {"name": "real"},
        {"name": "a", "synthetic": {"balance": 1000, "curation": curated}},
        {"name": "b", "synthetic": {"dose": 30, "share": 0.3}},
    ]
    jobs = enumerate_jobs(experiment(arms=arms), CLASSES, COUNTS)
    numbers = {(job.label, job.fold): job.numbers for job in jobs.generators}
    assert numbers["df", 0] == (5 * 20,)  # one for each real image, not 980
    assert numbers["mel", 1] == (5 * 140,)


@pytest.mark.parametrize("more", [{}, {"max_per_real": 0.5}])
def test_doses_of_a_curve_that_the_limit_makes_one(more: dict[str, object]) -> None:
    curve = {"dose": [10, 30, 200], "classes": ["df"]}
    arms = [{"name": "real"}, {"name": "a", "synthetic": curve | more}]
    with pytest.raises(DermaugError, match=r"arms a-\d+ and a-\d+ add the same images \(fold 0"):
        enumerate_jobs(experiment(arms=arms), CLASSES, COUNTS)
    arms[1] = {"name": "a", "synthetic": curve | {"max_per_real": 0.0}}
    assert enumerate_jobs(experiment(arms=arms), CLASSES, COUNTS)


def test_a_dose_that_comes_first_is_checked_before_anything_is_trained() -> None:
    first = {"name": "a", "synthetic": {"dose": 50, "first": 0.5}}
    with pytest.raises(DermaugError, match=r"arm a: with first = 0\.5 and natural sampl"):
        enumerate_jobs(experiment(arms=[{"name": "real"}, first]), CLASSES, COUNTS)
    alike = first | {"sampling": "balanced", "synthetic": {"dose": 50, "first": 0.4}}
    assert enumerate_jobs(experiment(arms=[{"name": "real"}, alike]), CLASSES, COUNTS)


def test_generator_seeds_are_taken_in_turn_and_fold_by_fold() -> None:
    for job in enumerate_jobs(experiment(), CLASSES, COUNTS).classifiers:
        if job.arm == "real" or job.arm.endswith("replay"):
            assert (job.generator_seed, job.generators) == (None, ())
        else:
            assert job.generator_seed == {3: 0, 4: 1, 5: 0}[job.seed]
            prefix = f"generators/dcgan/fold{job.fold}-seed{job.generator_seed}/"
            assert job.generators == (f"{prefix}df", f"{prefix}mel")


def test_replay_comes_after_the_arm_that_it_repeats() -> None:
    arms = experiment().arms
    assert arms[2].replay_of == "dose"
    jobs = enumerate_jobs(experiment(), CLASSES, COUNTS)
    assert len(jobs.classifiers) == 2 * 3 * 2 * 5
    keys = [job.key for job in jobs.in_order]
    for job in jobs.classifiers:
        assert job.needs == ((job.beside(job.mixture.replay_of),) if job.mixture.replay_of else ())
        assert set(job.needs) <= set(keys[: keys.index(job.key)])


def test_references_are_of_the_next_seed_and_come_first() -> None:
    band = {"dose": {"df": 5}, "curation": {"band": [0.1, 0.9]}}
    arms = [{"name": "real"}, {"name": "plain", "policy": "standard"}]
    arms += [{"name": "chosen", "synthetic": band}]
    jobs = enumerate_jobs(experiment(arms=arms), CLASSES, COUNTS)
    keys = [job.key for job in jobs.in_order]
    assert len(jobs.references) == 2 * 3 * 2 * 2  # folds, seeds, classifiers, halves
    assert {job.arm for job in jobs.references} == {"real"}
    assert len(set(keys)) == len(keys)
    for job in jobs.classifiers:
        assert set(job.needs) <= set(keys[: keys.index(job.key)])
        if job.arm != "chosen":
            continue
        other = {3: 4, 4: 5, 5: 3}[job.seed]
        place = f"{job.model}/fold{job.fold}-seed{other}"
        halves = [f"references/{place}/half{half}" for half in (0, 1)]
        assert job.needs == (f"classifiers/real/{place}", *halves)


def test_dose_of_a_class_that_is_not_synthesised() -> None:
    arms = [{"name": "a", "synthetic": {"dose": {"nv": 5}}}]
    with pytest.raises(DermaugError, match="'nv' is requested, but dcgan has only df, mel"):
        enumerate_jobs(experiment(arms=arms), CLASSES, COUNTS)


def test_generator_class_that_the_data_lack() -> None:
    generators = [{"family": "dcgan", "classes": ["bcc"]}]
    with pytest.raises(DermaugError, match="bcc"):
        enumerate_jobs(experiment(generators=generators), CLASSES, COUNTS)


def test_number_for_every_class_and_fill_up() -> None:
    arms = experiment().arms
    assert arms[3].synthetic is not None
    assert doses(arms[3].synthetic, experiment().generators, COUNTS[0, 0]) == {"df": 80, "mel": 0}
    everywhere = arms[3].synthetic.model_copy(update={"balance": None, "dose": 7})
    assert doses(everywhere, experiment().generators, COUNTS[0, 0]) == {"df": 7, "mel": 7}


def test_dose_larger_than_the_set_is_an_error() -> None:
    from dermaug.data.splits import Fold

    fold = Fold(0, ("a",), ("b",), ("c",))
    with pytest.raises(DermaugError, match="5 synthetic images of df are needed, 0 found"):
        take_dose([], {"df": 5}, fold, "arm")


def translated(name: str, **synthetic: object) -> dict[str, object]:
    return {"name": name, "synthetic": {"family": "flow", "max_per_real": 0.0} | synthetic}


def test_a_generator_draws_one_set_for_all_arms_that_start_alike() -> None:
    arms = [
        {"name": "real"},
        translated("noise", dose={"df": 70}),
        translated("few", dose={"df": 5}, start=0.5, start_class="nv"),
        translated("more", dose={"df": 90}, start=0.5, start_class="nv"),
        translated("own", balance=100, start=0.5),
        translated("late", dose={"mel": 3}, start=0.75),
    ]
    flow = [{"family": "flow", "classes": ["df", "mel"]}]
    jobs = enumerate_jobs(experiment(generators=flow, arms=arms), CLASSES, COUNTS)
    (job, _) = jobs.generators
    assert job.key == "generators/flow/fold0-seed0/all"
    assert job.numbers == (70, 64)
    sets = {each.translation.words: each.numbers for each in job.translated if each.translation}
    assert sets == {
        "from nv at 0.5": (90, 0),
        "from their own class at 0.5": (80, 0),  # 100 - 20; there are 150 of mel
        "from their own class at 0.75": (0, 64),
    }
    assert job.num_drawn == 70 + 64 + 90 + 80 + 64


EMPTY = {point: counts | {"df": 0} for point, counts in COUNTS.items()}


@pytest.mark.parametrize(
    ("synthetic", "counts", "reason"),
    [
        ({"family": "", "start_class": "nv"}, COUNTS, r"which dcgan \(dcgan\) cannot; use the fam"),
        ({"start_class": "bcc"}, COUNTS, r"a label of the data \(df, mel, nv\), found 'bcc'"),
        ({}, EMPTY, r"images of df start from training images of df, of which .* \(fold 0, all"),
    ],
)
def test_what_cannot_be_translated_is_refused(
    synthetic: dict[str, object], counts: Counts, reason: str
) -> None:
    able = [{"family": "flow"}, {"family": "dcgan"}]
    arms = [{"name": "real"}, translated("a", **{"dose": {"df": 5}, "start": 0.5} | synthetic)]
    with pytest.raises(DermaugError, match=reason):
        enumerate_jobs(experiment(arms=arms, generators=able), CLASSES, counts)


def test_a_class_without_images_may_start_from_another() -> None:
    arms = [{"name": "real"}, translated("a", dose={"df": 5}, start=0.5, start_class="nv")]
    assert enumerate_jobs(experiment(arms=arms, generators=[{"family": "flow"}]), CLASSES, EMPTY)
