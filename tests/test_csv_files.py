from pathlib import Path

import pandas as pd
import pytest

from dermaug.csv_files import safe_cell, write_csv


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_text_that_a_spreadsheet_would_run_is_quoted(text: str, tmp_path: Path) -> None:
    table = pd.DataFrame({text: [text, "mel"], "score": [-0.5, 0.25], "count": [-3, 4]})
    write_csv(tmp_path / "table.csv", table)
    again = pd.read_csv(tmp_path / "table.csv", dtype=str, lineterminator="\n")
    assert again.columns[0] == f"'{text}"
    assert again.iloc[:, 0].tolist() == [f"'{text}", "mel"]
    assert again["score"].tolist() == ["-0.5", "0.25"]
    assert again["count"].tolist() == ["-3", "4"]


def test_categories_are_quoted_too(tmp_path: Path) -> None:
    write_csv(tmp_path / "table.csv", pd.DataFrame({"arm": pd.Categorical(["=a", "b"])}))
    assert (tmp_path / "table.csv").read_text(encoding="utf-8") == "arm\n'=a\nb\n"


def test_missing_values_and_numbers_stay() -> None:
    assert safe_cell(-1) == -1
    assert safe_cell(None) is None
