"""ISIC 2018 Task 3: one-hot truth, lesion groupings, and which part is meant."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dermaug.data.sources import open_catalog
from dermaug.errors import DermaugError

TRUTH = (
    "image,MEL,NV,BCC,AKIEC,BKL,DF,VASC\n"
    "ISIC_0000001,1.0,0.0,0.0,0.0,0.0,0.0,0.0\n"
    "ISIC_0000002,1.0,0.0,0.0,0.0,0.0,0.0,0.0\n"
    "ISIC_0000003,0.0,0.0,0.0,1.0,0.0,0.0,0.0\n"
)
GROUPINGS = (
    "image,lesion_id,diagnosis_confirm_type\n"
    "ISIC_0000003,HAM_0000002,serial imaging showing no change\n"
    "ISIC_0000001,HAM_0000001,histopathology\n"
    "ISIC_0000002,HAM_0000001,histopathology\n"
)
Part = Callable[..., Path]


@pytest.fixture
def part(tmp_path: Path, jpeg: bytes) -> Part:
    def write(
        name: str = "Test", truth: str = TRUTH, groupings: str = "", nested: bool = False
    ) -> Path:
        images = tmp_path / f"ISIC2018_Task3_{name}_Input"
        images.mkdir(exist_ok=True)
        for number in (1, 2, 3):
            (images / f"ISIC_{number:07d}.jpg").write_bytes(jpeg)
        (images / "ATTRIBUTION.txt").write_text("who made them")
        below = tmp_path / f"ISIC2018_Task3_{name}_GroundTruth" if nested else tmp_path
        below.mkdir(exist_ok=True)
        (below / f"ISIC2018_Task3_{name}_GroundTruth.csv").write_text(truth)
        if groupings:
            (below / f"ISIC2018_Task3_{name}_LesionGroupings.csv").write_text(groupings)
        return tmp_path

    return write


@pytest.mark.parametrize("nested", [False, True])
def test_without_groupings_each_image_is_its_own_lesion(part: Part, nested: bool) -> None:
    catalog = open_catalog(part(nested=nested))
    assert catalog.name == "ISIC 2018 Task 3"
    assert catalog.table["label"].tolist() == ["mel", "mel", "akiec"]
    assert catalog.classes == ("akiec", "mel")
    assert not catalog.grouped
    assert catalog.table["lesion_id"].tolist() == catalog.table["image_id"].tolist()
    assert catalog.notes[-1] == "Lesions are unknown: each image counts as its own lesion."
    assert all(Path(path).is_file() for path in catalog.table["path"])


def test_groupings_are_matched_by_image_not_by_row(part: Part) -> None:
    catalog = open_catalog(part("Training", groupings=GROUPINGS))
    assert catalog.grouped
    assert catalog.notes[0] == "Joined with ISIC2018_Task3_Training_LesionGroupings.csv by image."
    assert catalog.table["lesion_id"].tolist() == ["HAM_0000001"] * 2 + ["HAM_0000002"]
    assert catalog.table["dx_type"].tolist() == ["histo", "histo", "follow_up"]


def test_of_several_parts_in_folders_of_their_own_the_folder_of_images_is_enough(
    part: Part,
) -> None:
    part("Training", groupings=GROUPINGS, nested=True)
    folder = part("Test", nested=True)
    assert open_catalog(folder / "ISIC2018_Task3_Training_Input").grouped
    assert not open_catalog(folder / "ISIC2018_Task3_Test_Input").grouped


def test_with_several_parts_one_must_be_named(part: Part) -> None:
    part("Training", groupings=GROUPINGS)
    folder = part("Test")
    with pytest.raises(DermaugError, match="expected one table with labels, found 2") as e:
        open_catalog(folder)
    truth = folder / "ISIC2018_Task3_Test_GroundTruth.csv"
    assert e.value.details[0] == f"{truth} (ISIC 2018 Task 3)"
    for path in ("ISIC2018_Task3_Training_Input", "ISIC2018_Task3_Training_GroundTruth.csv"):
        assert open_catalog(folder / path).grouped
    assert not open_catalog(folder / "ISIC2018_Task3_Test_Input").grouped


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "03,0.0",
            "03,1.0",
            "GroundTruth.csv line 4: expected one 1.0 and otherwise 0.0, found MEL=1.0, AKIEC=1.0",
        ),
        ("03,0.0,0.0,0.0,1.0", "03,0.0,0.0,0.0,0.0", "GroundTruth.csv line 4: expected one 1.0"),
        ("03,0.0", "03,0.5", "MEL=0.5"),
        ("03,0.0", "03,NA", "MEL=NA"),
        ("03,0.0", "03,0.0,0.0", "GroundTruth.csv line 4: expected 8 cells, found 9"),
        ("ISIC_0000003", "ISIC_0000001", "line 4: image_id 'ISIC_0000001' occurs already in"),
        ("ISIC_0000003", "ISIC_0000009", "line 4: no image file for image 'ISIC_0000009'"),
        ("ISIC_0000003", "ISIC_0000009", "ISIC_0000003.jpg: image without a row in"),
        ("ISIC_0000003", "a/b", "line 4: no image file for image 'a/b'"),
        ("AKIEC", "AK", "not a supported data set"),
    ],
)
def test_faults_of_the_truth_are_named(part: Part, old: str, new: str, told: str) -> None:
    with pytest.raises(DermaugError) as caught:
        open_catalog(part(truth=TRUTH.replace(old, new, 1)))
    assert told in str(caught.value)


def test_what_the_groupings_lack_is_said(part: Part) -> None:
    lacking = GROUPINGS.replace("ISIC_0000003,HAM_0000002", "ISIC_0000003,")
    catalog = open_catalog(part("Training", groupings=lacking))
    assert "1 images without a lesion_id count as their own lesions." in catalog.notes
    several = GROUPINGS.replace("HAM_0000002", "HAM_0000001")
    catalog = open_catalog(part("Training", groupings=several))
    assert "1 lesions have images with different labels." in catalog.notes


def test_missing_truth(part: Part) -> None:
    folder = part()
    (folder / "ISIC2018_Task3_Test_GroundTruth.csv").unlink()
    with pytest.raises(DermaugError, match="not a supported data set") as e:
        open_catalog(folder)
    assert any(
        "labels are in ISIC2018_Task3_Test_GroundTruth.csv" in line for line in e.value.details
    )
