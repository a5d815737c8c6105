"""A run is scored once, and what is stored is what was scored."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from drawn import scored

from dermaug.errors import DermaugError
from dermaug.experiment.run.layout import RunFolder
from dermaug.experiment.run.results import RunResults
from dermaug.scoring.scoring import FOLDER, Scoring, score

Study = Callable[..., RunResults]


@pytest.mark.parametrize("finished", [True, False])
def test_tables_are_read_as_they_were_written(
    drawn_study: Study, tmp_path: Path, finished: bool
) -> None:
    results = drawn_study(classes=("bcc", '=1+"&$x', "7", "mel"), seeds=(0, 1))
    results = results if finished else replace(results, trials=())
    scoring, files = scored(results), RunFolder(tmp_path)
    results.record.write(files.record)
    assert scoring.write(tmp_path, files) == tmp_path / FOLDER
    read = Scoring.read(tmp_path).tables
    assert list(read) == list(scoring.tables)
    for name, table in scoring.tables.items():
        assert len(table.columns), name
        assert list(table.columns) == list(read[name].columns), name
        pd.testing.assert_frame_equal(
            read[name], table, check_dtype=False, check_exact=True, obj=name
        )


def test_tables_that_were_changed_are_written_again_and_named(
    drawn_study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results, files = drawn_study(), RunFolder(tmp_path)
    results.record.write(files.record)
    scoring = scored(results)
    table = scoring.write(tmp_path, files) / "scores.csv"
    scoring.write(tmp_path, files)
    assert "changed" not in capsys.readouterr().err
    before = table.read_bytes()
    table.write_text("mine")
    scoring.write(tmp_path, files)
    assert "note: changed since they were written, and written again: scores.csv in " in (
        capsys.readouterr().err
    )
    assert table.read_bytes() == before


def test_the_same_predictions_are_scored_alike(drawn_study: Study) -> None:
    results = drawn_study()
    one, other = scored(results).tables, score(results, 100).tables
    for name in one:
        pd.testing.assert_frame_equal(one[name], other[name], obj=name)


def test_a_folder_without_scores_is_named(tmp_path: Path) -> None:
    with pytest.raises(DermaugError, match=r"found no scores\.csv; run `dermaug score"):
        Scoring.read(tmp_path)
