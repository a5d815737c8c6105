"""Images that a table names and nobody finds, or the reverse: one line with the likely cause."""

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePosixPath

from dermaug.data import containers
from dermaug.data.findings import Findings, shortened
from dermaug.data.image_folders import file_names
from dermaug.data.metadata import Sheet

PACKED = (".tar", ".gz", ".tgz", ".7z", ".rar", ".xz", ".bz2")
"""Endings of archives that are not read in place."""
OTHER_SET = (
    "; it names none of the {number:,} images that are there: is it that of another data set?"
)
NO_ROW = "add a row, or move the image elsewhere"
LOST = "rows without an image"
NOTHING_LEFT = ": nothing is left without what is unclear; correct the table"
NAMED = 3
"""Images that are named, one line each; of more, one line tells how many."""


def add_missing(
    missing: Sequence[tuple[str, str]],
    column: str,
    files: Collection[str],
    root: Path,
    findings: Findings,
    *,
    every: bool,
) -> None:
    """Report images that a table names and that are not there.

    Args:
        missing: (where, name) as the table writes it.
        column: That holds the names.
        files: Paths of the images that are there.
        root: Folder of the data set.
        findings: Gets one line per image, or one for all when there are more than `NAMED`.
        every: Whether these are all rows of the table, so that none would be left.
    """

    def add(line: str, names: Sequence[str]) -> None:
        if every:
            findings.add(line)
        else:
            findings.add_unclear(line, LOST, names)

    if len(missing) > NAMED:
        told = missing_sentence([name for _, name in missing], files, root)
        other = every and files and not likely_cause(missing[0][1], files, root)
        line = told + (OTHER_SET.format(number=len(files)) if other else "")
        add(line, [name for _, name in missing])
        return
    for where, name in missing:
        cause = likely_cause(name, files, root)
        remedy = cause or "; put it there, or delete the row"
        add(f"{where}: no image file for {column} {name[:100]!r}{remedy}", [name])


def add_unnamed(
    files: Sequence[str], table: str, findings: Findings, others: Sequence[str] = ()
) -> None:
    """Report images that a table does not name, as `add_missing` does the reverse.

    Args:
        files: Their paths.
        table: Name of the table.
        findings: Gets the lines.
        others: Names of other tables beside it, which may name these images.
    """
    beside = f" (there is also {', '.join(others)}, which is not read)" if others else ""
    what, names = f"images without a row in {table}", [Path(file).name for file in files]
    if len(files) > NAMED:
        line = f"{len(files):,} {what}: {shortened(files)}; {NO_ROW}{beside}"
        findings.add_unclear(line, what, names)
        return
    for file, name in zip(files, names, strict=True):
        line = f"{file}: image without a row in {table}; {NO_ROW}{beside}"
        findings.add_unclear(line, what, [name])


def match_images(
    sheet: Sheet, column: str, images: Mapping[str, str], root: Path, findings: Findings
) -> Sheet:
    """Report rows without an image, and images without a row.

    Args:
        sheet: The table.
        column: Where it names its images.
        images: Image id -> path.
        root: Folder of the data set.
        findings: Gets the lines.

    Returns:
        The table, without the rows that are left out.
    """
    missing = [(row.where, row[column]) for row in sheet.rows if row[column] not in images]
    every = len(missing) == len(sheet.rows)
    add_missing(missing, column, images.values(), root, findings, every=every)
    named = {row[column] for row in sheet.rows} | set(findings.excused(sheet.doubtful))
    unnamed = [path for image_id, path in images.items() if image_id not in named]
    add_unnamed(unnamed, sheet.path.name, findings)
    return sheet.only(row[column] in images for row in sheet.rows) if findings.leave_out else sheet


def missing_sentence(names: Sequence[str], files: Collection[str], root: Path) -> str:
    """How many images are missing, the first of them, and the likely cause."""
    cause = likely_cause(names[0], files, root)
    return f"no image file for {len(names):,} rows ({shortened(names)}){cause}"


def archive_hints(root: Path) -> list[str]:
    """What to do about archives in a folder that cannot be read in place, one phrase each."""
    names = file_names(root) if containers.is_folder(root) else []
    looked_into = [name for name in names if name.lower().endswith(containers.ARCHIVES)]
    inner: list[str] = []
    if containers.locate(root):  # archives in an archive
        inner, looked_into = looked_into, []
    damaged = [name for name in looked_into if containers.unreadable(root / name)]
    hints = [f"{name} is not a readable archive: download it again" for name in damaged]
    return hints + unpack_first(names, inner)


def unpack_first(names: Sequence[str], others: Sequence[str] = ()) -> list[str]:
    """Which files are archives that are not read in place, as a list of one phrase or none.

    Args:
        names: Names of files.
        others: Names of more that have to be unpacked.
    """
    packed = [*(name for name in names if name.lower().endswith(PACKED)), *others]
    return [f"unpack first: {', '.join(packed)}"] if packed else []


def likely_cause(name: str, files: Collection[str], root: Path) -> str:
    """The likely cause that an image is missing, as the end of a sentence; "" when none is seen."""
    packed = archive_hints(root)
    if not files:
        hint = "; ".join(packed) or "put the images there"
        return f"; there are no images in {root}: {hint}"
    if packed:
        return f"; {'; '.join(packed)}"
    paths = [PurePosixPath(file) for file in files]
    alike = [path for path in paths if path.name == PurePosixPath(name).name]
    if len(alike) == 1:  # of several, each may be another lesion's
        return f"; is it {alike[0].relative_to(root.as_posix()).as_posix()}?"
    for path in paths:
        if path.stem == PurePosixPath(name).name:
            return f"; the file names lack {path.suffix}"
    folders = {part for path in paths for part in path.parts[:-1]}
    numbers = {int(found[1]) for part in folders if (found := re.search(r"part_(\d+)$", part))}
    if not numbers:
        return ""
    lacking = next(number for number in range(1, max(numbers) + 2) if number not in numbers)
    return f"; part_{lacking} seems to be missing"
