import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawn import reported, scored

from dermaug.experiment.run.results import RunResults
from dermaug.report.blocks import Block, Details, Table
from dermaug.report.formats import with_interval
from dermaug.report.sections.calibration import calibration_section, calibration_table
from dermaug.report.sections.operating import operating_sections
from dermaug.report.sections.subgroups import subgroup_section, subgroup_table
from dermaug.scoring.target_scores import RULES

Study = Callable[..., RunResults]
Written = Callable[..., Path]
CLASSES = ("bcc", "bkl", "mel", "nv")


def test_every_figure_has_panels_in_words_and_its_numbers(drawn_study: Study) -> None:
    results = drawn_study(classes=CLASSES, lesions=40)
    scoring = scored(results)
    sections = [
        *operating_sections(results, scoring),
        calibration_section(results, scoring),
        subgroup_section(results, scoring),
    ]
    figures = {figure.name: figure for section in sections for figure in section.figures}
    assert set(figures) == {"decision_curves", "reliability", "subgroup_scores", "subgroup_gains"}
    for figure in figures.values():
        assert figure.panels
        assert len(figure.numbers)
        assert all(panel.alt for panel in figure.panels)
        assert all(b"<text" in panel.data for panel in figure.panels)
        names = [panel.name for panel in figure.panels]
        assert len(set(names)) == len(names)
    gains = figures["subgroup_gains"]
    words = [text for text, _, _ in gains.legend]
    assert words == ["classic − real", "classic+synthetic − classic"]
    assert b"Difference in mean sensitivity" in gains.panels[0].data
    drawn = gains.panels[0].data.decode()
    rows = gains.numbers[gains.numbers["grouping"] == "sex"]
    for row in rows[rows["metric"] == "balanced_accuracy"].itertuples():
        assert f"{row.group} (n {row.support})" in drawn


def test_tables_show_the_means_of_the_trials(drawn_study: Study) -> None:
    results = drawn_study(classes=CLASSES, lesions=40, seeds=(0, 1))
    scoring, arms = scored(results), [arm.name for arm in results.experiment.arms]
    points = scoring.operating_points
    section = {each.key: each for each in operating_sections(results, scoring)}["operating"]
    tables = [block for block in section.content if isinstance(block, Table)]
    malignant, _, melanoma, _ = tables
    assert malignant.caption.startswith("Malignant or pre-malignant (bcc, mel) ag")
    assert melanoma.caption.startswith("Melanoma: ")
    chosen = points[(points["target"] == "mel") & (points["wanted_specificity"] == 0.95)]
    means = chosen[chosen["arm"] == "classic"][["sensitivity", "specificity"]].mean()
    row = next(row for row in melanoma.rows if row[0] == "classic")
    assert row[-1] == f"{means['sensitivity']:.3f} / {means['specificity']:.3f}"
    tested = sum((results.catalog.table["label"] == "mel")[results.catalog.rows(fold.test)].sum()
                 for fold in results.folds)  # fmt: skip
    assert f"({tested} positive and " in melanoma.caption
    calibrated = calibration_table(scoring.calibration, arms)
    assert [row[-1] for row in calibrated.rows if len(row) > 1] == ["4"] * 3
    by_group = subgroup_table(scoring.subgroups)
    assert any("to" in cell for row in by_group.rows for cell in row[2:])


def test_every_number_of_a_decision_is_shown_with_its_interval(drawn_study: Study) -> None:
    results = drawn_study(classes=CLASSES, lesions=40, seeds=(0, 1))
    scoring = scored(results)
    decided, shown = scoring.decisions, {}
    sections = [*operating_sections(results, scoring), calibration_section(results, scoring)]
    for section in sections:
        for table in every_table(section.content):
            if table.source == "scoring/decisions.csv":
                assert "Exploratory" in table.caption
                shown[table.caption] = {row[0]: row[1:] for row in table.rows}
    # Areas, two targets at seven rules, calibration.
    assert len(shown) == 1 + 2 * len(RULES) + 1
    cells = sum(len(cells) for rows in shown.values() for cells in rows.values())
    assert cells == len(decided)
    wanted = "Melanoma, threshold for 95 % sensitivity"
    (at_rule,) = (rows for caption, rows in shown.items() if caption.startswith(wanted))
    places = decided.set_index(["arm", "reference", "readout", "scope", "metric"])
    row = places.loc["classic", "real", "95 % sensitivity", "mel", "ppv"]
    assert at_rule["classic − real"][2] == with_interval(row, "value")
    row = places.loc["classic", "", "95 % sensitivity", "mel", "npv"]
    assert at_rule["classic"][3] == f"{row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})"


def every_table(blocks: Sequence[Block]) -> Iterator[Table]:
    for block in blocks:
        if isinstance(block, Table):
            yield block
        elif isinstance(block, Details):
            yield from every_table(block.content)


def test_numbers_lie_beside_the_page(drawn_page: Written) -> None:
    path = drawn_page(classes=CLASSES)
    tables = {
        name: pd.read_csv(path.parent / "scoring" / f"{name}.csv")
        for name in ("operating_points", "calibration", "subgroups")
    }
    assert set(tables["operating_points"]["target"]) == {"malignant", "mel"}
    assert np.isfinite(tables["calibration"]["temperature"]).all()
    assert {"sex", "age", "site"} <= set(tables["subgroups"]["grouping"])
    files = {file.name for file in (path.parent / "figures").iterdir()}
    assert {"reliability.csv", "subgroup_scores.csv", "subgroup_gains.csv"} <= files
    text = path.read_text(encoding="utf-8")
    order = [text.index(f'<section id="{name}"') for name in ("operating", "calibration", "roc")]
    assert order == sorted(order)
    assert re.search(r'<section id="subgroups".*?<summary><h2>Subgroups', text, re.DOTALL)


def test_malignant_is_never_said_without_pre_malignant(drawn_page: Written) -> None:
    """Actinic keratoses (akiec) are among them. The keys of the experiment file are no prose."""
    page = drawn_page(classes=CLASSES).read_text(encoding="utf-8")
    prose = re.sub(r"<pre.*?</pre>", " ", page, flags=re.DOTALL)
    text = " ".join(re.sub(r"<[^>]+>", " ", prose).lower().split())
    said = [text[max(0, at.start() - 20) : at.end() + 20] for at in re.finditer("malignan", text)]
    assert len(said) > 2
    assert [each for each in said if "malignant or pre-malignant" not in each] == []


@pytest.mark.parametrize(
    ("classes", "shown"),
    [(("benign", "other"), False), (("Naevus", "Melanom"), True), (CLASSES, True)],
)
def test_malignancy_is_shown_for_known_diagnoses_only(
    drawn_study: Study, tmp_path: Path, classes: tuple[str, ...], shown: bool
) -> None:
    results = drawn_study(classes=classes, skill={"real": 1.0}, folds=1)
    text = reported(results, tmp_path / "page.html").read_text(encoding="utf-8")
    assert ("Partial AUC" in text) is shown
    assert ("dermaug does not know whether other is malignant" in text) is not shown
    assert "subgroup_gains" not in text  # a single arm gains over nobody
