"""Download of HAM10000 from Kaggle, checked by count; without a network it says what to do."""

import os
import shutil
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit
from urllib.request import getproxies

from dermaug.aside import folder_written_aside
from dermaug.data.catalog import Catalog
from dermaug.data.sources import open_catalog
from dermaug.errors import DermaugError
from dermaug.files import write_text
from dermaug.output_places import require_writable

HANDLE = "kmader/skin-cancer-mnist-ham10000"
NUM_IMAGES = 10_015
NUM_LESIONS = 7_470
KAGGLE = ("www.kaggle.com", 443)
PROBE_SECONDS = 3.0
ATTRIBUTION = """HAM10000, licence CC BY-NC 4.0 (no commercial use).
Tschandl, P., Rosendahl, C., Kittler, H.: The HAM10000 dataset, a large collection of multi-source
dermatoscopic images of common pigmented skin lesions. Scientific Data 5, 180161 (2018).
https://doi.org/10.7910/DVN/DBW86T
"""


def download_ham10000(
    folder: Path, server: tuple[str, int] | None = None, fetch: Callable[[], Path] | None = None
) -> Path:
    """Download HAM10000, check it, and place it in a folder, whole or not at all.

    Args:
        folder: Where it shall lie; must be absent or empty.
        server: Host and port that must answer first; None is Kaggle, or the proxy on the way to it.
        fetch: Gets the set and gives the folder it lies in; None is `kagglehub`, which resumes.

    Returns:
        `folder`.

    Raises:
        DermaugError: The folder is taken or not writable, no network, or the set is incomplete.
    """
    _refuse_taken(folder)
    _require_network(server or _first_hop(), folder)
    require_writable(folder.parent)
    source = (fetch or _fetch_from_kaggle)()
    verify_ham10000(source)
    with folder_written_aside(folder) as aside:
        shutil.copytree(source, aside, copy_function=_link_or_copy, dirs_exist_ok=True)
        write_text(aside / "ATTRIBUTION.txt", ATTRIBUTION)
        verify_ham10000(aside)
    return folder


def verify_ham10000(folder: Path) -> Catalog:
    """Read a copy of HAM10000 and check that nothing is missing.

    Args:
        folder: The copy, in any layout that `open_catalog` recognises.

    Raises:
        DermaugError: It is not `NUM_IMAGES` images of `NUM_LESIONS` lesions.
    """
    catalog = open_catalog(folder)
    num_images, num_lesions = len(catalog), catalog.table["lesion_id"].nunique()
    complete = (num_images, num_lesions) == (NUM_IMAGES, NUM_LESIONS)
    if not complete or catalog.embedded is not None:
        raise DermaugError(
            f"{folder}: expected HAM10000's {NUM_IMAGES:,} images of {NUM_LESIONS:,} lesions, "
            f"found {catalog.name} with {num_images:,} of {num_lesions:,}; delete it and download "
            "again"
        )
    return catalog


def by_hand(folder: Path) -> list[str]:
    """What to fetch with a browser and where to put it, one line per step."""
    return [
        f"from Kaggle the archive of https://www.kaggle.com/datasets/{HANDLE}",
        "or from Harvard Dataverse, doi:10.7910/DVN/DBW86T (https://doi.org/10.7910/DVN/DBW86T),",
        "HAM10000_images_part_1.zip, HAM10000_images_part_2.zip and HAM10000_metadata",
        f"unpack into {folder}, so that HAM10000_metadata lies in it beside the image folders",
        'optional, for data.crop = "lesion": HAM10000_segmentations_lesion_tschandl.zip from there',
        f"then check it: dermaug data check {folder}",
    ]


def _refuse_taken(folder: Path) -> None:
    if not folder.exists():
        return
    if folder.is_dir() and not any(folder.iterdir()):
        return
    try:
        verify_ham10000(folder)
    except DermaugError as error:
        raise DermaugError(
            f"{folder}: expected a new or empty folder, found an incomplete HAM10000; choose "
            "another folder or delete this one",
            [error.message, *error.details],
        ) from None
    raise DermaugError(
        f"{folder}: HAM10000 is already here and complete ({NUM_IMAGES:,} images, "
        f"{NUM_LESIONS:,} lesions); nothing to download"
    )


def _first_hop() -> tuple[str, int]:
    """The proxy if one is set for https, else Kaggle: what has to answer within seconds."""
    proxy = getproxies().get("https", "")
    parts = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    return (parts.hostname, parts.port or 80) if parts.hostname else KAGGLE


def _require_network(server: tuple[str, int], folder: Path) -> None:
    # Asked before kagglehub is, whose retries would take minutes to come to the same end.
    if reason := _unreachable(server):
        raise DermaugError(
            f"no network: {server[0]}:{server[1]} does not answer ({reason}); download HAM10000 "
            "manually, or try again when connected",
            by_hand(folder),
        )


def _unreachable(server: tuple[str, int]) -> str:
    """Why a server cannot be reached within `PROBE_SECONDS`; empty when it can."""
    outcome = [f"nothing within {PROBE_SECONDS:g} s"]

    def probe() -> None:
        try:
            socket.create_connection(server, timeout=PROBE_SECONDS).close()
            outcome[0] = ""
        except OSError as error:
            outcome[0] = error.strerror or str(error)

    # In a thread, since a socket's timeout does not bound the look-up of its name.
    thread = Thread(target=probe, daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS)
    return outcome[0]


def _fetch_from_kaggle() -> Path:
    import kagglehub  # 0.6 s, and only needed here

    try:
        return Path(kagglehub.dataset_download(HANDLE))
    except Exception as error:
        # kagglehub's errors share no base; a failed download is the user's to see, not a traceback.
        raise DermaugError(
            f"the download of {HANDLE} failed ({type(error).__name__}: {error}); run the same "
            "command again to resume, or download it manually from "
            "https://doi.org/10.7910/DVN/DBW86T"
        ) from error


def _link_or_copy(source: str, target: str) -> None:
    """Hard link where both lie on one disk, which costs no space, else copy."""
    if not Path(source).is_symlink():  # what a link leads to is not the cache's to share
        with suppress(OSError):
            os.link(source, target)
            return
    shutil.copy2(source, target)
