import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest
from drawn import recorded, reported, verdicts_of

from dermaug.errors import DermaugError
from dermaug.experiment.run.results import RunResults
from dermaug.report.blocks import Figure, Panel, Section
from dermaug.report.document import Page as Document
from dermaug.report.page import facts
from dermaug.report.sections.failures import MOST
from dermaug.scoring.scores import score_trials

Study = Callable[..., RunResults]
Written = Callable[..., Path]
OPEN = ["answer", "ladder", "images", "classes"]
PRINTED = ["verdicts", "asked", "threats", "operating", "calibration", "flow", "split"]
FOLDED = ["scores", "confusion", "failures", "roc", "areas", "subgroups", "training", "cost"]
SECTIONS = [*OPEN, "rest", *PRINTED, *FOLDED, "data", "machine", "configuration"]


class Page(HTMLParser):
    """Tags and attributes of a page; refuses one whose tags don't close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "img", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def values(self, name: str) -> list[str]:
        return [attributes[name] or "" for _, attributes in self.tags if name in attributes]


def test_the_page_holds_everything_in_order_and_asks_nothing_of_the_network(
    drawn_page: Written,
) -> None:
    path = drawn_page(seeds=(0, 1))
    page = Page(path.read_text(encoding="utf-8"))
    ids = page.values("id")
    assert [each for each in ids if "-" not in each] == [*SECTIONS, "terms"]
    assert len(set(ids)) == len(ids), "what drawings define has names of its own"
    assert all(source.startswith("data:image/") for source in page.values("src"))
    drawn = [attributes for tag, attributes in page.tags if tag == "svg"]
    failures = pd.read_csv(path.parent / "figures" / "failures.csv").groupby("label").size()
    assert len(drawn) + len(page.values("src")) == 24 + failures.clip(upper=MOST).sum()
    assert all(attributes["aria-label"] for attributes in drawn)
    links = [*page.values("href"), *page.values("xlink:href")]
    assert all(
        link.startswith(("data:image/", "data:text/csv")) or (link[0] == "#" and link[1:] in ids)
        for link in links
    )
    assert all(page.values("alt"))
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "iframe", "object", "embed", "form"}
    assert set(re.findall(r"url\((.)", path.read_text(encoding="utf-8"))) == {"#"}


def test_what_is_not_on_the_first_screens_is_folded_and_part_of_it_is_printed(
    drawn_page: Written,
) -> None:
    page = Page(drawn_page(seeds=(0, 1)).read_text(encoding="utf-8"))
    looks = {
        str(attributes["id"]): str(attributes.get("class", ""))
        for tag, attributes in page.tags
        if tag == "section"
    }
    assert [name for name, look in looks.items() if not look] == OPEN
    assert [name for name, look in looks.items() if look == "folded printed"] == PRINTED
    assert [name for name, look in looks.items() if look == "folded"] == SECTIONS[-11:]


def written(page: Path) -> list[Path]:
    """The drawings of a page and their numbers."""
    return [file for file in (page.parent / "figures").iterdir() if file.suffix != ".json"]


def test_figures_that_a_page_no_longer_has_are_removed_and_others_stay(tmp_path: Path) -> None:
    panels = [Panel(f"{name}.png", name, b"") for name in ("one", "two")]
    figures = [Figure(each.alt, "", (each,), pd.DataFrame({"a": [1]})) for each in panels]
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures/mine.png").touch()
    for shown in (figures, figures[:1], []):
        section = Section("s", "S", shown)
        Document("", "", "", "", [section], "").write(tmp_path / "a.html")
        names = {name for each in shown for name in (f"{each.name}.csv", f"{each.name}.png")}
        assert {file.name for file in written(tmp_path / "a.html")} == {"mine.png", *names}


def test_every_table_and_drawing_can_be_saved_from_within_the_page(drawn_page: Written) -> None:
    path = drawn_page(seeds=(0, 1))
    page = Page(path.read_text(encoding="utf-8"))
    saved = {
        str(attributes["download"]): b64decode(str(attributes["href"]).split("base64,")[1])
        for _, attributes in page.tags
        if "download" in attributes
    }
    for file in written(path):
        assert saved[file.name] == file.read_bytes(), file.name
    verdicts = pd.read_csv(BytesIO(saved["first-named-minus-second.csv"]))
    assert "Verdict" in verdicts
    tables = len(re.findall('<figure class="table">', path.read_text(encoding="utf-8")))
    drawn = [name for name in page.values("download") if (path.parent / "figures" / name).exists()]
    assert len(page.values("download")) - len(drawn) == tables


def test_the_first_screen_holds_question_verdict_and_forest_and_each_only_once(
    drawn_study: Study, drawn_page: Written
) -> None:
    results = drawn_study(seeds=(0, 1))
    text = drawn_page(seeds=(0, 1)).read_text(encoding="utf-8")
    first, rest = text.split('<section id="ladder">')
    rest = rest.split('<section id="configuration"')[0]
    verdicts = verdicts_of(results)
    asked = verdicts[verdicts["family"] == "mean sensitivity"]
    for part in (
        results.experiment.question,
        *(escape(each) for each in asked["sentence"] if "synthetic" in each),
        'download="differences.csv"',
    ):
        assert part in first
        assert part not in rest


def test_scores_on_the_page_are_those_of_the_trials(
    drawn_study: Study, drawn_page: Written
) -> None:
    results, path = drawn_study(seeds=(0, 1)), drawn_page(seeds=(0, 1))
    scores = score_trials(results)
    text = path.read_text(encoding="utf-8")
    for arm, trials in scores.groupby("arm"):
        mean, spread = trials["balanced_accuracy"].mean(), trials["balanced_accuracy"].std()
        row = rf'<th scope="row">{re.escape(str(arm))}</th><td class="number">'
        assert re.search(row + f"{mean:.3f} ± {spread:.3f}</td>", text), arm
    written = pd.read_csv(path.parent / "scoring" / "scores.csv")
    pd.testing.assert_frame_equal(written, scores, check_dtype=False)
    assert len(pd.read_csv(path.parent / "scoring" / "class_scores.csv")) == 3 * len(scores)
    assert set(pd.read_csv(path.parent / "scoring" / "verdicts.csv")["reference"]) == {
        "real",
        "classic",
    }


def test_each_figure_lies_beside_the_page_with_its_numbers(drawn_page: Written) -> None:
    path = drawn_page(seeds=(0, 1))
    files = {file.name for file in written(path)}
    for stem in ("differences", "class_scores", "confusion", "roc", "samples", "training", "data"):
        assert f"{stem}.csv" in files
    assert {"roc-2-fridadar-mel.svg", "samples-0-dcgan-mel-real.png"} <= files
    drawing = (path.parent / "figures" / "roc-2-fridadar-mel.svg").read_text(encoding="utf-8")
    assert re.search(r"<text[^>]*>(<tspan[^>]*>)?Sensitivity<", drawing), "text is not text"


def test_names_from_outside_cannot_run(drawn_study: Study) -> None:
    evil = "<script>alert(1)</script>"
    results = drawn_study(classes=("bkl", '=1+"&$x', evil))
    skipped = results.record.data.model_copy(update={"skipped": {f"{evil}.jpg": "truncated"}})
    results = replace(
        recorded(results, command=f"dermaug {evil}", data=skipped),
        catalog=replace(results.catalog, name=evil, notes=(evil,)),
    )
    path = reported(results)
    text = path.read_text(encoding="utf-8")
    assert "<script" not in text
    assert text.count("&lt;script&gt;") > 5
    assert "1 file could not be read and was left out" in text
    Page(text)
    trials = pd.read_csv(path.parent / "scoring" / "class_scores.csv", dtype=str)["label"]
    assert set(trials) == {"bkl", "'=1+\"&$x", evil}
    for drawing in (path.parent / "figures").glob("*.svg"):
        assert "<script" not in drawing.read_text(encoding="utf-8")


def test_the_same_results_give_the_same_bytes(drawn_study: Study, tmp_path: Path) -> None:
    results = drawn_study(folds=1, skill={"real": 1.0, "classic": 2.0})
    one = reported(results, tmp_path / "one" / "page.html").read_bytes()
    assert reported(results, tmp_path / "two" / "page.html").read_bytes() == one


@pytest.mark.parametrize("kept", [0, 1, 4])
def test_an_unfinished_run_is_reported_as_such(drawn_study: Study, kept: int) -> None:
    results = drawn_study()
    partial = replace(results, trials=results.trials[:kept], generators=())
    text = reported(partial).read_text(encoding="utf-8")
    assert f"{kept} of 6 trials and 0 of 2 generators are done" in text
    Page(text)


def test_an_arm_that_measures_convergence_is_told_of_and_compared_with_nothing(
    drawn_study: Study,
) -> None:
    skill = {"real": 1.0, "classic": 1.2, "real-half-length": 0.9}
    measured = drawn_study(skill=skill, seeds=(0, 1))
    path = reported(measured)
    text = path.read_text(encoding="utf-8")
    assert "the baseline real with fridadar changes by" in text
    assert set(pd.read_csv(path.parent / "scoring" / "scores.csv")["arm"]) == {"real", "classic"}


def test_a_folder_in_the_way_is_named(drawn_study: Study, tmp_path: Path) -> None:
    with pytest.raises(DermaugError, match="found a folder"):
        reported(drawn_study(), tmp_path)


def test_the_first_line_tells_how_small_the_training_part_is(drawn_study: Study) -> None:
    results = drawn_study(folds=1)
    (fold,) = results.folds
    short = replace(results, folds=(replace(fold, train=fold.train[:5]),), lesions=3)
    assert "5 images of" in facts(short)
    assert "at most 3 " in facts(short)


def test_patients_are_named_where_lesions_are_unknown(drawn_study: Study) -> None:
    results = drawn_study(folds=1)
    table = results.catalog.table
    alone = replace(results.catalog, grouped=False)
    assert "images counted as lesions, " in facts(replace(results, catalog=alone))
    patients = table.assign(patient_id=[f"P{row % 5}" for row in range(len(table))])
    known = replace(alone, table=patients)
    assert f"{len(table)} images of 5 patients, " in facts(replace(results, catalog=known))
