"""A reader test of a drawn study: what is sent tells nothing, and answers are scored."""

import base64
import csv
import io
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from dermaug.classifiers.model import ClassifierSpec, build_classifier, save_classifier
from dermaug.config import ClassifierConfig
from dermaug.errors import DermaugError
from dermaug.experiment.run.layout import JobFolder
from dermaug.experiment.run.results import RunResults
from dermaug.files import read_json
from dermaug.readers.answers import SENT, read_answers
from dermaug.readers.key import ReaderKey, read_key
from dermaug.readers.make import make_reader_test
from dermaug.readers.page import reader_page
from dermaug.readers.scores import ReaderScores, score_readers
from dermaug.readers.selection import choose_images
from dermaug.report.sections.readers import reader_section, reader_sentences, write_reader_page

Study = Callable[..., RunResults]
FLIPPED = {"real": "synthetic", "synthetic": "real"}


def make(results: RunResults, output: Path, readers: int = 2, number: int = 12) -> ReaderKey:
    make_reader_test(results, output, readers=readers, number=number, device=torch.device("cpu"))
    return read_key(output)


@pytest.fixture
def folder(drawn_study: Study, tmp_path: Path) -> Path:
    make(drawn_study(), tmp_path / "test", readers=3)
    return tmp_path / "test"


def payload(page: Path) -> list[bytes]:
    """The image files in a page, in their order."""
    (text,) = re.findall(r'id="test">(.*?)</script>', page.read_text(encoding="utf-8"), re.DOTALL)
    return [base64.b64decode(image) for image in json.loads(text)["images"]]


def write(path: Path, key: ReaderKey, reader: str, says: Iterable[tuple[str, str]]) -> Path:
    """A file of answers as the page would download it."""
    with path.open("w", newline="") as file:
        table = csv.writer(file, quoting=csv.QUOTE_ALL)
        table.writerow(SENT)
        for place, (origin, diagnosis) in enumerate(says, start=1):
            table.writerow((key.test, reader, place, origin, diagnosis, "2.5", "2026-11-27"))
    return path


def truth(key: ReaderKey, reader: str) -> list[tuple[str, str]]:
    return [(key.cases[case].origin, key.cases[case].label) for case in key.orders[reader]]


def test_what_is_sent_differs_in_pixels_only(drawn_study: Study, folder: Path) -> None:
    key = read_key(folder)
    sent = sorted(path.name for path in (folder / "send").iterdir())
    assert sent == ["instructions.txt", "reader1.html", "reader2.html", "reader3.html"]
    pages = [folder / "send" / f"{reader}.html" for reader in key.orders]
    assert len({page.stat().st_size for page in pages}) == 1
    images = drawn_study().images
    for page, (_reader, order) in zip(pages, key.orders.items(), strict=True):
        files = payload(page)
        assert len({len(file) for file in files}) == 1
        opened = [Image.open(io.BytesIO(file)) for file in files]
        assert {(one.format, one.mode, one.size, tuple(one.info)) for one in opened} == {
            ("PNG", "RGB", (16, 16), ())
        }
        for case, one in zip(order, opened, strict=True):
            if key.cases[case].origin == "real":
                row = drawn_study().catalog.rows([key.cases[case].source])[0]
                assert (np.asarray(one) == images[row]).all()
    # Apart from the images, the pages of a test are equal to the byte.
    blank = [re.sub(r'"images": .*?\]', "", page.read_text(encoding="utf-8")) for page in pages]
    assert len({text.replace(f"reader{k}", "reader") for k, text in enumerate(blank, 1)}) == 1


def test_half_of_each_class_is_real_and_of_lesions_unknown_to_the_generator(
    drawn_study: Study,
) -> None:
    results = drawn_study()
    fold, chosen = choose_images(results, 12, seed=3)
    assert {one.label for one in chosen} == {"mel"}  # the class that was generated
    real = [one for one in chosen if one.origin == "real"]
    assert len(real) == len(chosen) / 2 == 6
    lesions = results.catalog.table.set_index("image_id")["lesion_id"]
    shown = lesions[[one.source for one in real]]
    assert shown.is_unique
    assert not set(shown) & set(lesions[list(fold.train)])
    again = [one.source for one in choose_images(results, 12, seed=4)[1]]
    assert again != [one.source for one in chosen]


def test_orders_cannot_be_repeated_and_differ(drawn_study: Study, tmp_path: Path) -> None:
    one, two = (make(drawn_study(), tmp_path / name) for name in ("one", "two"))
    orders = [*one.orders.values(), *two.orders.values()]
    assert len(set(orders)) == 4
    assert one.test != two.test


def test_a_class_with_few_lesions_is_told(drawn_study: Study, tmp_path: Path) -> None:
    notes = make_reader_test(
        drawn_study(), tmp_path / "test", readers=1, number=400, device=torch.device("cpu")
    )
    assert "of 400 images" in notes[0]
    origins = [case.origin for case in read_key(tmp_path / "test").cases]
    assert origins.count("real") == origins.count("synthetic") > 6


def test_right_answers_score_one_and_reversed_ones_zero(folder: Path, tmp_path: Path) -> None:
    key = read_key(folder)
    right = write(tmp_path / "1.csv", key, "reader1", truth(key, "reader1"))
    wrong = [(FLIPPED[origin], "nv") for origin, _ in truth(key, "reader2")]
    files = [right, write(tmp_path / "2.csv", key, "reader2", wrong)]
    scores = score_readers(key, read_answers(key, files))
    table = scores.origins.set_index(["reader", "scope", "metric"])
    for metric in ("accuracy", "sensitivity", "specificity"):
        assert table.loc[("reader1", "all", metric), "value"] == 1.0
        assert table.loc[("reader2", "mel", metric), "value"] == 0.0
    assert table.loc[("reader1", "generator dcgan", "sensitivity"), "number"] == 6
    assert table.loc[("reader1", "all", "accuracy"), "low"] < 1.0
    named = scores.diagnoses.set_index(["reader", "origin", "scope", "metric"])["value"]
    assert named["reader1", "real", "all", "accuracy"] == 1.0
    assert named["reader2", "synthetic", "mel", "sensitivity"] == 0.0
    kappas = scores.agreement.set_index("task")["kappa"]
    assert kappas["real or synthetic"] == pytest.approx(-1.0)
    assert scores.together.empty
    assert scores.times["median_seconds"].tolist() == [2.5, 2.5]
    told = reader_sentences(scores)
    assert told[0].startswith("reader1 told real from synthetic in 12 of 12 images (100 %")
    assert told[0].endswith("better than guessing.")
    assert told[1].endswith("worse than guessing.")


def test_three_readers_get_an_interval_for_other_readers(folder: Path, tmp_path: Path) -> None:
    key = read_key(folder)
    files = []
    for place, (reader, order) in enumerate(key.orders.items()):
        errs = [case % 6 <= place for case in order]  # the first mistakes are everyone's
        says = [
            (FLIPPED[origin] if err else origin, label)
            for err, (origin, label) in zip(errs, truth(key, reader), strict=True)
        ]
        files.append(write(tmp_path / f"{reader}.csv", key, reader, says))
    scores = score_readers(key, read_answers(key, files))
    for file in files:
        header, *rows = file.read_text(encoding="utf-8").splitlines()
        file.write_text("\n".join([header, *rows[::-1]]), encoding="utf-8")
    turned = score_readers(key, read_answers(key, files[::-1]))
    assert turned.agreement.equals(scores.agreement)
    row = scores.together.set_index(["task", "metric"]).loc[("real or synthetic", "accuracy")]
    each = scores.origins.query("scope == 'all' and metric == 'accuracy'")["value"]
    assert row["value"] == pytest.approx(each.mean())
    assert 0 <= row["low"] < row["value"] < row["high"] <= 1
    assert any("Mean of 3 readers" in sentence for sentence in reader_sentences(scores))


def test_images_without_an_answer_are_left_out_and_told(folder: Path, tmp_path: Path) -> None:
    key = read_key(folder)
    says = [*truth(key, "reader1")[:5], *[("", "")] * 7]
    scores = score_readers(
        key, read_answers(key, [write(tmp_path / "1.csv", key, "reader1", says)])
    )
    assert scores.times["answered"].tolist() == [5]
    page = write_reader_page(folder, key, scores).read_text(encoding="utf-8")
    assert "reader1 answered 5 of 12 images" in page


def test_rows_that_were_deleted_are_missed(folder: Path, tmp_path: Path) -> None:
    key = read_key(folder)
    path = write(tmp_path / "1.csv", key, "reader1", truth(key, "reader1"))
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:4] + lines[6:]))
    with pytest.raises(DermaugError) as caught:
        read_answers(key, [path])
    assert caught.value.details == (
        "reader1: 10 of the 12 rows that the page downloads, answered or not",
    )


def test_classifiers_are_asked_for_the_same_images(drawn_study: Study, tmp_path: Path) -> None:
    results = drawn_study()
    spec = ClassifierSpec("test_resnet", results.catalog.classes, 16, {}, None)
    torch.manual_seed(0)
    network = build_classifier(ClassifierConfig(model="test_resnet"), spec, (0.5,) * 3, (0.2,) * 3)
    trial = next(one for one in results.trials if (one.arm, one.fold) == ("real", 0))
    folder = tmp_path / "trial"
    folder.mkdir()
    save_classifier(JobFolder(folder).classifier, network, spec)
    asked = replace(results, trials=(replace(trial, folder=folder),))
    key = make(asked, tmp_path / "test")
    assert {tuple(case.opinions) for case in key.cases} == {("real, fridadar",)}
    opinions = [key.cases[case].opinions["real, fridadar"] for case in key.orders["reader1"]]
    says = [("real", opinion) for opinion in opinions]
    answers = read_answers(key, [write(tmp_path / "1.csv", key, "reader1", says)])
    table = score_readers(key, answers).classifiers
    assert (table["agreed"] == table["number"]).all()
    assert (table["reader_right"] == table["classifier_right"]).all()


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("test", "another", "from another reader test"),
        ("reader", "reader9", "unknown reader 'reader9'"),
        ("image", "13", "expected 1 to 12"),
        ("image", "2", "answered twice"),
        ("origin", "fake", "expected real or synthetic"),
        ("diagnosis", "wart", "expected bkl, nv, mel"),
        ("seconds", "long", "expected a number"),
        ("seconds", "9" * 400, "expected a number"),
    ],
)
def test_answers_that_do_not_belong_are_named(
    folder: Path, tmp_path: Path, column: str, value: str, told: str
) -> None:
    key = read_key(folder)
    path = write(tmp_path / "1.csv", key, "reader1", truth(key, "reader1"))
    table = pd.read_csv(path, dtype=str)
    table.loc[0, column] = value
    table.to_csv(path, index=False)
    with pytest.raises(DermaugError) as error:
        read_answers(key, [path])
    assert told in str(error.value)
    assert f"{path} line " in str(error.value)


def test_answers_that_went_through_a_spreadsheet_are_the_same(folder: Path, tmp_path: Path) -> None:
    key = read_key(folder)
    path = write(tmp_path / "1.csv", key, "reader1", truth(key, "reader1"))
    expected = read_answers(key, [path])
    table = pd.read_csv(path, dtype=str)
    table["seconds"] = table["seconds"].str.replace(".", ",")
    saved = tmp_path / "saved.csv"
    table.rename(columns=str.title).to_csv(saved, index=False, sep=";", encoding="utf-16")
    pd.testing.assert_frame_equal(read_answers(key, [saved]), expected)


def test_what_is_no_file_of_answers_or_no_test_is_refused(folder: Path, tmp_path: Path) -> None:
    key, path = read_key(folder), tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(DermaugError, match="expected the columns test, reader"):
        read_answers(key, [path])
    with pytest.raises(DermaugError, match="found none that answers an image"):
        read_answers(key, [write(path, key, "reader1", [("", "")] * 12)])
    with pytest.raises(DermaugError, match="found no key"):
        read_key(tmp_path)
    with pytest.raises(DermaugError, match=r"table of answers, .* found nothing"):
        read_answers(key, [tmp_path / "absent.csv"])


def test_a_run_without_generators_and_too_many_classes_are_refused(drawn_study: Study) -> None:
    with pytest.raises(DermaugError, match="expected a run with a finished generator"):
        choose_images(replace(drawn_study(), generators=()), 12, 0)
    with pytest.raises(DermaugError, match="at most 33 classes"):
        reader_page([np.zeros((4, 4, 3), np.uint8)], [f"c{n}" for n in range(34)], "r", "t")


def test_the_report_of_the_run_shows_the_test_in_its_folder(
    drawn_study: Study, tmp_path: Path
) -> None:
    results = replace(drawn_study(), folder=tmp_path)
    assert not reader_section(results).content
    key = make(results, tmp_path / "readers")
    assert not reader_section(results).content  # not scored yet
    file = write(tmp_path / "1.csv", key, "reader1", truth(key, "reader1"))
    scores = score_readers(key, read_answers(key, [file]))
    scores.write(tmp_path / "readers")
    again = ReaderScores.read(tmp_path / "readers")
    for name, table in scores.tables.items():
        pd.testing.assert_frame_equal(again.tables[name], table, check_dtype=False)
    assert "better than guessing" in str(reader_section(results).content[0])
    assert read_json(tmp_path / "readers/key.json")["test"] == key.test


@pytest.fixture
def scored(drawn_study: Study, tmp_path: Path) -> RunResults:
    """A run with a scored reader test in its folder."""
    results = replace(drawn_study(), folder=tmp_path / "run")
    folder = results.folder / "readers"
    key = make(results, folder)
    file = write(tmp_path / "1.csv", key, "reader1", truth(key, "reader1"))
    score_readers(key, read_answers(key, [file])).write(folder)
    return results


@pytest.mark.parametrize(
    ("table", "old", "new"),
    [("origins", "1.0", "0.2"), ("origins", "low", "lo"), ("times", "answered", "answred")],
)
def test_a_table_that_was_edited_is_refused_by_name(
    scored: RunResults, table: str, old: str, new: str
) -> None:
    path = scored.folder / f"readers/scores/{table}.csv"
    text = path.read_text()
    path.write_text(text.replace(old, new, 1))
    assert path.read_text() != text
    with pytest.raises(DermaugError, match=rf"{table}\.csv: .* found that it was changed since"):
        reader_section(scored)


def test_a_test_of_another_run_or_generator_is_refused(scored: RunResults, tmp_path: Path) -> None:
    assert reader_section(scored).content
    other = replace(scored, record=scored.record.model_copy(update={"id": "another"}))
    with pytest.raises(DermaugError, match=r"found that of another run; move .* to another place"):
        reader_section(other)
    drawn = [
        replace(one, record=one.record.model_copy(update={"digest": "1"}))
        for one in scored.generators
    ]
    with pytest.raises(DermaugError, match="found that of an earlier dcgan"):
        reader_section(replace(scored, generators=tuple(drawn)))
    key = scored.folder / "readers/key.json"
    key.rename(tmp_path / "key.json")
    with pytest.raises(DermaugError, match="found no key"):
        reader_section(scored)


def test_scores_of_another_test_are_refused(scored: RunResults) -> None:
    folder = scored.folder / "readers"
    (folder / "scores").rename(scored.folder / "kept")
    (folder / "key.json").unlink()
    (folder / "send").rename(scored.folder / "sent")
    folder.rmdir()
    make(scored, folder)
    (scored.folder / "kept").rename(folder / "scores")
    with pytest.raises(DermaugError, match="found those of a test with another key"):
        reader_section(scored)
