"""What the page accepts: uploads, numbers, choices, names of folders."""

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from dermaug.data.image_files import BadImageError, decode
from dermaug.data.safe_names import name_fault
from dermaug.data.squares import resized
from dermaug.errors import DermaugError
from dermaug.host import has_ended, this_host
from dermaug.output_places import require_new_folder
from dermaug.whole_numbers import whole_number

_PRIVATE = "dermaug-app-"
UPLOAD_BYTES = 20 * 2**20
UPLOAD_PIXELS = 50_000_000


def uploaded_square(content: bytes, size: int) -> UInt8[np.ndarray, "size size 3"]:
    """Decode an uploaded image to its central square, whatever its name says that it is.

    Raises:
        DermaugError: It is too large, no image, damaged, animated, or claims too many pixels.
    """
    if len(content) > UPLOAD_BYTES:
        raise DermaugError(
            f"the file has {megabytes(len(content))} MB, of which at most "
            f"{megabytes(UPLOAD_BYTES)} are read"
        )
    try:
        return np.array(resized(decode("the file", content, UPLOAD_PIXELS), size))
    except BadImageError as error:
        raise DermaugError(f"the file cannot be used: {error.reason}") from None


def megabytes(number: int) -> str:
    """As gradio counts them, in 2^20 bytes."""
    return f"{number / 2**20:.1f}".removesuffix(".0")


def bounded(value: object, low: int, high: int, what: str) -> int:
    """A whole number from the page, which may have sent anything.

    Raises:
        DermaugError: It is not a whole number from `low` to `high`.
    """
    if not isinstance(value, int | float) or not low <= value <= high or value != int(value):
        raise DermaugError(f"{what}: expected a whole number from {low:,} to {high:,}")
    return int(value)


def known(value: str | None, choices: list[str], what: str) -> str:
    """A choice from the page, which may have sent anything.

    Raises:
        DermaugError: It is none of the choices.
    """
    if value not in choices:
        raise DermaugError(f"{what}: expected one of the {len(choices)} choices of the list")
    return str(value)


def new_folder(root: Path, name: str | None) -> Path:
    """A new folder directly below `root`, of a name from the page.

    Raises:
        DermaugError: The name is a path or hidden, or there is such a folder.
    """
    asked = (name or "").strip()
    if (fault := name_fault(asked)) or asked.startswith("."):
        raise DermaugError(
            f"expected the name of a new folder in {root}, but the name "
            f"{fault or 'begins with a dot'}"
        )
    require_new_folder(root / asked)
    return root / asked


def private_folder() -> tempfile.TemporaryDirectory[str]:
    """Where uploads and the images that the page shows are kept while it is open.

    What a page left that was killed is removed.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{_PRIVATE}*@{this_host()}-*"):
        pid = whole_number(left.name.removeprefix(_PRIVATE).partition("@")[0])
        if pid is not None and has_ended(this_host(), pid):
            shutil.rmtree(left, ignore_errors=True)
    prefix = f"{_PRIVATE}{os.getpid()}@{this_host()}-"
    return tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)
