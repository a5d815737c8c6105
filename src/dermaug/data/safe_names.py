"""Names and paths from tables that are safe as names of files."""

from pathlib import Path, PureWindowsPath

from dermaug.errors import DermaugError

LONGEST_NAME = 200
"""In bytes; file systems end at 255, and stages add their own endings."""


def name_fault(name: str) -> str:
    """The reason why a text cannot be the name of a file or folder; empty if it can.

    Example:
        >>> name_fault("ISIC_0027419")
        ''
        >>> name_fault("../secret")
        'is a path'
    """
    if not name:
        return "is empty"
    if any(character in name for character in "/\\:") or name in (".", ".."):
        return "is a path"
    if any("\ud800" <= character <= "\udfff" for character in name):
        return "is not UTF-8"
    if not name.isprintable():
        return "holds control characters"
    return f"is longer than {LONGEST_NAME} bytes" if len(name.encode()) > LONGEST_NAME else ""


def safe_join(root: Path, name: str) -> Path:
    """Join a relative path from a table to `root`, never leaving it.

    Only the text is checked: links inside the data set belong to its owner and may lead elsewhere.

    Raises:
        DermaugError: The path is absolute, has a drive, `..`, a backslash or control characters.

    Example:
        >>> safe_join(Path("data"), "mel/one.jpg").as_posix()
        'data/mel/one.jpg'
    """
    parts = name.split("/")
    windows = PureWindowsPath(name)
    faulty = any(name_fault(part) for part in parts)
    if faulty or name.startswith("/") or windows.drive or windows.root:
        raise DermaugError(
            f"expected a path below {root}, with / between folders; found {name[:100]!r}"
        )
    return root.joinpath(*parts)
