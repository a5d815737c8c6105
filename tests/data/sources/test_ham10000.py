"""HAM10000: the layouts, and every fault of its metadata named with its row."""

import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dermaug.config import PhantomConfig
from dermaug.config.data import Reading
from dermaug.data.decoding import lesion_box
from dermaug.data.sources import open_catalog
from dermaug.data.sources.phantom import write_phantoms
from dermaug.errors import DermaugError

REAL = Path(__file__).parents[3] / "../shared/data/HAM10000"
HamFolder = Callable[..., Path]


def rows_of(folder: Path) -> list[str]:
    return (folder / "HAM10000_metadata.csv").read_text().splitlines()[1:]


def details(folder: Path) -> tuple[str, ...]:
    with pytest.raises(DermaugError) as caught:
        open_catalog(folder)
    assert "correct them" in caught.value.message
    return caught.value.details


def test_kaggle(ham_folder: HamFolder) -> None:
    catalog = open_catalog(ham_folder())
    assert (catalog.name, catalog.grouped, catalog.notes) == ("HAM10000", True, ())
    assert catalog.classes == ("bkl", "mel", "nv")
    first = catalog.table.iloc[0]
    assert (first["image_id"], first["lesion_id"], first["label"]) == (
        "ISIC_0000001",
        "HAM_0000001",
        "mel",
    )
    assert [age if age == age else None for age in catalog.table["age"]] == [80, 80, None, 45]
    assert catalog.table["localization"].tolist() == ["scalp", "scalp", "unknown", "NA"]
    assert catalog.table["dx_type"].tolist() == ["histo", "histo", "follow_up", "consensus"]
    for image_id, path in zip(catalog.table["image_id"], catalog.table["path"], strict=True):
        assert Path(path).is_absolute()
        assert Path(path).is_file()
        assert Path(path).stem == image_id
    assert (catalog.table["mask_path"] == "").all()


def test_any_path_into_the_set_opens_the_same(ham_folder: HamFolder) -> None:
    folder = ham_folder()
    expected = open_catalog(folder).table
    for path in ("HAM10000_metadata.csv", "HAM10000_images_part_1", "HAM10000_images_part_2"):
        assert open_catalog(folder / path).table.equals(expected)


@pytest.mark.parametrize("name", ["HAM10000_metadata", "HAM10000_metadata.tab"])
def test_dataverse(ham_folder: HamFolder, name: str) -> None:
    expected = open_catalog(ham_folder())
    rows = ['"' + row.replace(",", '"\t"') + '"\t"vidir_modern"' for row in rows_of(expected.root)]
    (expected.root / "HAM10000_metadata.csv").unlink()
    header = '"lesion_id"\t"image_id"\t"dx"\t"dx_type"\t"age"\t"sex"\t"localization"\t"dataset"'
    folder = ham_folder(rows, header, name)
    # Dataverse offers the images of the challenge's test beside the set's own.
    (folder / "ISIC2018_Task3_Test_Images").mkdir()
    (folder / "ISIC2018_Task3_Test_Images/ISIC_0034524.jpg").write_bytes(b"another set's")
    table = open_catalog(folder).table
    assert (table.pop("device") == "vidir_modern").all()
    assert table.equals(expected.table)


@pytest.mark.parametrize("where", [".", "images"])
def test_all_images_in_one_folder(ham_folder: HamFolder, where: str) -> None:
    folder = ham_folder()
    columns = ["image_id", "lesion_id", "label"]
    expected = open_catalog(folder).table[columns]
    (folder / where).mkdir(exist_ok=True)
    for number, path in enumerate(sorted(folder.rglob("*.jpg"))):
        path.rename(folder / where / (path.stem + [".jpg", ".JPG", ".jpeg", ".png"][number]))
    for part in (1, 2):
        (folder / f"HAM10000_images_part_{part}").rmdir()
    assert open_catalog(folder).table[columns].equals(expected)
    # The metadata lie above.
    assert open_catalog(folder / where).table[columns].equals(expected)


def test_masks_come_along(ham_folder: HamFolder) -> None:
    folder = ham_folder()
    masks = folder / "HAM10000_segmentations_lesion_tschandl"
    masks.mkdir()
    (masks / "ISIC_0000003_segmentation.png").write_bytes(b"")
    paths = open_catalog(folder).table["mask_path"].tolist()
    assert paths == ["", "", str(masks / "ISIC_0000003_segmentation.png"), ""]


def test_zipped_masks_of_dataverse_come_along(ham_folder: HamFolder) -> None:
    folder, buffer = ham_folder(), BytesIO()
    Image.new("L", (32, 24), 255).save(buffer, "PNG")
    name = "HAM10000_segmentations_lesion_tschandl"
    with zipfile.ZipFile(folder / f"{name}.zip", "w") as packed:
        packed.writestr(f"{name}/ISIC_0000003_segmentation.png", buffer.getvalue())
    catalog = open_catalog(folder)
    mask = folder / f"{name}.zip" / name / "ISIC_0000003_segmentation.png"
    assert catalog.table["mask_path"].tolist() == ["", "", str(mask), ""]
    box = lesion_box(mask)
    assert box is not None


def test_kaggles_second_copy_of_the_images_is_read_once(ham_folder: HamFolder) -> None:
    folder = ham_folder()
    copy = folder / "ham10000_images_part_1"
    copy.mkdir()
    for path in (folder / "HAM10000_images_part_1").iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    assert len(open_catalog(folder)) == 4
    (copy / "ISIC_0000001.jpg").write_bytes(b"something else")
    (line,) = details(folder)
    assert line.startswith("image 'ISIC_0000001' occurs twice")


def changed(column: int, text: str) -> Callable[[list[str]], list[str]]:
    def change(rows: list[str]) -> list[str]:
        cells = rows[2].split(",")
        cells[column] = text
        return [*rows[:2], ",".join(cells), *rows[3:]]

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (changed(2, "mell"), "HAM10000 has no labels mell (1); its classes are akiec, bcc, bkl, "),
        (changed(2, "nevus?"), "HAM10000: no sure diagnosis are nevus? (1)"),
        (changed(4, "x"), "line 4: expected an age in years or nothing, found 'x'"),
        (changed(4, "-5"), "line 4: expected an age from 0 to 120, found -5"),
        (changed(4, "121"), "line 4: expected an age from 0 to 120, found 121"),
        (changed(5, "mele"), "line 4: expected sex female, male or unknown, found 'mele'"),
        (changed(0, ""), "line 4: expected a lesion_id, found ''"),
        (changed(0, "NA"), "line 4: expected a lesion_id, found 'NA'"),
        (changed(0, "HAM_0000001"), "line 4: lesion 'HAM_0000001' is 'nv', but 'mel' in "),
        (
            changed(1, "ISIC_0000001"),
            "line 4: image_id 'ISIC_0000001' occurs already in HAM10000_m",
        ),
        (changed(1, "../ISIC_0000003"), "line 4: image_id '../ISIC_0000003' is a path"),
        (changed(1, "/etc/passwd"), "line 4: image_id '/etc/passwd' is a path"),
        (changed(1, ""), "line 4: image_id '' is empty"),
        (changed(1, "ISIC_0000009"), "line 4: no image file for image_id 'ISIC_0000009'"),
        (lambda rows: rows[:-1], "ISIC_0000004.jpg: image without a row in HAM10000_metadata.csv"),
        (lambda rows: [*rows[:3], rows[3] + ",extra"], "line 5: expected 7 cells, found 8"),
        (lambda rows: [*rows[:3], rows[3][:-3]], "line 5: expected 7 cells, found 6"),
    ],
)
def test_faulty_row_is_named(
    ham_folder: HamFolder, change: Callable[[list[str]], list[str]], told: str
) -> None:
    folder = ham_folder()
    ham_folder(change(rows_of(folder)))
    lines = details(folder)
    assert any(told in line for line in lines), lines


def test_labels_in_another_case_are_read_and_unknown_ones_told_once(ham_folder: HamFolder) -> None:
    folder = ham_folder()
    rows = rows_of(folder)
    ham_folder([row.replace(",mel,", ",MEL,").replace(",nv,", ",Nv,") for row in rows])
    catalog = open_catalog(folder)
    assert catalog.classes == ("bkl", "mel", "nv")
    assert catalog.notes == ("Label map: MEL = mel, Nv = nv.",)
    ham_folder([row.replace(",mel,", ",Melanom,") for row in rows])
    assert open_catalog(folder).classes == ("bkl", "mel", "nv")
    ham_folder([row.replace(",mel,", ",tumor,") for row in rows])
    (line,) = details(folder)
    assert line.startswith("HAM10000 has no labels tumor (2); its classes are akiec, bcc, bkl, ")
    assert open_catalog(folder, Reading({"tumor": "mel", "bkl": ""})).classes == ("mel", "nv")


def test_a_ragged_row_is_told_once(ham_folder: HamFolder) -> None:
    folder = ham_folder()
    rows = rows_of(folder)
    ham_folder([*rows[:3], rows[3] + ",extra"])
    finding, _ = details(folder)
    assert finding == "HAM10000_metadata.csv line 5: expected 7 cells, found 8"
    catalog = open_catalog(folder, Reading(unclear="leave_out"))
    assert len(catalog) == len(rows) - 1
    assert catalog.notes[-1].startswith("Left out as unclear: rows with too many or too few cells")


def test_all_faults_are_told_at_once(ham_folder: HamFolder) -> None:
    folder = ham_folder()
    rows = [row.replace("80.0", "old").replace("nv,", "tumor,") for row in rows_of(folder)]
    ham_folder(rows)
    *lines, remedy = details(folder)
    assert remedy.startswith("--leave-out-unclear leaves out 2 of the findings")
    assert len(lines) == 2
    assert any("found 'old' (and 1 more row)" in line for line in lines)
    assert any("HAM10000 has no labels tumor" in line for line in lines)


def test_missing_column(ham_folder: HamFolder) -> None:
    folder = ham_folder(header="lesion_id,image,dx,dx_type,age,sex,localization")
    with pytest.raises(
        DermaugError, match=r"HAM10000_metadata.csv line 1: expected the columns"
    ) as e:
        open_catalog(folder)
    assert e.value.details == ("no column 'image_id'; is it 'image'?",)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_encodings_and_line_ends_change_nothing(ham_folder: HamFolder, encoding: str) -> None:
    expected = open_catalog(ham_folder())
    metadata = expected.root / "HAM10000_metadata.csv"
    metadata.write_bytes(metadata.read_text().replace("\n", "\r\n").encode(encoding))
    assert open_catalog(expected.root).table.equals(expected.table)


def test_archives_that_are_still_packed(ham_folder: HamFolder) -> None:
    folder = ham_folder()
    for part in (1, 2):
        images = folder / f"HAM10000_images_part_{part}"
        for path in images.iterdir():
            path.unlink()
        images.rmdir()
    with pytest.raises(DermaugError, match=r"found no images; expected .*; put them there"):
        open_catalog(folder)
    (folder / "HAM10000_images_part_1.zip").write_bytes(b"")
    with pytest.raises(DermaugError, match=r"part_1\.zip is not a readable archive"):
        open_catalog(folder)


def test_phantoms_are_read_and_called_phantoms(tmp_path: Path) -> None:
    folder = write_phantoms(tmp_path / "phantoms", PhantomConfig(number=42), size=16)
    catalog = open_catalog(folder)
    assert (catalog.name, len(catalog), catalog.num_classes) == ("phantom lesions", 42, 7)
    assert catalog.notes == ("The lesions are drawings made by dermaug, not patients' images.",)
    assert all(map(Path.is_file, map(Path, catalog.table["mask_path"])))


@pytest.mark.skipif(not REAL.is_dir(), reason="needs HAM10000 at ../shared/data")
def test_the_real_set() -> None:
    catalog = open_catalog(REAL)
    assert len(catalog) == 10_015
    assert catalog.table["lesion_id"].nunique() == 7_470
    assert catalog.table["label"].value_counts().to_dict() == {
        "nv": 6705,
        "mel": 1113,
        "bkl": 1099,
        "bcc": 514,
        "akiec": 327,
        "vasc": 142,
        "df": 115,
    }
    assert np.isnan(catalog.table["age"]).sum() == 57
    assert set(catalog.table["sex"]) == {"female", "male", "unknown"}
    assert (catalog.table["mask_path"] != "").all()
    assert (catalog.name, catalog.grouped) == ("HAM10000", True)
