"""Plain folders: a metadata.csv, or one sub-folder a class."""

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dermaug.config import DataConfig
from dermaug.config.data import Reading
from dermaug.data.dataset import open_other
from dermaug.data.sources import open_catalog, recognised_as
from dermaug.errors import DermaugError

Folder = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path, jpeg: bytes) -> Folder:
    """Write image files at relative paths, and a metadata.csv if there is text for one."""

    def write(files: str, metadata: str = "") -> Path:
        root = tmp_path / "set"
        root.mkdir(exist_ok=True)
        for name in files.split():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(jpeg)
        if metadata:
            (root / "metadata.csv").write_text(metadata)
        return root

    return write


def test_class_folders(folder: Folder) -> None:
    root = folder("nv/1.jpg nv/2.PNG mel/3.jpeg mel/4.webp mel/5.tif mel/6.avif mel/._7.jpg")
    catalog = open_catalog(root)
    assert catalog.name == "set"
    assert catalog.classes == ("mel", "nv")
    assert catalog.table["label"].tolist() == ["mel"] * 4 + ["nv"] * 2
    assert catalog.table["image_id"].tolist() == ["3", "4", "5", "6", "1", "2"]
    assert not catalog.grouped
    assert catalog.notes == ("Lesions are unknown: each image counts as its own lesion.",)
    assert catalog.table["age"].isna().all()
    assert all(Path(path).is_file() for path in catalog.table["path"])


def test_masks_beside_their_images_are_masks_and_no_images(folder: Folder) -> None:
    root = folder("nv/1.jpg nv/1_segmentation.png nv/2.jpg mel/3.jpg mel/3_segmentation.png")
    catalog = open_catalog(root)
    assert catalog.table["image_id"].tolist() == ["3", "1", "2"]
    masks = [Path(path).name for path in catalog.table["mask_path"]]
    assert masks == ["3_segmentation.png", "1_segmentation.png", ""]
    assert any("2 segmentations" in note for note in catalog.notes)


def test_equal_names_in_two_classes_stay_two_images(folder: Folder) -> None:
    catalog = open_catalog(folder("nv/1.jpg mel/1.jpg mel/2.jpg"))
    assert catalog.table["image_id"].tolist() == ["mel_1.jpg", "mel_2.jpg", "nv_1.jpg"]


def test_names_that_meet_are_refused(folder: Folder) -> None:
    with pytest.raises(DermaugError, match="1 do not; rename them"):
        open_catalog(folder("a/b_1.jpg a_b/1.jpg c/1.jpg"))


def test_what_is_left_out_is_noted(folder: Folder) -> None:
    root = folder("nv/1.jpg nv/2.gif nv/3.heic mel/4.jpg")
    (root / "empty").mkdir()
    notes = open_catalog(root).notes
    assert "Left out sub-folders without images: empty." in notes
    assert any(": .gif (1), .heic (1) (HEIC photo" in note for note in notes)


@pytest.mark.parametrize("lost", ["5.jpg", "nv/deeper/5.jpg", "train/nv/5.jpg"])
def test_an_image_outside_the_classes_is_named(folder: Folder, lost: str) -> None:
    root = folder(f"nv/1.jpg mel/2.jpg {lost}")
    with pytest.raises(DermaugError) as caught:
        open_catalog(root)
    assert caught.value.details == (f"{root / lost}: image not directly in a class folder",)


def test_what_is_no_file_is_named_and_no_link_is_followed_in_circles(folder: Folder) -> None:
    root = folder("nv/1.jpg mel/2.jpg")
    (root / "nv" / "gone.jpg").symlink_to("nowhere.jpg")
    (root / "nv" / "3.png").mkdir()
    os.mkfifo(root / "mel" / "pipe.jpg")
    (root / "mel" / "self").symlink_to(root / "mel")
    with pytest.raises(DermaugError) as caught:
        open_catalog(root)
    assert caught.value.details == (
        f"{root}/mel/pipe.jpg is a device or a pipe with the name of an image: rename or remove it",
        f"{root}/mel/self is a link to a folder in which it lies; delete the link",
        f"{root}/nv/3.png is a folder with the name of an image: rename or remove it",
        f"{root}/nv/gone.jpg is a link to nothing: fetch the file it stands for, or delete the "
        "link",
    )


def test_unknown_words_for_a_split_are_named(folder: Folder) -> None:
    root = folder("1.jpg 2.jpg 3.jpg 4.jpg")
    rows = ["1.jpg,mel,train", "2.jpg,nv,test", "3.jpg,mel,foo", "4.jpg,nv,"]
    (root / "metadata.csv").write_text("\n".join(["file_name,label,split", *rows]))
    with pytest.raises(DermaugError) as caught:
        open_catalog(root)
    (line,) = caught.value.details
    assert line == "metadata.csv line 4: split 'foo': expected train, validation or test"
    (root / "metadata.csv").write_text(
        "\n".join(["file_name,label,split", *rows]).replace("foo", "")
    )
    assert any("none (2 images)" in note for note in open_catalog(root).notes)


def test_a_class_named_as_an_empty_cell_is_noted(folder: Folder) -> None:
    root = folder("1.jpg 2.jpg")
    (root / "metadata.csv").write_text("file_name,label\n1.jpg,mel\n2.jpg,nan\n")
    assert any("Read as a class: 'nan' (1 rows)" in note for note in open_catalog(root).notes)
    assert not any("nan" in note for note in open_catalog(root, Reading({"nan": "nan"})).notes)


TABLE = (
    "file_name,label,lesion_id,age,sex,localization\n"
    "images/1.jpg,mel,a,80,male,scalp\n"
    "images/2.jpg,mel,a,80,male,\n"
    "images/3.jpg,NA,,,,NA\n"
)
FILES = "images/1.jpg images/2.jpg images/3.jpg"


def test_table(folder: Folder) -> None:
    root = folder(FILES, TABLE)
    catalog = open_catalog(root)
    assert catalog.classes == ("NA", "mel")
    assert catalog.table["label"].tolist() == ["mel", "mel", "NA"]
    assert catalog.table["image_id"].tolist() == ["1", "2", "3"]
    assert catalog.table["lesion_id"].tolist() == ["a", "a", "3"]
    assert catalog.table["sex"].tolist() == ["male", "male", "unknown"]
    assert catalog.table["localization"].tolist() == ["scalp", "unknown", "NA"]
    assert catalog.table["path"].tolist() == [
        str(root / f"images/{number}.jpg") for number in (1, 2, 3)
    ]
    assert catalog.grouped
    assert catalog.notes == (
        "1 images without a lesion_id count as their own lesions.",
        "Read as a class: 'NA' (1 rows); if it stands for an empty cell, leave it out with "
        "--leave-out.",
    )
    assert open_catalog(root / "metadata.csv").table.equals(catalog.table)


def test_table_without_lesions(folder: Folder) -> None:
    catalog = open_catalog(folder("1.jpg 2.jpg", "file_name,label\n2.jpg,nv\n1.jpg,mel\n"))
    assert catalog.table["image_id"].tolist() == ["2", "1"]
    assert not catalog.grouped


def test_masks_come_along(folder: Folder) -> None:
    mask = "HAM10000_segmentations_lesion_tschandl/2_segmentation.png"
    root = folder(f"1.jpg 2.jpg {mask}", "file_name,label\n1.jpg,nv\n2.jpg,mel\n")
    assert open_catalog(root).table["mask_path"].tolist() == ["", str(root / mask)]
    (root / "metadata.csv").unlink()
    for number, label in enumerate(("nv", "mel"), 1):
        (root / label).mkdir()
        (root / f"{number}.jpg").rename(root / label / f"{number}.jpg")
    assert open_catalog(root).table["mask_path"].tolist() == [str(root / mask), ""]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("images/3.jpg", "images/1.jpg", "line 4: file_name 'images/1.jpg' occurs already in"),
        ("images/3.jpg", "images/9.jpg", "line 4: no image file for file_name 'images/9.jpg'"),
        ("images/3.jpg", "images/9.jpg", "3.jpg: image without a row in metadata.csv"),
        ("images/3.jpg", "../set/images/3.jpg", "line 4: expected a path below"),
        ("images/3.jpg", "/etc/passwd", "line 4: expected a path below"),
        ("images/3.jpg", "images\\\\3.jpg", "line 4: expected a path below"),
        ("images/3.jpg", "images/3.txt", "line 4: expected a file_name with .avif, .bmp, .jpeg"),
        ("3.jpg,NA", "3.jpg,../NA", "line 4: label '../NA' is a path"),
        ("NA,,", "NA,a,", "line 4: lesion 'a' is 'NA', but 'mel' in metadata.csv line 2"),
        ("mel,a,80", "mel,a,x", "--age-column - leaves the column out), found 'x'"),
        ("3.jpg,NA", "3.jpg", "line 4: expected 6 cells, found 5"),
        ("file_name,label", "filename,name", "no column 'file_name'; is it 'filename'?"),
    ],
)
def test_faults_of_the_table_are_named(folder: Folder, old: str, new: str, told: str) -> None:
    root = folder(FILES, TABLE.replace(old, new, 1))
    with pytest.raises(DermaugError) as caught:
        open_catalog(root)
    assert told in str(caught.value)


def test_a_faulty_row_causes_no_second_finding(folder: Folder) -> None:
    root = folder(FILES, TABLE.replace("3.jpg,NA", "3.jpg", 1))
    with pytest.raises(DermaugError) as caught:
        open_catalog(root)
    finding, _ = caught.value.details
    assert finding == "metadata.csv line 4: expected 6 cells, found 5"


@pytest.mark.parametrize("files", ["nv/1.heic mel/2.HEIC", "1.heif 2.heif"])
def test_photographs_of_a_telephone_are_named_where_there_are_no_others(
    folder: Folder, files: str
) -> None:
    with pytest.raises(DermaugError) as caught:
        open_catalog(folder(files))
    (hint,) = caught.value.details
    assert hint.endswith("(HEIC photographs of a telephone are not read: export them as JPEG)")


def test_a_row_with_a_photograph_of_a_telephone_is_told_what_to_do(folder: Folder) -> None:
    table = "file_name,label\n1.heic,mel\n2.jpg,nv\n"
    with pytest.raises(DermaugError) as caught:
        open_catalog(folder("1.heic 2.jpg", table))
    finding, _ = caught.value.details
    assert "found '1.heic' (HEIC photographs of a telephone are not read" in finding


def test_optional_columns_are_known_in_capital_letters_too(folder: Folder) -> None:
    table = (
        "file_name,label,Patient_ID,Age,SEX\n"
        "images/1.jpg,mel,P0,40,female\nimages/2.jpg,nv,P0,41,\nimages/3.jpg,nv,P1,,male\n"
    )
    catalog = open_catalog(folder(FILES, table))
    assert catalog.table["patient_id"].tolist() == ["P0", "P0", "P1"]
    assert catalog.table["age"].tolist()[:2] == [40, 41]
    assert catalog.table["sex"].tolist() == ["female", "unknown", "male"]
    assert not any("not read" in note for note in catalog.notes)


def test_patients_are_read_and_may_have_several_diagnoses(folder: Folder) -> None:
    table = (
        "file_name,label,lesion_id,patient_id,lens\n"
        "images/1.jpg,mel,a,P0,x\nimages/2.jpg,nv,b,P0,y\nimages/3.jpg,nv,c,NA,z\n"
    )
    catalog = open_catalog(folder(FILES, table))
    assert catalog.table["patient_id"].tolist() == ["P0", "P0", ""]
    assert catalog.groups.tolist() == ["patient P0", "patient P0", "c"]
    assert catalog.notes == (
        "1 images without a patient_id are grouped by lesion.",
        "Columns that were not read: lens; if one of them tells more, name it with --age-column or "
        "--sex-column or --site-column or --tone-column.",
    )


@pytest.mark.parametrize("column", ["fitzpatrick", "fitzpatrick_scale", "monk_skin_tone"])
def test_skin_tones_are_read_as_they_are(folder: Folder, column: str) -> None:
    table = (
        f"file_name,label,lesion_id,{column}\n"
        "images/1.jpg,mel,a,II\nimages/2.jpg,nv,b,Type 6\nimages/3.jpg,nv,c,NA\n"
    )
    catalog = open_catalog(folder(FILES, table))
    assert catalog.table["skin_tone"].tolist() == ["II", "Type 6", "unknown"]
    assert catalog.notes == ()


def test_lesion_of_two_patients_is_named(folder: Folder) -> None:
    table = (
        "file_name,label,lesion_id,patient_id\n"
        "images/1.jpg,mel,1,P0\nimages/2.jpg,mel,1,P1\nimages/3.jpg,nv,2,P0\n"
    )
    with pytest.raises(DermaugError) as caught:
        open_catalog(folder(FILES, table))
    assert "line 3: lesion '1' is of patient 'P1', but of 'P0' in metadata.csv line 2" in str(
        caught.value
    )


SPLIT = "train/nv/1.jpg train/mel/2.jpg train/mel/3.jpg test/nv/1.jpg test/mel/4.jpg"


def test_given_splits_with_class_folders_are_pooled(folder: Folder) -> None:
    catalog = open_catalog(folder(SPLIT))
    assert catalog.classes == ("mel", "nv")
    assert sorted(catalog.table["label"]) == ["mel", "mel", "mel", "nv", "nv"]
    assert "test_nv_1.jpg" in catalog.image_ids
    assert catalog.notes[-1] == (
        'The given splits are pooled, and a run splits the images anew (splits.use = "given" keeps '
        "them): test (2 images), train (3 images)."
    )
    assert len(open_catalog(catalog.root / "train")) == 3


@pytest.mark.parametrize(
    ("label", "found"), [('["mel"]', 'a list: ["mel"]'), ('{"x": 1}', 'an object: {"x": 1}')]
)
def test_a_line_of_json_has_one_value_as_label(folder: Folder, label: str, found: str) -> None:
    root = folder("1.jpg")
    (root / "metadata.jsonl").write_text(f'{{"file_name": "1.jpg", "label": {label}}}')
    with pytest.raises(DermaugError) as caught:
        open_catalog(root)
    told = f"metadata.jsonl line 1: expected one text or number as label, found {found}"
    assert caught.value.details == (told,)


@pytest.mark.parametrize(
    "line", ['{"label": "a", "label": "b"}', "[" * 100_000, '{"a": 9' + "9" * 5_000 + "}"]
)
def test_a_line_that_is_no_object_of_json_is_named(folder: Folder, line: str) -> None:
    root = folder("1.jpg")
    (root / "metadata.jsonl").write_text(line)
    with pytest.raises(DermaugError, match="line 1: expected a JSON object with each name once"):
        open_catalog(root)


def test_a_label_that_is_true_in_json_is_read_as_it_is_written(folder: Folder) -> None:
    root = folder("1.jpg 2.jpg")
    lines = ('{"file_name": "1.jpg", "label": true}', '{"file_name": "2.jpg", "label": false}')
    (root / "metadata.jsonl").write_text("\n".join(lines))
    assert open_catalog(root).classes == ("false", "true")


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_given_splits_with_tables_are_pooled(folder: Folder, kind: str) -> None:
    root = folder("train/1.jpg train/2.jpg test/3.jpg")
    rows = {"train": (("1.jpg", "mel"), ("2.jpg", "nv")), "test": (("3.jpg", "nv"),)}
    for split, pairs in rows.items():
        lines = [f'{{"file_name": "{name}", "label": "{label}"}}' for name, label in pairs]
        if kind == "csv":
            lines = ["file_name,label", *(",".join(pair) for pair in pairs)]
        (root / split / f"metadata.{kind}").write_text("\n".join(lines))
    catalog = open_catalog(root)
    assert catalog.table["label"].tolist() == ["nv", "mel", "nv"]
    assert catalog.table["path"].tolist()[0] == str(root / "test/3.jpg")
    assert catalog.notes[-1].endswith("test (1 images), train (2 images).")


@pytest.mark.parametrize(
    "files",
    [
        "train/1.jpg test/2.jpg",
        "images/1.jpg mel/2.jpg",
        "ISIC_2019_Training_Input/1.jpg",
        "images/imgs_part_1/1.jpg images/imgs_part_2/2.jpg",
        "nv/1.jpg mel/2.jpg labels.csv",
        "nv/1.jpg mel/2.jpg mel/labels.csv",
    ],
)
def test_what_may_be_no_class_folder_is_refused(folder: Folder, files: str) -> None:
    with pytest.raises(DermaugError, match="not a supported data set") as caught:
        open_catalog(folder(files))
    assert not any(line.startswith("did you mean") for line in caught.value.details)


def test_many_missing_images_are_one_line(folder: Folder) -> None:
    files = " ".join(f"images/{number}.jpg" for number in range(9))
    rows = "".join(f"pictures/x{number}.jpg,nv\n" for number in range(9))
    with pytest.raises(DermaugError) as caught:
        open_catalog(folder(files, f"file_name,label\n{rows}"))
    (line,) = caught.value.details
    assert line.startswith("no image file for 9 rows (")


@pytest.mark.parametrize(
    "name",
    [
        *("a 1", "a 1.jpg", "A 1.JPG", "images/a 1", ".\\images\\a 1.jpg"),
        *("/data/upload/3/a 1.jpg", "C:\\images\\a 1.jpg", "https://one.org/a 1.jpg"),
    ],
)
def test_names_mean_the_only_file_whose_path_ends_so(tmp_path: Path, name: str) -> None:
    (tmp_path / "deep" / "images").mkdir(parents=True)
    for file in ("a 1.JPG", "b.v2.jpg"):
        (tmp_path / "deep" / "images" / file).touch()
    (tmp_path / "metadata.csv").write_text(f"file_name,label\n{name},mel\nb.v2,nv\n")
    catalog = open_catalog(tmp_path)
    assert [Path(path).name for path in catalog.table["path"]] == ["a 1.JPG", "b.v2.jpg"]
    assert any("2 file names were completed: " in note for note in catalog.notes)


def test_an_archive_counts_as_the_folder_of_its_name(tmp_path: Path, jpeg: bytes) -> None:
    for month in ("2025-01", "2025-02"):
        with zipfile.ZipFile(tmp_path / f"{month}.zip", "w") as archive:
            archive.writestr("1.JPG", jpeg)
    rows = "2025-01\\1.JPG,mel\n2025-02\\1.JPG,nv\n"
    (tmp_path / "metadata.csv").write_text(f"file_name,label\n{rows}")
    assert open_catalog(tmp_path).table["path"].tolist() == [
        str(tmp_path / f"{month}.zip/1.JPG") for month in ("2025-01", "2025-02")
    ]


@pytest.mark.parametrize("below", ["", "patient-{}/"])
@pytest.mark.parametrize("ending", ["_mask.png", "-Seg.jpg", "_lesion.bmp"])
def test_masks_of_other_names_are_no_photographs(folder: Folder, below: str, ending: str) -> None:
    images = [f"{x}/{below.format(x)}{n}" for x in ("mel", "nv") for n in range(2)]
    root = folder(" ".join([f"{name}{end}" for name in images for end in (".jpg", ending)]))
    with pytest.raises(DermaugError) as caught:
        open_catalog(root)
    assert caught.value.details == (
        f"4 images seem to be masks of others ({root / images[0]}{ending}, ...): rename them to "
        "IMAGE_segmentation.png, which is read as a mask, or move them elsewhere",
    )


@pytest.mark.parametrize("depth", [6, 12])
def test_images_are_found_however_deep_they_lie(folder: Folder, depth: int) -> None:
    deep = f"mel/{'d/' * depth}3.jpg"
    root = folder(f"mel/1.jpg nv/2.jpg {deep}")
    with pytest.raises(DermaugError) as caught:
        open_catalog(root)
    assert caught.value.details == (f"{root / deep}: image not directly in a class folder",)
    for name in ("mel/1.jpg", "nv/2.jpg"):
        (root / name).unlink()
    with pytest.raises(DermaugError) as caught:
        open_catalog(root)
    assert f"{root} holds images ({root / deep})" in caught.value.details[0]


@pytest.mark.parametrize("splits", ["0 1 2", "a b c", "train validation dev"])
def test_a_column_of_splits_that_names_none_is_said(folder: Folder, splits: str) -> None:
    rows = [f"images/{n}.jpg,nv,{split}" for n, split in enumerate(splits.split(), 1)]
    catalog = open_catalog(folder(FILES, "\n".join(("file_name,label,split", *rows))))
    told = (
        f"The column split was not read: expected train and test in it, found {splits.split()[0]}"
    )
    assert any(note.startswith(told) for note in catalog.notes)


def test_a_letter_for_two_sexes_is_told_with_its_other(folder: Folder) -> None:
    with pytest.raises(DermaugError, match="beside h or v, m may be mujer: correct both"):
        open_catalog(folder(FILES, TABLE.replace(",male,", ",h,", 1)))
    with pytest.raises(DermaugError, match="'m' beside 'male' and without 'f' may be male or muj"):
        open_catalog(folder(FILES, TABLE.replace(",male,", ",M,", 1)))
    alone = TABLE.replace(",male,", ",M,")
    assert open_catalog(folder(FILES, alone)).table["sex"].tolist()[:2] == ["male", "male"]
    with pytest.raises(DermaugError, match="Sexo: 'm' alone, without 'f' may be male or mujer"):
        open_catalog(folder(FILES, alone.replace(",sex,", ",Sexo,")))
    both = TABLE.replace(",male,", ",M,", 1).replace("NA,,,,", "NA,,,f,")
    assert open_catalog(folder(FILES, both)).table["sex"].tolist() == ["male", "male", "female"]


def test_a_name_that_can_mean_two_files_and_a_file_named_twice_are_refused(folder: Folder) -> None:
    root = folder("p1/1.jpg p2/1.jpg p2/2.jpg", "file_name,label\n1,mel\n2,nv\n2.jpg,nv\n")
    with pytest.raises(DermaugError) as caught:
        open_catalog(root)
    told = "\n".join(caught.value.details)
    assert "line 2: no image file for file_name '1'" in told
    assert "line 4: '2.jpg' means the same file as '2'" in told


GERMAN = "Bild;Diagnose;Fall;Alter\na;Melanom;P1;50\nb;Naevus;P1;50\nc;Naevus;P2;30\n"


def test_columns_of_any_name_are_read_when_they_are_named(folder: Folder) -> None:
    root = folder("Fotos/a.jpg Fotos/b.jpg Fotos/c.jpg")
    (root / "Liste.csv").write_text(GERMAN)
    columns = {"file_name": "Bild", "label": "Diagnose", "patient_id": "Fall"}
    for path in (root, root / "Liste.csv"):
        catalog = open_catalog(path, Reading({"Melanom": "mel"}, columns))
        assert catalog.table["label"].tolist() == ["mel", "Naevus", "Naevus"]
        assert catalog.table["patient_id"].tolist() == ["P1", "P1", "P2"]
        assert "Also read: patient_id (Fall), age (Alter)." in catalog.notes
    assert recognised_as(root, columns).startswith(
        "Read by the columns Bild (file_name), Diagnose (label), Fall (patient_id) of Liste"
    )
    with pytest.raises(DermaugError, match="expected a table with the columns 'Bilder'") as caught:
        open_catalog(root, Reading(columns={"file_name": "Bilder", "label": "Diagnose"}))
    assert "is it 'Bild'?" in caught.value.details[0]


def test_another_set_may_lack_the_named_columns(folder: Folder) -> None:
    config = DataConfig(source="x").with_columns({"file_name": "Bild", "label": "Diagnose"})
    other = folder("mel/a.jpg Naevus/b.jpg")
    assert open_other(config, other).classes == ("Naevus", "mel")
    (other / "Liste.csv").write_text("Bild,Diagnose\na,nv\nb,mel\n")
    assert open_other(config, other).table["label"].tolist() == ["nv", "mel"]


def test_a_table_of_unknown_columns_is_refused_with_the_options_that_read_it(
    folder: Folder,
) -> None:
    root = folder("Fotos/a.jpg Fotos/b.jpg Fotos/c.jpg Fotos/d.jpg")
    two = GERMAN.replace("Diagnose", "Befund").replace("Fall", "Klasse")
    (root / "Liste.csv").write_text(two.replace("\nb", "\nd;Melanom;P3;61\nb"))
    (root / "Liste.xlsx").write_bytes(b"PK")
    with pytest.raises(DermaugError, match="not a supported data set") as caught:
        open_catalog(root)
    told = "\n".join(caught.value.details)
    (root / "Liste.csv").write_bytes(b"Bild,Klasse\na,N\x84vus\n")
    with pytest.raises(DermaugError, match="not a supported data set") as again:
        open_catalog(root)
    assert "Liste.csv cannot be read, and the classes may be in it" in str(again.value)
    assert "line 2: expected UTF-8 text, found byte 0x84; save" in str(again.value)
    assert "--image-column Bild --label-column Befund" in told
    assert "Liste.xlsx cannot be read, and the classes may be in it: " in told


def test_a_single_file_is_told_from_a_data_set(folder: Folder) -> None:
    root = folder("pics/1.jpg pics/2.jpg pics/3.jpg pics/4.jpg")
    rows = "".join(f"{number},{number // 3},S{number // 2}\n" for number in range(1, 5))
    (root / "meta.csv").write_text(f"id,kind,subject\n{rows}")
    for path, told in (
        (root / "pics" / "1.jpg", "is one image: name the folder"),
        (root / "meta.csv", "--image-column id --label-column COLUMN"),
    ):
        with pytest.raises(DermaugError) as caught:
            open_catalog(path)
        assert told in caught.value.details[0]


def test_archives_of_packed_folders_are_classes(tmp_path: Path, jpeg: bytes) -> None:
    for label in ("mel", "nv"):
        with zipfile.ZipFile(tmp_path / f"{label}.zip", "w") as packed:
            packed.writestr(f"{label} 2020/one.JPG", jpeg)
    assert open_catalog(tmp_path).classes == ("mel 2020", "nv 2020")


def test_stylegan_labels_are_numbered_classes(folder: Folder) -> None:
    root = folder("00000/a.png 00000/b.png 00000/c.png")
    (root / "dataset.json").write_text(
        '{"labels": [["00000/a.png", 6], ["00000/b.png", 0], ["00000/c.png", 6]]}'
    )
    catalog = open_catalog(root)
    assert catalog.table["label"].tolist() == ["6", "0", "6"]
    (root / "dataset.json").write_text('{"labels": null}')
    with pytest.raises(DermaugError, match="an unconditional StyleGAN set has no classes"):
        open_catalog(root)


def test_the_only_archive_is_read_beside_what_is_neither_image_nor_table(tmp_path: Path) -> None:
    (tmp_path / "README.txt").write_text("A colleague sent this.")
    with zipfile.ZipFile(tmp_path / "lesions final.zip", "w") as packed:
        for name in ("train/MEL/1.jpg", "train/NV/2.jpg", "test/MEL/3.jpg", "test/NV/4.jpg"):
            packed.writestr(f"lesions/{name}", b"not decoded here")
            packed.writestr(f"__MACOSX/lesions/{name}", b"")
    catalog = open_catalog(tmp_path)
    assert catalog.table["label"].tolist() == ["MEL", "NV", "MEL", "NV"]
    assert catalog.table["split"].tolist() == ["test", "test", "train", "train"]
    (tmp_path / "list.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DermaugError, match="not a supported data set"):
        open_catalog(tmp_path)
