from collections.abc import Callable
from dataclasses import replace

from drawn import recorded

from dermaug.experiment.run.results import RunResults
from dermaug.report.sections.leakage import split_statements, split_table
from dermaug.report.sections.training_curves import generator_curves

Study = Callable[..., RunResults]


def failures(results: RunResults) -> str:
    return " ".join(one.text for one in split_statements(results) if not one.holds)


def test_a_sound_run_holds_in_all_statements(drawn_study: Study) -> None:
    statements = split_statements(drawn_study())
    assert len(statements) == 3
    assert all(statement.holds for statement in statements)


def test_a_lesion_in_two_parts_is_found(drawn_study: Study) -> None:
    results = drawn_study()
    table = results.catalog.table.copy()
    test_image, train_image = results.folds[0].test[0], results.folds[0].train[0]
    lesion = table.loc[table["image_id"] == train_image, "lesion_id"].item()
    table.loc[table["image_id"] == test_image, "lesion_id"] = lesion
    leaking = replace(results, catalog=replace(results.catalog, table=table))
    assert "Leakage: 1 lesions" in failures(leaking)
    assert lesion in failures(leaking)


def test_a_generator_of_another_fold_is_found(drawn_study: Study) -> None:
    results = drawn_study()
    first, second = results.generators
    swapped = recorded(first, fold_key=second.record.fold_key)
    found = failures(replace(results, generators=(swapped, second)))
    assert "1 of 2 generators do not store the key" in found
    assert "dcgan/mel/fold0-seed0" in found


def test_a_conditional_generator_is_one_network_whatever_its_classes(drawn_study: Study) -> None:
    results = drawn_study()
    classes = tuple(
        replace(recorded(one, label="all"), label=label)
        for one in results.generators
        for label in results.catalog.classes
    )
    conditional = replace(results, generators=classes)
    told = " ".join(one.text for one in split_statements(conditional))
    assert "2 of 2 store the key" in told
    losses = generator_curves(conditional)
    assert losses is not None
    assert len(losses.panels) == 1
    assert set(losses.numbers["label"]) == {"all classes"}
    assert len(losses.numbers) == sum(len(one.journal) for one in results.generators)


def test_groups_are_counted_beside_lesions(drawn_study: Study) -> None:
    results = drawn_study()
    first, second = results.folds[0].train[0], results.folds[0].train[-1]
    rows = results.catalog.rows((first, second))
    united = replace(results, catalog=results.catalog.united(rows[:1], rows[1:]))
    images, lesions, groups = split_table(united).rows[0][2:]
    assert int(images) >= int(lesions) == int(groups) + 1


def test_a_trial_tested_on_less_than_its_test_part_is_found(drawn_study: Study) -> None:
    results = drawn_study()
    trial = results.trials[0]
    short = replace(trial, predictions=trial.predictions.iloc[:-1])
    found = failures(replace(results, trials=(short, *results.trials[1:])))
    assert "1 trials were not tested" in found
    assert "real/fridadar/fold0-seed0" in found


def test_unknown_lesions_are_warned_of(drawn_study: Study) -> None:
    results = drawn_study()
    ungrouped = replace(results, catalog=replace(results.catalog, grouped=False))
    assert "no lesion ids" in failures(ungrouped)


def test_the_grouping_is_told(drawn_study: Study) -> None:
    results = drawn_study()
    first = split_statements(results)[0]
    assert "split by lesion: no lesion occurs in two splits" in first.text
    lesions = results.catalog.table["lesion_id"]
    known = results.catalog.table.assign(patient_id="P" + lesions)
    named = replace(results, catalog=replace(results.catalog, table=known))
    first = split_statements(named)[0]
    assert "split by patient: no patient occurs in two splits" in first.text
    known.loc[known.index[:2], "patient_id"] = ""
    partly = replace(results, catalog=replace(results.catalog, table=known))
    assert "images have no patient id and were split by lesion" in split_statements(partly)[0].text
    assert failures(named) == failures(partly) == ""


def test_parting_by_lesion_although_patients_are_known_is_warned_of(drawn_study: Study) -> None:
    results = drawn_study()
    known = results.catalog.table.assign(patient_id="P" + results.catalog.table["lesion_id"])
    catalog = replace(results.catalog, table=known, grouping="lesion")
    assert "identify patients, but images were split by lesion" in failures(
        replace(results, catalog=catalog)
    )


def test_images_that_a_limit_leaves_out_have_a_row(drawn_study: Study) -> None:
    results = drawn_study(folds=1)
    (fold,) = results.folds
    assert [row[1] for row in split_table(results).rows] == ["train", "validation", "test"]
    short = replace(results, folds=(replace(fold, train=fold.train[5:]),))
    *_, cut = split_table(short).rows
    assert cut[1:3] == ("not used (splits.lesions)", "5")
    assert "1 fold and" in split_statements(results)[0].text
