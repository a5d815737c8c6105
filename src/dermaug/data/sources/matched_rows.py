"""Which image each row of a table of one's own means, and what has no partner."""

from collections.abc import Sequence
from itertools import compress
from pathlib import Path

from dermaug.data.cells import UNKNOWN_WORDS
from dermaug.data.findings import Findings
from dermaug.data.image_folders import telephone_advice
from dermaug.data.image_names import SUFFIXES, is_image
from dermaug.data.metadata import Row, Sheet
from dermaug.data.safe_names import safe_join
from dermaug.data.sources.missing import LOST, add_missing, add_unnamed
from dermaug.data.sources.named_files import completed_note, meant_files
from dermaug.errors import DermaugError


def match_rows(
    sheet: Sheet, root: Path, files: Sequence[str], findings: Findings, others: Sequence[str]
) -> tuple[Sheet, list[str], str]:
    """Find the image of each row.

    Args:
        sheet: The table, with the column `file_name`.
        root: Folder that the names are relative to.
        files: Paths of all images below it.
        findings: Gets a line for each row without an image, image without a row, and second row
            of an image.
        others: Names of other tables in the folder, which may name images that this one does not.

    Returns:
        The rows, without those that are left out; the path of the image of each, which may not
        exist as long as there are findings; and a sentence on names that were completed.
    """
    meant = meant_files(root, [row["file_name"] for row in sheet.rows], files)
    paths = [meant.get(row["file_name"]) or _lost(root, row, findings) for row in sheet.rows]
    _match(root, sheet, paths, files, findings, others)
    if findings.leave_out:
        there = set(files)
        kept = [path in there for path in paths]
        sheet, paths = sheet.only(kept), list(compress(paths, kept))
    return sheet, paths, completed_note(root, meant)


def _lost(root: Path, row: Row, findings: Findings) -> str:
    """The path of an image that is not there; the root where the name can be none."""
    if row["file_name"].lower() in UNKNOWN_WORDS:
        findings.add_unclear(f"{row.where}: no file_name", LOST, [""])
        return str(root)
    try:
        path = safe_join(root, row["file_name"].replace("\\", "/"))
    except DermaugError as error:
        findings.add_unclear(f"{row.where}: {error.message}", LOST, [row["file_name"]])
        return str(root)
    if path.suffix and not is_image(path.name):
        kinds = ", ".join(sorted(SUFFIXES))
        line = (
            f"{row.where}: expected a file_name with {kinds}; found {path.name[:100]!r}"
            f"{telephone_advice([path.name])}"
        )
        findings.add_unclear(line, LOST, [row["file_name"]])
        return str(root)
    return str(path)


def _match(
    root: Path,
    sheet: Sheet,
    paths: Sequence[str],
    files: Sequence[str],
    findings: Findings,
    others: Sequence[str],
) -> None:
    present, named, no_file = set(files), set(paths), str(root)
    first: dict[str, str] = {}
    for row, path in zip(sheet.rows, paths, strict=True):
        earlier = first.setdefault(path, row["file_name"])
        if path != no_file and earlier != row["file_name"]:
            findings.add(f"{row.where}: {row['file_name']!r} means the same file as {earlier!r}")
    missing = [
        (row.where, row["file_name"])
        for row, path in zip(sheet.rows, paths, strict=True)
        if path != no_file and path not in present
    ]
    every = len(missing) == len(paths)
    add_missing(missing, "file_name", files, root, findings, every=every)
    excused = {str(root / cell) for cell in findings.excused(sheet.doubtful)}
    # A name that misses its image tells of both: the image is not reported a second time.
    unnamed = [] if every else sorted(present - named - excused)
    add_unnamed(unnamed, sheet.path.name, findings, others)
