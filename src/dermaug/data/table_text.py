"""The cells of a table saved as text, by whatever program: its encoding and its separator."""

import codecs
import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dermaug.data.containers import read_bytes
from dermaug.errors import DermaugError

SEPARATORS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "vertical bars"}
NAMES = {"utf-8-sig": "UTF-8", "cp1252": "Windows-1252"}
SHOWN = 3
"""Words with letters beyond ASCII that a sentence shows."""
LETTERS = "À-ÏÑ-ÖØ-Üß-ïñ-öø-üÿŒœ"
"""Those of Western European languages; Ð, Ý, Þ are left out: Turkish has other letters there."""
JOINING = "\xa0·’´–—"
OTHERS = "§°±²³µº«»‘“”„•…€×®©™"
NOT_WESTERN = re.compile(
    rf"[^\x00-\x7f{LETTERS}{JOINING}{OTHERS}]"
    rf"|[A-Za-z{LETTERS}][{OTHERS}][A-Za-z{LETTERS}]"
    rf"|[²³][A-Za-z]|[{LETTERS}]{{3}}"
)
"""What no Western European text has when its bytes are read as Windows-1252: rare characters, signs
within words (DOS and Mac encodings), three letters with accents in a row (Cyrillic, Greek)."""
ACCENTED = re.compile(rf"[A-Za-z{LETTERS}]*[{LETTERS}][A-Za-z{LETTERS}]*")
NAMED_SEPARATOR = re.compile(r'"?sep=(.)"?\r?\n', re.IGNORECASE)
"""The line by which Excel tells itself the separator, above the header."""
OTHER_KINDS = {
    rb"\x1f\x8b": "a gzip file: unpack it",
    rb"PK\x03\x04": "a zip archive or a workbook: unpack it, or give it the ending .xlsx",
    rb"\xd0\xcf\x11\xe0": "an old workbook: give it the ending .xls",
    rb"PAR1": "a parquet file: save it as CSV UTF-8",
    rb"\x89HDF": "an HDF5 file: save its table as CSV UTF-8",
    rb"(\xef\xbb\xbf)?\s*(\{\s*[\"}]|\[\s*[\[{])": "JSON: save it as CSV UTF-8",
}
"""Beginning of files that are no tables of text -> what they are, and what to do."""
MOST_TITLES = 5
"""Rows above a header that may hold a title."""
DECIMAL_COMMA = re.compile(r"[-+]?[0-9]{1,6},[0-9]{1,2}")


@dataclass(frozen=True)
class Cells:
    """A table as text.

    Args:
        rows: Number of the line or row in the file, and the cells, without surrounding blanks; the
            first row is the header.
        unit: What the number counts, `line` or `row`.
        how: A sentence on how the file was read; "" for commas and UTF-8, which need none.
    """

    rows: Sequence[tuple[int, list[str]]]
    unit: str = "line"
    how: str = ""


def point(text: str) -> str:
    """A number with a point for its decimal comma; other text as it is.

    Example:
        >>> point("45,5"), point("1,234"), point("back, left")
        ('45.5', '1,234', 'back, left')
    """
    return text.replace(",", ".") if DECIMAL_COMMA.fullmatch(text) else text


def encoding_of(raw: bytes) -> str:
    """The encoding of a text, or of its beginning: UTF-8 unless its bytes say otherwise.

    Bytes that are no UTF-8 are Windows-1252 where this gives Western European words; there is no
    telling other encodings apart, and UTF-8 is then answered.

    Example:
        >>> [encoding_of("Läsion".encode(name)) for name in ("utf-8", "cp1252", "utf-16-le")]
        ['utf-8-sig', 'cp1252', 'utf-16-le']
    """
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding, letters, zeros in (("utf-16-le", 0, 1), ("utf-16-be", 1, 0)):
        if len(raw) > 3 and not any(raw[zeros:4:2]) and all(raw[letters:4:2]):
            return encoding
    try:
        codecs.getincrementaldecoder("utf-8")().decode(raw)
    except UnicodeDecodeError:
        return "cp1252" if _is_western(raw) else "utf-8-sig"
    return "utf-8-sig"


def _is_western(raw: bytes) -> bool:
    try:
        return NOT_WESTERN.search(raw.decode("cp1252")) is None
    except UnicodeDecodeError:
        return False


def read_text(path: Path) -> str:
    """Read a text in the encoding that its bytes tell; a byte order mark is dropped.

    Raises:
        DermaugError: The file cannot be read, or is in another encoding; names the line.
    """
    return _decoded(path, _raw(path))[0]


def _decoded(path: Path, raw: bytes) -> tuple[str, str]:
    """The text, and the encoding."""
    encoding = encoding_of(raw)
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise DermaugError(
            f"{path} line {line}: expected {NAMES.get(encoding, 'UTF-16')} text, found byte "
            f"0x{raw[error.start]:02x}; save the table as UTF-8 (in Excel: CSV UTF-8)"
        ) from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise DermaugError(
            f"{path} line {line}: expected text, found a NUL byte, so that it is no text file; "
            "save the table as CSV UTF-8"
        )
    return text, encoding


def _raw(path: Path) -> bytes:
    try:
        return read_bytes(path)
    except OSError as error:
        raise DermaugError(f"{path}: cannot be read ({error.strerror or error})") from None


def without_titles(rows: Sequence[tuple[int, list[str]]]) -> Sequence[tuple[int, list[str]]]:
    """Rows of a table without those above its header that hold one cell, as a title does.

    Example:
        >>> without_titles([(1, ["Clinic", ""]), (3, ["image", "label"]), (4, ["a", ""])])
        [(3, ['image', 'label']), (4, ['a', ''])]
    """
    widths = [sum(map(bool, row)) for _, row in rows[: MOST_TITLES + 1]]
    above = next((number for number, width in enumerate(widths) if width > 1), 0)
    return rows[above:]


def header_cells(path: Path) -> tuple[str, ...]:
    """Names in the first line of a text table, of which only the beginning is read.

    Raises:
        OSError: The file cannot be read.
    """
    raw = beginning(path)
    decoder = codecs.getincrementaldecoder(encoding_of(raw))("replace")
    text, separator = _split_off(decoder.decode(raw))
    lines = re.split(r"\r?\n", text, maxsplit=2 * MOST_TITLES)[: 2 * MOST_TITLES]
    rows = [(0, [name.strip().strip('"') for name in line.split(separator)]) for line in lines]
    names = without_titles([row for row in rows if any(row[1])] or rows)[0][1]
    while names and not names[-1]:
        names.pop()
    return tuple(names)


def looks_like_table(path: Path) -> bool:
    """Whether the first lines of a text have as many cells each, and several. Never raises."""
    try:
        raw = beginning(path)
        decoder = codecs.getincrementaldecoder(encoding_of(raw))("replace")
        text, separator = _split_off(decoder.decode(raw))
    except OSError:
        return False
    lines = list(filter(None, text.splitlines()[: 2 * MOST_TITLES]))
    rows = without_titles([(0, line.split(separator)) for line in lines])
    return len(rows) > 2 and len(rows[0][1]) > 1 and len({len(row) for _, row in rows}) == 1


def beginning(path: Path) -> bytes:
    """The first bytes of a file, or all of one in an archive."""
    if path.is_file():
        with path.open("rb") as file:
            return file.read(65_536)
    return read_bytes(path)


def _split_off(text: str) -> tuple[str, str]:
    """A table without the line that names its separator, and the separator."""
    if found := NAMED_SEPARATOR.match(text):
        return text[found.end() :], found[1]
    lines = text.split("\n", 2 * MOST_TITLES)[: 2 * MOST_TITLES]
    first = next((line for line in lines if any(map(line.count, SEPARATORS))), "")
    return text, max(SEPARATORS, key=first.count)


def text_cells(path: Path) -> Cells:
    """Every row of a table that is not blank; rows whose cells are all empty are none.

    Raises:
        DermaugError: The file cannot be read, is no text, or its quotes are broken.
    """
    raw = _raw(path)
    if kind := next((OTHER_KINDS[each] for each in OTHER_KINDS if re.match(each, raw)), ""):
        raise DermaugError(f"{path}: expected a table of text, found {kind}")
    whole, encoding = _decoded(path, raw)
    text, separator = _split_off(whole)
    before = whole[: len(whole) - len(text)].count("\n")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows = []
    begins = 1 + before
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                rows.append((begins, stripped))
            begins = reader.line_num + 1 + before
    except csv.Error as error:
        told = "a cell without end" if "limit" in str(error) else error
        raise DermaugError(
            f"{path} line {begins}: not a readable table ({told}); correct the quotes of this row"
        ) from None
    table = without_titles(rows)
    how = _how(path, text, encoding, separator, rows)
    return Cells(
        _without_empty_columns(table), how=" ".join(filter(None, [how, skipped(rows, table)]))
    )


def skipped(rows: Sequence[tuple[int, list[str]]], table: Sequence[tuple[int, list[str]]]) -> str:
    """A sentence on the rows above the header that `without_titles` left out; "" without any."""
    lost = [next(filter(None, cells)) for _, cells in rows[: len(rows) - len(table)]]
    return f"Left out above the header: {'; '.join(lost)[:200]}." if lost else ""


def _without_empty_columns(rows: Sequence[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    """Rows without the empty cells behind the last name in the header."""
    width = len(rows[0][1]) if rows else 0
    while width and not rows[0][1][width - 1]:
        width -= 1
    return [(number, row if any(row[width:]) else row[:width]) for number, row in rows]


def _how(
    path: Path, text: str, encoding: str, separator: str, rows: Sequence[tuple[int, list[str]]]
) -> str:
    """How a table was read, where this is not as plain as commas and UTF-8."""
    if separator == "," and encoding == "utf-8-sig":
        return ""
    between = SEPARATORS.get(separator, repr(separator))
    said = f"{path.name} was read as {NAMES.get(encoding, 'UTF-16')} text separated by {between}"
    cells = (cell for _, row in rows for cell in row if "," in cell)
    if separator != "," and any(map(DECIMAL_COMMA.fullmatch, cells)):
        said += ", with decimal commas"
    words = list(dict.fromkeys(found[0] for found in ACCENTED.finditer(text)))[:SHOWN]
    if encoding == "cp1252" and words:
        said += f"; if its words look wrong ({', '.join(words)}), save it as CSV UTF-8"
    return f"{said}."
