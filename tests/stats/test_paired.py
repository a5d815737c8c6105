"""Anybody's predictions are judged as the arms of a run are."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawn import tables, verdicts_of
from typer.testing import CliRunner

from dermaug.cli.app import app
from dermaug.errors import DermaugError
from dermaug.experiment.run.results import RunResults
from dermaug.stats import paired_difference
from dermaug.stats.trainings import CLASSIFIERS, GROUPS_ONLY, TRAINING_SETS

Study = Callable[..., RunResults]
DOCUMENT = Path(__file__).parents[2] / "docs" / "your-own-predictions.md"


@pytest.mark.parametrize(
    ("folds", "seeds", "levels"),
    [(2, (0, 1), CLASSIFIERS), (1, (0,), GROUPS_ONLY), (3, (0,), TRAINING_SETS)],
)
def test_a_run_and_its_tables_say_the_same(
    drawn_study: Study, folds: int, seeds: tuple[int, ...], levels: str
) -> None:
    results = drawn_study(skill={"real": 1.0, "classic": 2.0}, folds=folds, seeds=seeds, lesions=40)
    even = dict.fromkeys(results.catalog.classes, 1 / 3)
    trained = pd.Series(results.catalog.groups, index=results.catalog.image_ids)
    found = paired_difference(
        *tables(results, "classic", "real"),
        prior_a=even,
        prior_b=even,
        trained_on=trained.loc[list(results.folds[0].train)].nunique(),
        resamples=200,
    )
    assert found.levels == levels
    assert found.num_pairs == folds * len(seeds)
    table = verdicts_of(results, 200)
    rows = table[table["scope"] == "all"].set_index(["readout", "metric"])
    argmax, adjusted, area = found.differences
    for one, place in (
        (argmax, ("argmax", "balanced_accuracy")),
        (adjusted, ("prior-adjusted", "balanced_accuracy")),
        (area, ("auc", "macro_auc")),
    ):
        row = rows.loc[place]
        for name in ("difference", "low", "high", "p"):
            assert getattr(one, name) == pytest.approx(row[name], nan_ok=True, abs=1e-6), name
    assert argmax.verdict == "exploratory"
    assert (adjusted.verdict == "not judged") == (levels == GROUPS_ONLY)


def test_an_external_set_answered_by_every_fold_counts_its_lesions_once(
    drawn_study: Study,
) -> None:
    one, other = tables(drawn_study(folds=1, seeds=(0, 1, 2, 3), lesions=40), "classic", "real")
    apart = [t.assign(fold=t["seed"] // 2, seed=t["seed"] % 2) for t in (one, other)]
    found, expected = paired_difference(*apart), paired_difference(one, other)
    assert found == expected
    assert found.num_lesions == one["lesion"].nunique()


def test_order_and_prefix_of_the_columns_do_not_matter(drawn_study: Study) -> None:
    one, other = tables(drawn_study(seeds=(0, 1)), "classic", "real")
    shuffled = other.sample(frac=1, random_state=0)[list(other.columns[::-1])]
    renamed = one[one.columns[::-1]].rename(columns=lambda name: name.removeprefix("p_"))
    assert paired_difference(renamed, shuffled) == paired_difference(one, other)


def test_equal_probabilities_are_decided_alike_whatever_the_order_of_columns(
    drawn_study: Study,
) -> None:
    one, other = tables(drawn_study(seeds=(0, 1)), "classic", "real")
    classes = [name for name in one if name.startswith("p_")]
    tied = one.index % 3 == 0
    one.loc[tied, classes] = 1 / len(classes)
    found = paired_difference(one, other)
    assert found == paired_difference(one[one.columns[::-1]], other)
    told = f"{tied.sum():,} of {len(one):,} rows have several classes of equal"
    assert found.notes[0].startswith(f"A: {told}")
    assert paired_difference(other, one).notes[0].startswith(f"B: {told}")


@pytest.mark.parametrize("seeds", [(0, 1), (0, 1, 2)])
def test_exchanged_arms_turn_the_sign_and_nothing_else(
    drawn_study: Study, seeds: tuple[int, ...]
) -> None:
    one, other = tables(drawn_study(seeds=seeds, lesions=8), "classic", "real")
    there, back = paired_difference(one, other), paired_difference(other, one)
    for gain, loss in zip(there.differences, back.differences, strict=True):
        assert (gain.difference, gain.low, gain.high) == pytest.approx(
            (-loss.difference, -loss.high, -loss.low), nan_ok=True, abs=1e-6
        )
        assert gain.p == pytest.approx(loss.p, nan_ok=True, rel=1e-4)
        assert {gain.verdict, loss.verdict} != {"helps", "inconclusive"}


def test_one_name_in_two_forms_of_unicode_is_one_class(drawn_study: Study) -> None:
    one, other = tables(drawn_study(seeds=(0, 1)), "classic", "real")
    forms = {"composed": "név", "apart": "ne\u0301v"}
    first, second = (
        table.rename(columns={"p_nv": f"p_{name}"}).replace({"label": {"nv": name}})
        for table, name in zip((one, other), forms.values(), strict=True)
    )
    assert paired_difference(first, second) == paired_difference(
        one.rename(columns={"p_nv": "p_név"}).replace({"label": {"nv": "név"}}),
        other.rename(columns={"p_nv": "p_név"}).replace({"label": {"nv": "név"}}),
    )


def test_slashes_in_folds_and_seeds_do_not_mix_them(drawn_study: Study) -> None:
    one, other = tables(drawn_study(folds=1, seeds=(0, 1, 2, 3), lesions=40), "classic", "real")
    folds, seeds = {0: "0", 1: "0", 2: "0/1", 3: "0/1"}, {0: "1/0", 1: "1", 2: "0", 3: "1"}
    odd = [t.assign(fold=t["seed"].map(folds), seed=t["seed"].map(seeds)) for t in (one, other)]
    assert paired_difference(*odd).num_pairs == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="lesion"), "found no lesion"),
        (lambda t: t.rename(columns={"image": "image_id"}), "rename image_id, if that is it"),
        (
            lambda t: t.assign(age=50.0),
            "rows: expected probabilities from 0 to 1 with sum 1, found for image",
        ),
        (
            lambda t: t.rename(columns=lambda name: name.removeprefix("p_")).assign(age=50.0),
            "every column but image, lesion, label, fold, seed is taken for a class, and no image "
            "has the label age",
        ),
        (lambda t: t.assign(sex="female"), "probabilities in sex, found text ('female', image"),
        (lambda t: t.assign(label="other"), "found other, which has no column"),
        (lambda t: pd.concat([t, t]), "occurs twice in one fold and seed"),
        (lambda t: t.iloc[1:], "rows without a partner: 1, among them image"),
        (lambda t: t.assign(seed=t["seed"] + 7), "rows without a partner"),
        (lambda t: t.assign(lesion=np.nan), "empty cells in lesion"),
        (lambda t: t.rename(columns={"p_mel": "p_melanoma"}), "label: found mel"),
        (lambda t: t.iloc[:0], "found 0 rows"),
        (lambda t: t.rename(columns={"p_mel": "p_all"}).replace({"mel": "all"}), "class all: the "),
        (
            lambda t: pd.concat([t, t.assign(seed=9, label=t["label"].iloc[::-1].to_numpy())]),
            "expected one label in all folds and seeds, found ",
        ),
        (
            lambda t: pd.concat([t, t.assign(seed=9, lesion="x" + t["lesion"])]),
            "expected one lesion in all folds and seeds, found ",
        ),
        (
            lambda t: t[t["label"] == "nv"],
            "expected images of at least two classes, found nv alone",
        ),
    ],
)
def test_tables_that_cannot_be_compared_are_refused(
    drawn_study: Study, change: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    one, other = tables(drawn_study(), "classic", "real")
    with pytest.raises(DermaugError) as caught:
        paired_difference(change(one), other)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("change", "area", "reason"),
    [
        (lambda t: t.groupby(["label", "seed"]).head(1), "not judged", "3 test groups, too few"),
        (lambda t: t.assign(lesion="L"), "not judged", "1 test group, too few to be judged"),
        (
            lambda t: t[~t["label"].eq("mel") | ~t.duplicated(["label", "seed"])],
            "not judged",
            "a class has only one, which tells no uncertainty",
        ),
        (lambda t: t, "helps", ""),
    ],
    ids=["three lesions", "one lesion", "one melanoma", "all"],
)
def test_what_cannot_be_told_is_not_judged_for_a_reason(
    drawn_study: Study,
    change: Callable[[pd.DataFrame], pd.DataFrame],
    area: str,
    reason: str,
) -> None:
    results = drawn_study(skill={"real": 1.0, "classic": 2.0}, seeds=(0, 1), folds=1, lesions=40)
    found = paired_difference(*map(change, tables(results, "classic", "real")), resamples=200)
    judged = found.differences[-1]
    assert (judged.metric, judged.verdict) == ("macro AUC", area)
    assert reason in judged.reason
    assert bool(reason) == bool(judged.reason)
    assert np.isnan(judged.p) == bool(reason)
    assert np.isnan(judged.low) == bool(reason)


@pytest.mark.parametrize("copied", [(0, 1), (0,), (1,)], ids=["both", "A", "B"])
def test_copies_of_one_training_are_one_training(
    drawn_study: Study, copied: tuple[int, ...]
) -> None:
    results = drawn_study(skill={"real": 1.0, "classic": 2.0}, seeds=(0, 1), folds=1, lesions=40)
    given = tables(results, "classic", "real")
    assert paired_difference(*given, resamples=200).notes == ()
    first = [table[table["seed"] == 0] for table in given]
    same = [
        pd.concat([one, one.assign(seed=1).round(7)]) if side in copied else given[side]
        for side, one in enumerate(first)
    ]
    found, expected = (paired_difference(*both, resamples=200) for both in (same, first))
    pd.testing.assert_frame_equal(found.table, expected.table)
    assert (found.num_pairs, found.levels) == (1, GROUPS_ONLY)
    assert {each.verdict for each in found.differences} == {"not judged"}
    (note,) = found.notes
    assert "1 of 2 pairs of trainings repeat the predictions of another" in note


def test_what_seems_odd_in_two_tables_is_said(drawn_study: Study) -> None:
    one, other = tables(drawn_study(seeds=(0, 1)), "classic", "real")
    (note,) = paired_difference(one, one, resamples=100).notes
    assert "A and B have equal predictions in every row" in note
    mixed = pd.concat([one[one["seed"] == 0], other[other["seed"] == 1]])
    (note,) = paired_difference(mixed, other, resamples=100).notes
    assert "A and B have equal predictions in 2 of 4 trainings" in note
    (note,) = paired_difference(one.assign(p_age=0.0), other.assign(p_age=0.0)).notes
    assert "No image has the label age: means are over the other classes" in note
    own = [t.assign(lesion=t["fold"].astype(str) + t["image"].str[-1]) for t in (one, other)]
    (note,) = paired_difference(*own, resamples=100).notes
    assert "lesions have images with different labels" in note


def test_a_lesion_in_two_folds_is_refused(drawn_study: Study) -> None:
    both = [t.assign(lesion="L") for t in tables(drawn_study(), "classic", "real")]
    with pytest.raises(DermaugError, match="lesion L is in the test splits of two folds"):
        paired_difference(*both)


def test_the_command_compares_two_files(drawn_study: Study, tmp_path: Path) -> None:
    files = [str(tmp_path / f"{name}.csv") for name in "AB"]
    both = tables(drawn_study(seeds=(0, 1)), "classic", "real")
    for file, table in zip(files, both, strict=True):
        table.to_csv(file, index=False)
    said = CliRunner().invoke(app, ["score", *files, "--json"])
    assert said.exit_code == 0, said.output
    told = json.loads(said.stdout)
    expected = paired_difference(*both).table
    assert [row["difference"] for row in told] == pytest.approx(list(expected["difference"]))
    assert "2 lesions" not in CliRunner().invoke(app, ["score", *files]).stdout
    alone = CliRunner().invoke(app, ["score", files[0]])
    assert alone.exit_code != 0


def _capitals(table: pd.DataFrame, file: Path) -> None:
    names = {name: f" {name.upper()}" for name in ("image", "lesion", "label", "fold", "seed")}
    table.rename(columns=names).to_csv(file, index=False)


@pytest.mark.parametrize(
    "save",
    [
        lambda table, file: table.to_csv(file),
        lambda table, file: table.to_csv(file, index=False, sep=";", decimal=","),
        lambda table, file: table.to_csv(file, index=False, sep="\t", encoding="utf-16"),
        _capitals,
    ],
    ids=["numbered rows", "semicolons and decimal commas", "tabs in UTF-16", "capitals and blanks"],
)
def test_a_file_is_read_however_it_was_saved(
    drawn_study: Study, tmp_path: Path, save: Callable[[pd.DataFrame, Path], None]
) -> None:
    both = tables(drawn_study(seeds=(0, 1)), "classic", "real")
    first, second = tmp_path / "A.csv", tmp_path / "B.csv"
    save(both[0], first)
    both[1].to_csv(second, index=False)
    said = CliRunner().invoke(app, ["score", str(first), str(second), "--json"])
    assert said.exit_code == 0, said.output
    expected = paired_difference(*both).table
    told = pd.DataFrame(json.loads(said.stdout))
    assert told["p"].to_numpy() == pytest.approx(expected["p"].to_numpy(), abs=1e-4)
    assert told["difference"].to_numpy() == pytest.approx(expected["difference"].to_numpy())


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("image,lesion,label,mel,nv\ni1,l1,mel,0.5,0.5,0\n", "line 2: expected 5 cells, found 6"),
        ('image,lesion,label,mel,nv\n"i1,l1,mel,0.5,0.5\n', "correct the quotes of this row"),
        ("image,lesion,label,mel,mel\ni1,l1,mel,0.5,0.5\n", "column 'mel' occurs twice"),
        ("image,lesion,label,mel,nv\ni1,l1,mel,NA,0.5\n", "found text ('NA', image i1)"),
        ("image,lesion,label,mel,nv\ni1,l1,mel,,0.5\n", "the sum nan (mel nan, nv 0.5)"),
        ("image,lesion,label,mel,nv\ni1,l1,mel,20,80\n", "the sum 100 (mel 20, nv 80)"),
        ("\0", "no text file"),
        ("PAR1\0\0", "found a parquet file: save it as CSV UTF-8"),
        ("PK\x03\x04", "a zip archive or a workbook"),
        ('[{"image": "i1"}]', "found JSON: save it as CSV UTF-8"),
        ("image,lesion,label,mel,mel\ni1,l1,mel,0.5,0.5\n", "expected a name for each column"),
        ("Title,,,2026\nimage,lesion,label,mel\n", "the header: delete the lines above it"),
        ("", "found no rows"),
    ],
)
def test_a_file_that_is_no_table_of_predictions_is_refused_in_words(
    tmp_path: Path, content: str, told: str
) -> None:
    (tmp_path / "A.csv").write_text(content)
    (tmp_path / "B.csv").write_text("image,lesion,label,mel,nv\ni1,l1,mel,0.5,0.5\n")
    said = CliRunner().invoke(app, ["score", str(tmp_path / "A.csv"), str(tmp_path / "B.csv")])
    assert said.exit_code == 2
    assert told in said.output


def test_what_is_no_file_of_predictions_is_refused(tmp_path: Path) -> None:
    (tmp_path / "B.csv").write_text("image,lesion,label,mel,nv\n")
    for first, told in ((".", "found a folder"), ("absent.csv", "found nothing")):
        said = CliRunner().invoke(app, ["score", str(tmp_path / first), str(tmp_path / "B.csv")])
        assert said.exit_code == 2
        assert f"expected a table of predictions (CSV), {told}" in said.output
    os.mkfifo(tmp_path / "pipe.csv")
    for endless in ("/dev/zero", str(tmp_path / "pipe.csv")):
        said = CliRunner().invoke(app, ["score", endless, str(tmp_path / "B.csv")])
        assert said.exit_code == 2
        assert "expected a file, found a pipe, a device or a socket" in said.output
    said = CliRunner().invoke(app, ["score", "A.csv", "B.csv", "--data", str(tmp_path)])
    assert "two files of predictions need no data set" in said.output


def test_the_example_of_the_document_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.S)
    exec(compile(example, str(DOCUMENT), "exec"), {})
    assert "macro AUC" in capsys.readouterr().out
