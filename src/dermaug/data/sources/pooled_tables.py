"""Several tables of one's own as one: of several years, or of given splits."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from dermaug.config.data import NOT_READ
from dermaug.data.cells import TONE_COLUMNS
from dermaug.data.findings import Findings
from dermaug.data.metadata import Row, Sheet, read_header
from dermaug.data.sources import stylegan_labels
from dermaug.data.sources.column_names import known_columns
from dermaug.data.sources.named_columns import suggestion
from dermaug.data.sources.own_sheet import own_sheet
from dermaug.data.sources.own_tables import REQUIRED
from dermaug.data.sources.split_folders import is_split
from dermaug.errors import DermaugError

POOLED = (
    "The tables are read as one: patients, and lesions, of equal ids in them count as one; if they "
    "are others, make the ids differ."
)
READERS = {stylegan_labels.NAME: stylegan_labels.read_labels}


def pooled_tables(
    root: Path, tables: Sequence[Path], names: Mapping[str, str], findings: Findings
) -> Sheet:
    """The table, several of equal columns as one, or those of the splits, named by the root."""
    asked = {column: name for column, name in names.items() if name != NOT_READ}
    required = tuple(asked.get(column, column) for column in REQUIRED)
    needed = (*required, *(name for name in asked.values() if name not in required))
    sheets = [_sheet(table, root, needed, findings).renamed(asked) for table in tables]
    sheets = [sheet.renamed(known_columns(sheet.columns, sheet.rows)) for sheet in sheets]
    left_out = set(names) - set(asked)
    left_out |= set(TONE_COLUMNS) if "skin_tone" in left_out else set()
    sheets = [sheet.without(left_out) for sheet in sheets]
    in_splits = tables[0].parent != root and is_split(tables[0].parent)
    if len(sheets) == 1 and not in_splits:
        return sheets[0]
    places = [f"{sheet.path.parent.name}/" if in_splits else "" for sheet in sheets]
    placed = list(zip(places, sheets, strict=True))
    rows = [_below(row, place) for place, sheet in placed for row in sheet.rows]
    doubtful = {f"{place}{cell}" for place, sheet in placed for cell in sheet.doubtful}
    columns = dict.fromkeys(column for sheet in sheets for column in sheet.columns)
    several = len({sheet.path.parent for sheet in sheets}) < len(sheets)
    how = " ".join(filter(None, [*dict.fromkeys(sheet.how for sheet in sheets), POOLED * several]))
    told = {new: old for sheet in sheets for new, old in sheet.names.items()}
    path = root if in_splits else root / f"{tables[0].name} and {len(tables) - 1} more"
    return Sheet(path, tuple(columns), tuple(rows), frozenset(doubtful), how, told)


def _sheet(table: Path, root: Path, needed: Sequence[str], findings: Findings) -> Sheet:
    """Read a table; one that lacks columns is refused with the options that name them."""
    try:
        return READERS.get(table.name.lower(), own_sheet)(table, needed, findings)
    except DermaugError as error:
        if table.name.lower() in READERS or set(needed) <= set(read_header(table)):
            raise
        options = f"or name the columns as they are: {suggestion(table, root)}"
        raise DermaugError(error.message, (*error.details, options)) from None


def _below(row: Row, place: str) -> Row:
    """A row whose file lies in a folder; "" for the folder of its table."""
    if not place:
        return row
    cells = {**row.cells, "file_name": f"{place}{row['file_name']}"}
    return replace(row, where=f"{place}{row.where}", cells=cells)
