"""Tables as CSV files that a spreadsheet opens without running anything (OWASP ASVS 1.2.10)."""

from pathlib import Path

import pandas as pd

from dermaug.files import write_text

_LEADS = ("=", "+", "-", "@", "\t", "\r")


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table, whole or not at all; text that a spreadsheet would run is quoted."""
    write_text(path, csv_text(table))


def csv_text(table: pd.DataFrame) -> str:
    """Content of the file that `write_csv` writes."""
    return str(safe_table(table).to_csv(index=False, lineterminator="\n"))


def safe_table(table: pd.DataFrame) -> pd.DataFrame:
    """A copy whose text cells and column names are harmless; numbers are untouched."""
    safe = table.rename(columns=safe_cell)
    for name in safe.select_dtypes(["object", "str", "category"]).columns:
        safe[name] = safe[name].astype(object).map(safe_cell)
    return safe


def safe_cell(value: object) -> object:
    """Prefix text that starts with = + - @, tab or return by a single quote.

    Example:
        >>> safe_cell("=HYPERLINK(1)"), safe_cell(-0.5), safe_cell("mel")
        ("'=HYPERLINK(1)", -0.5, 'mel')
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(_LEADS) else value
