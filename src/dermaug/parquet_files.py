"""Tables as parquet files with a checksum of every page, which parquet leaves out by default."""

from pathlib import Path

import pandas as pd

from dermaug.aside import written_aside
from dermaug.errors import DermaugError
from dermaug.files import refuse_special


def write_parquet(path: Path, table: pd.DataFrame) -> None:
    """Write a table, whole or not at all."""
    with written_aside(path) as aside:
        table.to_parquet(aside, index=False, write_page_checksum=True)


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a table written by `write_parquet`.

    Raises:
        FileNotFoundError: There is no file.
        DermaugError: It cannot be read, or its content has changed.
    """
    refuse_special(path)
    try:
        return pd.read_parquet(path, page_checksum_verification=True)
    except (FileNotFoundError, MemoryError):
        raise
    except Exception as error:  # of arrow, which knows of many
        raise DermaugError(
            f"{path}: not a readable parquet file ({error}); restore it from a copy, or delete it"
        ) from None
