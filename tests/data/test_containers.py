"""Archives are read in place, and refused as a whole when one member is not to be trusted."""

import stat
import warnings
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from dermaug.config import DataConfig
from dermaug.data import containers
from dermaug.data.image_files import BadImageError, decode_whole, read_content
from dermaug.data.pixels import load_pixels
from dermaug.data.sources import open_catalog
from dermaug.errors import DermaugError

Change = Callable[[zipfile.ZipFile], None]


def picture(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(60, 200, (24, 24, 3)).astype(np.uint8)
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


CLASSES = {
    f"{label}/{n}{label}.png": picture(10 * n + len(label))
    for label in ("mel", "nv")
    for n in range(3)
}


def test_a_zip_is_read_as_the_folder_that_it_packs(tmp_path: Path) -> None:
    for name, content in CLASSES.items():
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_bytes(content)
    packed = zipped(
        tmp_path / "packed.zip", {f"set/{name}": file for name, file in CLASSES.items()}
    )
    plain, inside = open_catalog(tmp_path / "set"), open_catalog(packed)
    columns = ["image_id", "label", "lesion_id"]
    assert inside.table[columns].equals(plain.table[columns])
    assert inside.table["path"][0] == f"{packed}/set/mel/0mel.png"
    config = DataConfig(size=16)
    stores = [load_pixels(each, config, cache=tmp_path / "cache") for each in (plain, inside)]
    assert np.array_equal(stores[0].images, stores[1].images)
    assert stores[0].contents.files == stores[1].contents.files
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "packed.zip", "set"]


def test_pixels_of_a_changed_archive_are_read_anew(tmp_path: Path) -> None:
    packed, config = tmp_path / "set.zip", DataConfig(size=16)
    zipped(packed, CLASSES)
    before = np.array(load_pixels(open_catalog(packed), config, cache=tmp_path / "cache").images)
    zipped(packed, CLASSES | {"mel/0mel.png": picture(99)})
    after = load_pixels(open_catalog(packed), config, cache=tmp_path / "cache").images
    assert not np.array_equal(before[0], after[0])
    assert np.array_equal(before[1:], after[1:])


def mode(name: str, kind: int) -> Change:
    def change(archive: zipfile.ZipFile) -> None:
        info = zipfile.ZipInfo(name)
        info.external_attr = (kind | 0o644) << 16
        archive.writestr(info, "/etc/passwd")

    return change


def twice(archive: zipfile.ZipFile) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr("mel/0mel.png", b"other")


def bomb(archive: zipfile.ZipFile) -> None:
    archive.writestr("mel/bomb.png", bytes(containers.zip_archive.BULKY + 1), zipfile.ZIP_DEFLATED)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda archive: archive.writestr("../out.png", b""), "'../out.png' leads out"),
        (lambda archive: archive.writestr("/out.png", b""), "'/out.png' leads out"),
        (lambda archive: archive.writestr("c:\\out.png", b""), "leads out of the archive"),
        (lambda archive: archive.writestr("a/../../out.png", b""), "leads out of the archive"),
        (lambda archive: archive.writestr("mel/\x1b[2J.png", b""), "has control characters"),
        (mode("mel/link.png", stat.S_IFLNK), "'mel/link.png' is a link or device"),
        (mode("mel/device.png", stat.S_IFCHR), "'mel/device.png' is a link or device"),
        (twice, "'mel/0mel.png' occurs twice"),
        (bomb, "claims 100 MB, which is implausible"),
    ],
)
def test_an_archive_that_is_not_to_be_trusted_is_refused(
    tmp_path: Path, change: Change, told: str
) -> None:
    packed = zipped(tmp_path / "set.zip", CLASSES)
    with zipfile.ZipFile(packed, "a") as archive:
        change(archive)
    for path in (packed, tmp_path):
        with pytest.raises(DermaugError, match="expected an archive of plain files") as caught:
            open_catalog(path)
        assert any(told in line for line in caught.value.details), caught.value.details
    assert list(tmp_path.iterdir()) == [packed]


def test_an_encrypted_archive_is_named(tmp_path: Path) -> None:
    packed = zipped(tmp_path / "set.zip", {"mel/1.png": b"secret"})
    raw = bytearray(packed.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    packed.write_bytes(raw)
    with pytest.raises(DermaugError) as caught:
        open_catalog(packed)
    assert caught.value.details == ("'mel/1.png' is encrypted",)


def test_a_member_larger_than_said_is_not_read_whole(tmp_path: Path) -> None:
    packed = zipped(tmp_path / "set.zip", {"mel/1.png": bytes(9_000)})
    assert len(read_content(packed / "mel/1.png", max_pixels=2_000)) == 9_000
    with pytest.raises(BadImageError, match="too large: more than 8,000 bytes"):
        read_content(packed / "mel/1.png", max_pixels=1_000)


def test_damage_is_named(tmp_path: Path) -> None:
    packed = zipped(tmp_path / "set.zip", CLASSES)
    raw = bytearray(packed.read_bytes())
    raw[60] ^= 255
    packed.write_bytes(raw)
    with pytest.raises(BadImageError, match="damaged in the archive"):
        decode_whole(packed / "mel/0mel.png")
    with pytest.raises(BadImageError, match="missing"):
        decode_whole(packed / "mel/other.png")
    packed.write_bytes(raw[:100])
    with pytest.raises(DermaugError, match="not a readable zip archive"):
        open_catalog(packed)


def test_a_damaged_stream_is_named(tmp_path: Path) -> None:
    """zlib has an error of its own."""
    packed = tmp_path / "set.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mel/1.png", picture(0))
    raw = bytearray(packed.read_bytes())
    raw[39:60] = b"\xff" * 21  # behind the header of 30 bytes and the name of 9
    packed.write_bytes(raw)
    with pytest.raises(BadImageError, match="damaged in the archive"):
        decode_whole(packed / "mel/1.png")


def test_an_archive_within_an_archive_is_not_looked_into(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", CLASSES)
    packed = zipped(tmp_path / "outer.zip", {"inner.zip": inner.read_bytes()})
    inner.unlink()
    with pytest.raises(DermaugError, match="not a supported data set") as caught:
        open_catalog(packed)
    assert caught.value.details[-1] == "unpack first: inner.zip"


def test_an_unpacked_archive_is_not_read_twice(tmp_path: Path) -> None:
    packed = zipped(tmp_path / "set.zip", CLASSES)
    assert containers.looked_into(tmp_path, packed.name)
    (tmp_path / "set").mkdir()
    assert not containers.looked_into(tmp_path, packed.name)


def test_hdf5_does_not_lead_to_other_files(tmp_path: Path) -> None:
    path = tmp_path / "set.hdf5"
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["secret"] = np.void(b"secret")
    with h5py.File(path, "w") as file:
        file["ISIC_0000001"] = np.void(picture(1))
        file["ISIC_0000002"] = np.frombuffer(picture(2), np.uint8)
        file["ISIC_0000003"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "secret")
        file["ISIC_0000004"] = np.zeros((4, 4, 3), np.uint8)
    for number in (1, 2):
        assert read_content(path / f"ISIC_000000{number}.jpg") == picture(number)
    for name in ("ISIC_0000003.jpg", "ISIC_0000009.jpg"):
        with pytest.raises(BadImageError, match="missing"):
            read_content(path / name)
    with pytest.raises(BadImageError, match="found an array"):
        read_content(path / "ISIC_0000004.jpg")
    (tmp_path / "bad.hdf5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(20))
    with pytest.raises(DermaugError, match="not a readable HDF5 file"):
        containers.tree_of(str(tmp_path / "bad.hdf5"))
    assert containers.unreadable(tmp_path / "bad.hdf5")
    assert not containers.looked_into(tmp_path, "bad.hdf5")


def test_an_archive_per_class_is_a_class_folder(tmp_path: Path) -> None:
    for label in ("mel", "nv"):
        own = {name.split("/")[1]: file for name, file in CLASSES.items() if label in name}
        zipped(tmp_path / f"{label}.zip", own)
    catalog = open_catalog(tmp_path)
    assert catalog.classes == ("mel", "nv")
    assert catalog.table["label"].tolist() == ["mel"] * 3 + ["nv"] * 3
