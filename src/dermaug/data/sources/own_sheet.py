"""A table of one's own with its short hands written out: what columns are sought and read in."""

from collections.abc import Sequence
from pathlib import Path

from dermaug.data.findings import Findings
from dermaug.data.metadata import Sheet, read_sheet
from dermaug.data.sources import one_hot
from dermaug.data.sources.ditto_marks import without_dittos
from dermaug.data.sources.redcap import of_redcap
from dermaug.errors import DermaugError


def own_sheet(path: Path, required: Sequence[str], findings: Findings) -> Sheet:
    """Read a table; arguments and errors as of `read_sheet`.

    Marks for the cell above are replaced by it, codes of a data dictionary by its words, and
    columns of classes by one column.
    """
    written = [name for name in required if name != one_hot.CLASS]
    sheet = of_redcap(without_dittos(read_sheet(path, written, findings)))
    if "label" not in sheet.columns:
        sheet = one_hot.with_marked_class(sheet, findings)
    if one_hot.CLASS in required and one_hot.CLASS not in sheet.columns:
        raise DermaugError(
            f"{path}: expected one column per class, with a 1 in that of each row, found none"
        )
    return sheet
