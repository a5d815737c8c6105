"""Test predictions of a run's trials, by classifier and fold, for the statistics."""

from collections.abc import Sequence

from dermaug.experiment.run.results import RunResults, TrialResult
from dermaug.scoring.scores import adjusted, label_arrays, on_test
from dermaug.stats.answers import FoldPredictions


def predictions_of(results: RunResults, model: str) -> dict[int, FoldPredictions]:
    """Test predictions of one classifier in every arm and seed, by fold."""
    trials = results.trials_of(model)
    folds = sorted({trial.fold for trial in trials})
    return {
        fold: _fold_predictions([trial for trial in trials if trial.fold == fold], results)
        for fold in folds
    }


def _fold_predictions(trials: Sequence[TrialResult], results: RunResults) -> FoldPredictions:
    tests = [on_test(trial).set_index("image_id") for trial in trials]
    images = tests[0].index
    for test in tests[1:]:
        images = images.intersection(test.index)
    images = images.sort_values()
    first = tests[0].loc[images]
    keys, groups = [(trial.arm, trial.seed) for trial in trials], results.catalog.groups
    plain = [label_arrays(test.loc[images], results)[1] for test in tests]
    even = [adjusted(trial, each, results) for trial, each in zip(trials, plain, strict=True)]
    return FoldPredictions(
        image_ids=images.to_numpy(),
        labels=label_arrays(first, results)[0],
        groups=first["group"].astype(str).to_numpy(dtype=object),
        plain=dict(zip(keys, plain, strict=True)),
        even=dict(zip(keys, even, strict=True)),
        generator_seed={key: trial.generator_seed for key, trial in zip(keys, trials, strict=True)},
        trained_on={
            key: len(set(groups[results.catalog.rows(trial.record.training_images)]))
            for key, trial in zip(keys, trials, strict=True)
        },
    )
