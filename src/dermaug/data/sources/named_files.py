"""Which image files the names in a table mean: exactly, or by the end of the path."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

WHOLE = re.compile(r"^([a-z]:/|\w+://|/)")
"""Where a whole path or an address begins, in lower case."""
PACKED = re.compile(r"\.(zip|hdf5|h5)/")
EXAMPLES = 2
"""Completed names that a note shows."""


def meant_files(root: Path, names: Sequence[str], files: Sequence[str]) -> dict[str, str]:
    """Name in a table -> path of the only file that it can mean; names without one are left out.

    A name means a file of that path below the root. If there is none, it means the only image whose
    path ends with it, in any case, with or without its ending: `IMG 7` is `scans/IMG 7.JPG`; an
    archive counts as the folder of its name. Of a whole path of another machine, the longest end
    that is there counts. Names that lead out of the root mean nothing.

    Args:
        root: Folder of the data set.
        names: As the table writes them.
        files: Paths of all images below the root.
    """
    exact = {file: file for file in files}
    found = {name: file for name in names if (file := exact.get(f"{root}/{name}"))}
    lost = {name: own for name in names if name not in found and (own := _endings(name))}
    if not lost:
        return found
    ends = _ends(PurePosixPath(Path(file).relative_to(root).as_posix()) for file in files)
    matched = {name: [end for end in own if end in ends][:1] for name, own in lost.items()}
    whole = [name for name, own in lost.items() if len(own) > 1]
    depths = Counter(end.count("/") for name in whole for end in matched[name])
    # As many folders as of most whole paths, at least: of fewer, the image may be another one's.
    least = dict.fromkeys(whole, max(depths, key=lambda depth: depths[depth], default=0))
    meant = {
        name: ends[end]
        for name, each in matched.items()
        for end in each
        if end.count("/") >= least.get(name, 0)
    }
    return found | {name: f"{root}/{path}" for name, path in meant.items() if path}


def completed_note(root: Path, meant: Mapping[str, str]) -> str:
    """A sentence on the names that do not say where their file lies; "" if all do."""
    shown = [
        f"{name} is {path}"
        for name, file in meant.items()
        if (path := Path(file).relative_to(root).as_posix()) != name
    ]
    if not shown:
        return ""
    more = f" and {len(shown) - EXAMPLES:,} more" if len(shown) > EXAMPLES else ""
    return f"{len(shown):,} file names were completed: {', '.join(shown[:EXAMPLES])}{more}."


def _endings(name: str) -> list[str]:
    """A name as ends of a path, in lower case, the longest first; none if it leads out of it."""
    text = re.sub(r"^(\./)+", "", name.replace("\\", "/").lower())
    below = WHOLE.sub("", text)
    parts = below.split("/")
    if any(part in ("", ".", "..") or ":" in part for part in parts):
        return []
    return ["/".join(parts[at:]) for at in range(len(parts) if below != text else 1)]


def _ends(paths: Iterable[PurePosixPath]) -> dict[str, str]:
    """Every end of a path, in lower case, with and without the ending -> path; "" for several."""
    ends: dict[str, str] = {}
    for path in paths:
        parts = path.parts
        for depth in range(len(parts)):
            text = "/".join(parts[depth:]).lower()
            texts = {text, PACKED.sub("/", text)}
            for end in texts | {each.removesuffix(path.suffix.lower()) for each in texts}:
                ends[end] = "" if ends.get(end, str(path)) != str(path) else str(path)
    return ends


def looks_like_names(cells: Sequence[str], root: Path, files: Sequence[str]) -> bool:
    """Whether most cells of a column mean one of some files each."""
    return 2 * len(meant_files(root, sorted(set(cells)), files)) > len(cells)
