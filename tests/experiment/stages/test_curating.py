"""Curation in a real small study: what is left out is counted, and what stays passes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from begun import open_run

from dermaug.config import SyntheticConfig
from dermaug.data.halves import halves
from dermaug.errors import DermaugError
from dermaug.evaluation.readouts import prior_adjusted
from dermaug.experiment.launchers.launch import do_jobs
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.plan.jobs import ClassifierJob
from dermaug.experiment.run.records import TrialRecord
from dermaug.experiment.run.run import Run
from dermaug.experiment.stages.curating import curated_dose
from dermaug.experiment.stages.judges import classifier_judge
from dermaug.experiment.stages.references import cross_fitted
from dermaug.experiment.stages.training_set import training_set
from dermaug.experiment_file import validate_experiment
from dermaug.synthesis.curation import copy_mask
from dermaug.synthesis.synthetic_set import read_synthetic_set
from dermaug.training.file_names import CLASSIFIER

CPU = torch.device("cpu")

TREE = {
    "name": "curated",
    "seeds": [0, 1],
    "data": {
        "size": 32,
        "classes": ["mel", "nv"],
        "phantom": {"number": 800, "balanced": True},
    },
    "splits": {"folds": 3, "run": [0]},
    "classifiers": [{"images": 640, "batch": 16, "validations": 2}],
    "generators": [{"family": "cgan", "images": 320, "batch": 16, "width": 4, "latent": 8}],
    "arms": [
        {"name": "real"},
        {
            "name": "curated",
            "synthetic": {
                "family": "cgan",
                "dose": 20,
                "max_per_real": 0.0,
                "curation": {
                    "drop_copies": True,
                    "drop_duplicates": True,
                    "confidence": 0.3,
                    "band": [0.02, 0.98],
                    "pool": 3.0,
                },
            },
        },
    ],
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """With its generator, the references, and the arm without synthetic images."""
    begun = open_run(tmp_path_factory.mktemp("run"), validate_experiment(TREE, "test"))
    first = [job for job in begun.jobs.in_order if not is_dosed(job)]
    do_jobs(begun, first, Launch("cpu"))
    return begun


def is_dosed(job: object) -> bool:
    return isinstance(job, ClassifierJob) and job.mixture.synthetic is not None


def trial(run: Run, arm: str, seed: int = 0) -> ClassifierJob:
    return next(job for job in run.jobs.classifiers if (job.arm, job.seed) == (arm, seed))


def adjusted(run: Run, key: str, images: np.ndarray, label: str) -> np.ndarray:
    """What a network on disk gives to a class, brought to the uniform prior."""
    judge = classifier_judge(run.folder / key / CLASSIFIER, CPU)
    prior = TrialRecord.read(run.job(key).record).prior
    found = prior_adjusted(judge.probabilities(images), np.array([prior[k] for k in judge.classes]))
    return np.asarray(found[:, judge.classes.index(label)])


def test_pool_is_drawn_and_only_passing_images_are_taken(run: Run) -> None:
    job = trial(run, "curated")
    drawn = read_synthetic_set(run.job(job.generators[0]).synthetic)
    assert drawn.labels.count("mel") == 64  # 3 x 20 is less than a grid's worth
    dose = {"mel": 20, "nv": 20}
    images, labels, removed = curated_dose(run, job, run.fold(0), [drawn], dose, CPU)
    crossed = cross_fitted(run, job, CPU)
    other = trial(run, "real", seed=1).key  # of another seed than the trial's own
    split = [f"references/fridadar/fold0-seed1/half{half}" for half in (0, 1)]
    for label in ("mel", "nv"):
        pool = drawn.images[np.asarray(drawn.labels) == label][:60]
        rows = np.asarray(labels) == label
        record = removed[label]
        assert record.pool == 60
        rules = {"copies", "duplicates", "unconfident", "outside"}
        assert set(dict(record)) == {"wanted", "pool", "kept", "real", "real_unconfident", *rules}
        known = run.catalog.table["label"].to_numpy()
        found = run.catalog.rows(run.fold(0).validation)
        chosen = found[halves(run.groups[found], known[found], 0).choosing]
        real = chosen[known[chosen] == label]
        assert record.real == len(real)
        shown = np.asarray(run.images[real])
        assert record.real_unconfident == (adjusted(run, other, shown, label) < 0.3).sum()
        assert record.unconfident == (adjusted(run, other, pool, label) < 0.3).sum()
        low, high = np.quantile(crossed.known[label], [0.02, 0.98])
        mean = np.mean([adjusted(run, key, pool, label) for key in split], axis=0)
        assert record.outside == ((mean < low) | (mean > high)).sum()
        assert rows.sum() == min(20, record.kept or 0)
        if rows.any():
            assert adjusted(run, other, images[rows], label).min() >= 0.3


def test_halves_predict_each_other_and_never_validation_or_test(run: Run) -> None:
    fold, seen = run.fold(0), []
    assert len(run.jobs.references) == 2 * 2
    for job in run.jobs.references[:2]:
        record = TrialRecord.read(run.job(job.key).record)
        assert record.half == job.half
        seen.append(set(record.training_images))
        assert record.config.keep == "last"
    assert seen[0] | seen[1] == set(fold.train)
    assert not seen[0] & seen[1]
    crossed = cross_fitted(run, trial(run, "curated", seed=1), CPU)
    labels = run.catalog.table["label"].to_numpy()
    for half, (mine, others) in enumerate((seen, seen[::-1])):
        key = f"references/fridadar/fold0-seed0/half{half}"
        for label in ("mel", "nv"):
            rows = run.catalog.rows(sorted(others))
            rows = rows[labels[rows] == label]
            assert not set(run.catalog.image_ids[rows]) & mine
            expected = np.sort(adjusted(run, key, run.images[rows], label))
            known = crossed.known[label]
            assert np.abs(known[:, None] - expected).min(axis=0).max() < 1e-5
    numbers = {label: len(known) for label, known in crossed.known.items()}
    assert numbers == {
        label: int((labels[run.catalog.rows(fold.train)] == label).sum()) for label in numbers
    }


def test_a_class_that_a_half_has_not_seen_has_no_band(run: Run) -> None:
    crossed = cross_fitted(run, trial(run, "curated"), CPU)
    assert crossed.band("mel", (0.1, 0.9)) is not None
    one, other = crossed.halves
    without = replace(crossed, halves=(one, replace(other, num_images={"mel": 0, "nv": 5})))
    assert without.band("mel", (0.1, 0.9)) is None
    assert without.band("nv", (0.1, 0.9)) is not None


def test_trial_records_what_was_removed_and_its_replay_follows(run: Run) -> None:
    job, replay = trial(run, "curated"), trial(run, "curated-replay")
    do_jobs(run, [job], Launch("cpu"))
    record = TrialRecord.read(run.job(job.key).record)
    kept = {label: entry.kept for label, entry in record.curation.items()}
    counts = {label: count.synthetic for label, count in record.train_counts.items()}
    assert counts == {label: min(20, number) for label, number in kept.items()}
    assert min(counts.values()) < 20  # as many as asked for would be no test of what follows
    repeated = training_set(run, replay, CPU).counts
    assert {label: count.synthetic for label, count in repeated.items()} == counts


def test_trials_wait_for_what_they_rest_on(run: Run) -> None:
    job, replay = trial(run, "curated"), trial(run, "curated-replay")
    halves = tuple(each.key for each in run.jobs.references if each.seed == 1)
    assert job.needs == (trial(run, "real", seed=1).key, *halves)
    assert replay.needs == (job.key,)
    elsewhere = replace(run, folder=run.folder / "elsewhere")
    for waiting, needed in ((job, job.generators[0]), (replay, job.key)):
        with pytest.raises(DermaugError, match=f"needs {needed}, which has not been trained yet"):
            training_set(elsewhere, waiting, CPU)
    keys = [each.key for each in run.jobs.in_order]
    for each in run.jobs.classifiers:
        assert {*each.needs, *each.generators} <= set(keys[: keys.index(each.key)])


def test_halves_are_no_arms_and_only_there_for_a_band(run: Run) -> None:
    assert {job.arm for job in run.jobs.classifiers} == {"real", "curated", "curated-replay"}
    assert all(job.half is None for job in run.jobs.classifiers)
    assert not list(run.folder.glob("classifiers/**/half*"))
    plain = {"name": "plain", "synthetic": {"family": "cgan", "dose": 5}}
    confident = {"name": "c", "synthetic": {"dose": 5, "curation": {"confidence": 0.5}}}
    confident["synthetic"]["family"] = "cgan"  # type: ignore[index]
    for arms in ([{"name": "real"}, plain], [{"name": "real"}, confident]):
        asked = validate_experiment(TREE | {"arms": arms}, "test")
        assert open_run(run.folder.parent / str(arms[1]["name"]), asked).jobs.references == ()


@pytest.mark.parametrize("change", [{"curation": {"confidence": 0.5}}, {"labels": "judged"}])
def test_reference_must_stand_before_the_arm_and_be_of_another_seed(
    change: dict[str, object],
) -> None:
    asking = {"name": "asking", "synthetic": {"family": "cgan", "dose": 20} | change}
    half = {"name": "half", "half": True}  # has not seen what the trial has
    for arms in ([asking, {"name": "real"}], [asking], [half, asking]):
        with pytest.raises(DermaugError, match="before it"):
            validate_experiment(TREE | {"arms": arms}, "test")
    with pytest.raises(DermaugError, match=r"expected at least two seeds, found \[3\]"):
        validate_experiment(TREE | {"arms": [{"name": "real"}, asking], "seeds": [3]}, "test")


@pytest.mark.parametrize("band", [[0.1], [0.9, 0.1], [0.1, 0.5, 0.9], [-0.1, 0.5], [0.5, 0.5]])
def test_band_has_two_ends_in_order(band: list[float]) -> None:
    asking = {"name": "x", "synthetic": {"family": "cgan", "dose": 5, "curation": {"band": band}}}
    with pytest.raises(DermaugError, match="band"):
        validate_experiment(TREE | {"arms": [{"name": "real"}, asking]}, "test")


def test_copies_are_calibrated_on_the_half_that_an_audit_does_not_judge_by(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    fold, seen = run.fold(0), {}

    def watched(
        pool: np.ndarray, training: np.ndarray, others: np.ndarray, *rest: object
    ) -> object:
        label = ("mel", "nv")[len(seen)]
        seen[label] = others
        return copy_mask(pool, training, others, *rest)

    monkeypatch.setattr("dermaug.experiment.stages.curating.copy_mask", watched)
    job = trial(run, "curated")
    drawn = read_synthetic_set(run.job(job.generators[0]).synthetic)
    curated_dose(run, job, fold, [drawn], {"mel": 20, "nv": 20}, CPU)
    rows, labels = run.catalog.rows(fold.validation), run.catalog.table["label"].to_numpy()
    judging = halves(run.groups[rows], labels[rows], fold.index).judging
    for label, images in seen.items():
        judged = run.images[rows[judging & (labels[rows] == label)]]
        assert len(images)
        assert not {image.tobytes() for image in images} & {each.tobytes() for each in judged}


def test_soft_labels_are_what_the_reference_gives(run: Run) -> None:
    job = trial(run, "curated")
    asked = SyntheticConfig(family="cgan", dose=20, max_per_real=0.0, labels="judged")
    soft = replace(job, mixture=job.mixture.model_copy(update={"synthetic": asked}))
    found = training_set(run, soft, CPU)
    other = trial(run, "real", seed=1).key
    judge = classifier_judge(run.folder / other / CLASSIFIER, CPU)
    assert found.soft is not None
    assert found.soft.shape == (40, 2)
    given = judge.probabilities(found.images[-40:])
    prior = TrialRecord.read(run.job(other).record).prior
    expected = prior_adjusted(given, np.array([prior[label] for label in judge.classes]))
    np.testing.assert_array_equal(found.soft, expected)
    replayed = asked.model_copy(update={"family": "replay"})
    control = replace(job, mixture=job.mixture.model_copy(update={"synthetic": replayed}))
    assert training_set(run, control, CPU).soft is not None
    assert training_set(run, trial(run, "real"), CPU).soft is None
