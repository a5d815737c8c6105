"""Checklists answer what the run knows, and leave to the author what it cannot know."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn import scored

from dermaug.errors import DermaugError
from dermaug.experiment.run.results import RunResults
from dermaug.report.checklist import GUIDELINES, write_checklist
from dermaug.report.checklist_answers import ANSWERS
from dermaug.report.sections.failures import failures

Study = Callable[..., RunResults]


def test_every_answer_is_asked_for_and_every_topic_has_one_or_an_author() -> None:
    keys = {key for guideline in GUIDELINES.values() for *_, key in guideline.topics}
    assert keys - {""} == set(ANSWERS)
    for guideline in GUIDELINES.values():
        asked = [topic for _, topic, _ in guideline.topics]
        assert len(set(asked)) == len(asked)


def test_each_guideline_is_written_with_what_the_run_knows(
    drawn_study: Study, tmp_path: Path
) -> None:
    results = drawn_study(seeds=(0, 1))
    scoring = scored(results)
    for name in GUIDELINES:
        path = write_checklist(results, scoring, name, tmp_path / f"{name}.md")
        text = path.read_text(encoding="utf-8")
        assert f"{len(results.catalog):,} images" in text
        assert "Images were split by lesion: no lesion occurs in two splits" in text
        assert "| Funding and conflicts of interest. | **For the author.** |" in text
        assert "diagnosis by histo 100 %" in text
        assert scoring.verdicts.query("family == 'mean sensitivity'")["sentence"].iloc[0] in text
        rows = [line for line in text.splitlines() if line.startswith("| ")]
        assert all(line.count(" | ") == 1 for line in rows)
    external = "| Performance on data from another source. | **For the author.** |"
    assert external in (tmp_path / "claim.md").read_text(encoding="utf-8")


def test_trials_that_measure_convergence_enter_no_answer(
    drawn_study: Study, tmp_path: Path
) -> None:
    skill = {"real": 1.0, "classic": 1.2}
    longer = drawn_study(skill=skill | {"real-half-length": 0.1}, seeds=(0, 1))
    shown = failures(longer.compared)
    path = write_checklist(longer, scored(longer), "claim", tmp_path / "claim.md")
    text = path.read_text(encoding="utf-8")
    assert f"All compared trials ({len(longer.compared.trials)}) were tested" in text
    assert len(longer.compared.trials) < len(longer.trials)
    assert len(shown) != len(failures(longer))
    assert f"Of {len(shown)} test lesions, the mean prediction of the compared" in text


def test_patients_and_what_was_left_out_are_counted(drawn_study: Study, tmp_path: Path) -> None:
    results = drawn_study(seeds=(0, 1))
    catalog = results.catalog
    patients = catalog.table.assign(patient_id=[f"P{row}" for row in range(len(catalog))])
    note = "Left out as unclear: images without a row in list.csv: 1 (x.jpg)."
    catalog = replace(catalog, table=patients, notes=(note,)).united(np.array([0]), np.array([9]))
    data = results.record.data.model_copy(update={"grouping": "patient"})
    record = results.record.model_copy(update={"data": data})
    changed = replace(results, catalog=catalog, record=record)
    text = write_checklist(changed, scored(results), "claim", tmp_path / "c.md").read_text("utf-8")
    assert f", {len(catalog)} patients (fingerprint" in text
    assert note in text


def test_an_unfinished_run_claims_nothing(drawn_study: Study, tmp_path: Path) -> None:
    results = replace(drawn_study(), trials=(), generators=())
    path = write_checklist(results, scored(results), "claim", tmp_path / "claim.md")
    text = path.read_text(encoding="utf-8")
    assert "No classifier has been trained yet" in text
    assert "How synthetic images were made and checked. | **For the author.** |" in text


def test_an_unknown_guideline_is_refused(drawn_study: Study, tmp_path: Path) -> None:
    results = drawn_study()
    with pytest.raises(DermaugError, match="expected one of claim, tripod-ai, stard-ai"):
        write_checklist(results, scored(results), "consort", tmp_path / "x.md")
