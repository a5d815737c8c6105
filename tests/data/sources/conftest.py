"""Small data sets on disk, in the layouts that the sources read."""

from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

HAM_HEADER = "lesion_id,image_id,dx,dx_type,age,sex,localization"
HAM_ROWS = (
    "HAM_0000001,ISIC_0000001,mel,histo,80.0,male,scalp",
    "HAM_0000001,ISIC_0000002,mel,histo,80.0,male,scalp",
    "HAM_0000002,ISIC_0000003,nv,follow_up,,female,unknown",
    "HAM_0000003,ISIC_0000004,bkl,consensus,45.0,unknown,NA",
)

HamFolder = Callable[..., Path]
Folder = Callable[..., Path]


@pytest.fixture(scope="session")
def jpeg() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (8, 6), (180, 120, 100)).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture
def ham_folder(tmp_path: Path, jpeg: bytes) -> HamFolder:
    """Write HAM10000 in Kaggle's layout with the given rows; the four images are always there."""

    def write(
        rows: Sequence[str] = HAM_ROWS,
        header: str = HAM_HEADER,
        name: str = "HAM10000_metadata.csv",
    ) -> Path:
        folder = tmp_path / "ham"
        for number in range(1, 5):
            part = folder / f"HAM10000_images_part_{1 + number // 3}"
            part.mkdir(parents=True, exist_ok=True)
            (part / f"ISIC_{number:07d}.jpg").write_bytes(jpeg)
        text = "\n".join((header, *rows)) + "\n"
        (folder / name).write_bytes(text.encode())
        return folder

    return write


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Write small images below a folder, and a table beside them."""

    def write(
        files: str, table: str = "", name: str = "Liste.csv", encoding: str = "utf-8"
    ) -> Path:
        root = tmp_path / "set"
        for number, file in enumerate(files.split()):
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (20, 20), (number, 0, 0)).save(root / file)
        if table:
            (root / name).write_text(table, encoding)
        return root

    return write
