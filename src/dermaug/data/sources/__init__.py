"""Kinds of data sets: each has one file, and one line in `SOURCES`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dermaug.config.data import AS_IT_IS, COLUMN_OPTIONS, NOT_READ, Reading
from dermaug.console import is_utf8
from dermaug.data import containers
from dermaug.data.catalog import Catalog
from dermaug.data.findings import Findings
from dermaug.data.image_folders import (
    archives,
    file_names,
    files_below,
    sub_folders,
    telephone_advice,
)
from dermaug.data.image_names import SUFFIXES
from dermaug.data.label_map import DROPPED, relabel
from dermaug.data.sources import (
    class_folders,
    ham10000,
    hmnist,
    medmnist,
    named_images,
    nested_folders,
    own_table,
    own_tables,
    parquet_tables,
    tables,
)
from dermaug.data.sources.missing import archive_hints, unpack_first
from dermaug.data.sources.split_folders import is_container, is_split
from dermaug.errors import DermaugError
from dermaug.files import refuse_special


@dataclass(frozen=True)
class Source:
    """One kind of data set.

    Args:
        recognises: Whether an existing path is of this kind; cheap, and never raises.
        read: Path, label -> class or "" as the user wants it, and what gets the findings ->
            catalog; raises `DermaugError` with every finding.
        looks_for: What `recognises` looks for, in words.
        why: What a path was recognised as, in a sentence; None where `looks_for` says enough.
    """

    recognises: Callable[[Path], bool]
    read: Callable[[Path, Mapping[str, str], Findings], Catalog]
    looks_for: str
    why: Callable[[Path], str] | None = None


NO_MAP: Mapping[str, str] = {}
TOGETHER = (
    "each of these is a data set of its own; to study them together, write {path}/metadata.csv "
    "with the columns file_name,label that names the images of all"
)
PARTS = "if these are parts of one data set, as of a large download, unpack all into one folder"
MOST_DOUBTS = 5
MOST_LOOKED_INTO = 50


def _plain(
    read: Callable[[Path], Catalog],
) -> Callable[[Path, Mapping[str, str], Findings], Catalog]:
    """Reads what nothing can be left out of, labels as they are written, and maps them then."""
    return lambda path, labels, _: relabel(read(path), labels)


def _own_table(
    path: Path, labels: Mapping[str, str], findings: Findings, columns: Mapping[str, str] = NO_MAP
) -> Catalog:
    """Reads a table of one's own; images without a label are left out."""
    wanted = {"": DROPPED, **labels}
    return relabel(own_table.read(path, wanted, findings, columns), wanted)


def _told(
    read: Callable[[Path, Findings], Catalog],
) -> Callable[[Path, Mapping[str, str], Findings], Catalog]:
    """Reads labels as they are written, and maps them then."""
    return lambda path, labels, findings: relabel(read(path, findings), labels)


# In the order of trial: the first that recognises the path reads it.
SOURCES = {
    "HAM10000 pixels": Source(hmnist.recognises, _plain(hmnist.read), hmnist.LOOKS_FOR),
    "table of a public data set": Source(
        tables.recognises, tables.read, tables.LOOKS_FOR, tables.why
    ),
    "parquet": Source(
        parquet_tables.recognises, parquet_tables.read, parquet_tables.LOOKS_FOR, parquet_tables.why
    ),
    "HAM10000": Source(ham10000.recognises, ham10000.read, ham10000.LOOKS_FOR, ham10000.why),
    "DermaMNIST": Source(medmnist.recognises, _plain(medmnist.read), medmnist.LOOKS_FOR),
    "table": Source(own_tables.recognises, _own_table, own_tables.LOOKS_FOR, own_tables.why),
    "nested class folders": Source(
        nested_folders.recognises,
        _told(nested_folders.read),
        nested_folders.LOOKS_FOR,
        nested_folders.why,
    ),
    "class folders": Source(
        class_folders.recognises,
        _plain(class_folders.read),
        class_folders.LOOKS_FOR,
        class_folders.why,
    ),
    "names of images": Source(
        named_images.recognises, _told(named_images.read), named_images.LOOKS_FOR, named_images.why
    ),
}


def open_catalog(path: Path, reading: Reading = AS_IT_IS) -> Catalog:
    """Recognise a data set and read its table; no image is decoded.

    Args:
        path: Folder of the data set, or its table.
        reading: How it is read. Its labels override what is known of a public data set; those that
            the data do not have are ignored. With the name of any column, a table with these
            columns is read, whatever else lies there.

    Raises:
        DermaugError: Nothing is there, no source recognises it, or what it holds is faulty.
    """
    try:
        refuse_special(path)
        if not containers.exists(path):
            raise DermaugError(f"{path}: expected a data set, found nothing; check the path")
        findings = Findings(reading.unclear)
        if (catalog := _read(path, reading, findings)) is not None:
            return replace(catalog, notes=(*catalog.notes, *findings.notes))
        hints = _hints(_meant(path.resolve())[0])
    except OSError as error:
        where = error.filename or path
        raise DermaugError(f"{where}: cannot be read ({error.strerror or error})") from None
    except UnicodeEncodeError as error:  # of Arrow, which holds the paths
        raise DermaugError(
            f"{path}: expected names in UTF-8, found others, as of an old archive; rename them, "
            "for example with convmv",
            [name for name in files_below(path) if not is_utf8(name)][:MOST_DOUBTS]
            or [str(error.object)],
        ) from None
    looked = [f"{name}: looked for {source.looks_for}" for name, source in SOURCES.items()]
    raise DermaugError(f"{path}: not a supported data set", hints or looked)


def _read(path: Path, reading: Reading, findings: Findings) -> Catalog | None:
    """Read a path by its source; None without any."""
    labels, columns = reading.labels, reading.columns
    if any(name != NOT_READ for name in columns.values()):
        return _own_table(path.resolve(), labels, findings, columns)
    inside, source = _meant(path.resolve())
    if source is None:
        return None
    if columns and source is SOURCES["table"]:
        return _own_table(inside, labels, findings, columns)
    if columns:
        options = " and ".join(f"{COLUMN_OPTIONS[column]} {NOT_READ}" for column in columns)
        raise DermaugError(
            f"{path}: {options} leaves out a column of a table of your own; this is read by a "
            "layout whose columns are known: remove the option"
        )
    return source.read(inside, labels, findings)


def _meant(path: Path) -> tuple[Path, Source | None]:
    """The data set at a path, or the only one in it, and the source that reads it."""
    source = recognise(path)
    while source is None and (inside := _only_content(path)) is not None:
        path, source = inside, recognise(inside)
    return path, source


def recognise(path: Path) -> Source | None:
    """The first source that knows a path, or None."""
    return next((source for source in SOURCES.values() if source.recognises(path)), None)


def recognised_as(path: Path, columns: Mapping[str, str] = NO_MAP) -> str:
    """Which source reads a path and what it looks for, as a sentence; "" when none does."""
    if any(name != NOT_READ for name in columns.values()):
        return own_tables.why(path.resolve(), columns)
    inside, source = _meant(path.resolve())
    if source is not None and source.why is not None:
        return source.why(inside)
    found = (name for name, known in SOURCES.items() if known is source)
    return f"Read as {next(found)}: {source.looks_for}." if source else ""


def _only_content(path: Path) -> Path | None:
    """The one sub-folder or archive of a folder without images or tables beside it; else None.

    A folder that may hold the images of all classes is none: its sub-folders may be no classes.
    """
    if not containers.is_folder(path):
        return None
    inside = [*sub_folders(path), *archives(path)]
    others = [
        name
        for name in file_names(path)
        if path / name not in inside and name.lower().endswith((*SUFFIXES, *class_folders.TABLES))
    ]
    if len(inside) != 1 or others or is_container(inside[0]) or is_split(inside[0]):
        return None
    return None if len(class_folders.class_folders(inside[0])) == 1 else inside[0]


def _hints(path: Path) -> list[str]:
    """Why class folders are none, sub-folders that would be recognised, and archives to unpack."""
    if not containers.is_folder(path):
        return unpack_first([path.name]) or class_folders.file_hints(path)
    if open_question := nested_folders.doubts(path):
        return open_question
    inside = [*sub_folders(path), *archives(path)][:MOST_LOOKED_INTO]
    known = [each for each in inside if not is_split(each) and _meant(each)[1] is not None]
    hints = class_folders.doubts(path)[:MOST_DOUBTS]
    hints += [] if hints else [f"did you mean {child}?" for child in known]
    packed = all(each in archives(path) for each in known)
    together = PARTS if packed else TOGETHER.format(path=path)
    hints += [together] if len(known) > 1 else []
    hints += archive_hints(path)
    folders = filter(containers.is_folder, inside)
    return hints or class_folders.table_hints(folders, path) or _bare_hints(path, inside)


def _bare_hints(path: Path, inside: Sequence[Path]) -> list[str]:
    """What a folder of images alone lacks, or one without any; nothing of other folders."""
    if images := files_below(path):
        return [
            f"{path} holds images ({images[0]}), but nothing tells their classes: put them into "
            "one sub-folder per class, or write metadata.csv with the columns file_name,label"
        ]
    if phone := telephone_advice(files_below(path, lambda _: True)):
        return [f"{path} holds no image of a kind that is read{phone}"]
    return (
        [] if file_names(path) or inside else [f"{path} is empty; check the path, or the download"]
    )
