"""Public data sets laid out as their documentation says, with phantoms for images.

What each layout was checked against is listed in docs/get-the-data.md.
"""

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from dermaug.config.data import Reading
from dermaug.data.check import check_catalog
from dermaug.data.sources import open_catalog, recognised_as
from dermaug.data.sources.phantom import draw_class
from dermaug.errors import DermaugError


@dataclass(frozen=True)
class Case:
    """A data set as it lies on disk, and what is to be read of it."""

    name: str
    tables: dict[str, str]
    images: tuple[str, ...]
    labels: tuple[str, ...]
    groups: tuple[str, ...]
    said: tuple[str, ...] = ()
    described: tuple[str, str, str] = ("unknown", "unknown", "unknown")
    """Sex, site and skin tone of the first image."""


ISIC_2019_TRUTH = (
    "image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK\n"
    "ISIC_0000000,0.0,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0\n"
    "ISIC_0000002_downsampled,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0\n"
    "ISIC_0053467,0.0,0.0,0.0,1.0,0.0,0.0,0.0,0.0,0.0\n"
    "ISIC_0053468,0.0,0.0,0.0,1.0,0.0,0.0,0.0,0.0,0.0\n"
    "ISIC_0053470,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,0.0\n"
)
ISIC_2019_METADATA = (
    "image,age_approx,anatom_site_general,lesion_id,sex\n"
    "ISIC_0000002_downsampled,30.0,upper extremity,,female\n"
    "ISIC_0000000,55.0,anterior torso,,female\n"
    "ISIC_0053467,,lower extremity,BCN_0000001,male\n"
    "ISIC_0053468,,lower extremity,BCN_0000001,male\n"
    "ISIC_0053470,85.0,,BCN_0000002,\n"
)
ISIC_2019_IMAGES = (
    "ISIC_0000000",
    "ISIC_0000002_downsampled",
    "ISIC_0053467",
    "ISIC_0053468",
    "ISIC_0053470",
)
CASES = [
    Case(
        "ISIC 2019",
        {
            "ISIC_2019_Training_GroundTruth.csv": ISIC_2019_TRUTH,
            "ISIC_2019_Training_Metadata.csv": ISIC_2019_METADATA,
        },
        tuple(f"ISIC_2019_Training_Input/{name}.jpg" for name in ISIC_2019_IMAGES),
        ("nv", "mel", "akiec", "akiec"),
        ("ISIC_0000000", "ISIC_0000002_downsampled", "BCN_0000001", "BCN_0000001"),
        (
            "Label map: AK = akiec, MEL = mel, NV = nv.",
            "Left out 1 image by label: SCC (1).",
            "2 images without a lesion_id count as their own lesions.",
        ),
        ("female", "anterior torso", "unknown"),
    ),
    Case(
        "MILK10k",
        {
            "MILK10k_Training_GroundTruth.csv": (
                "lesion_id,AKIEC,BCC,BEN_OTH,BKL,DF,INF,MAL_OTH,MEL,NV,SCCKA,VASC\n"
                "IL_0000652,0.0,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0\n"
                "IL_0003176,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,0.0\n"
                "IL_0004688,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,0.0,0.0\n"
            ),
            "MILK10k_Training_Supplement.csv": (
                "isic_id,diagnosis_full,diagnosis_confirm_type\n"
                "ISIC_7890001,Malignant::Basal cell carcinoma,histopathology\n"
            ),
            "MILK10k_Training_Metadata.csv": (
                "lesion_id,image_type,isic_id,attribution,copyright_license,image_manipulation,"
                "age_approx,sex,skin_tone_class,site\n"
                "IL_0000652,clinical: close-up,ISIC_4671410,MILK,CC-0,,80,male,4,trunk\n"
                "IL_0000652,dermoscopic,ISIC_7890001,MILK,CC-0,,80,male,4,trunk\n"
                "IL_0003176,clinical: close-up,ISIC_1000001,MILK,CC-0,,70,female,3,head_neck_face\n"
                "IL_0003176,dermoscopic,ISIC_1000002,MILK,CC-0,,70,female,3,head_neck_face\n"
                "IL_0004688,clinical: close-up,ISIC_1000003,MILK,CC-0,,,female,2,lower_extremity\n"
                "IL_0004688,dermoscopic,ISIC_1000004,MILK,CC-0,,,female,2,lower_extremity\n"
            ),
        },
        tuple(
            f"MILK10k_Training_Input/MILK10k_Training_Input/{name}.jpg"
            for name in (
                "IL_0000652/ISIC_4671410",
                "IL_0000652/ISIC_7890001",
                "IL_0003176/ISIC_1000001",
                "IL_0003176/ISIC_1000002",
                "IL_0004688/ISIC_1000003",
                "IL_0004688/ISIC_1000004",
            )
        ),
        ("bcc", "nv"),
        ("IL_0000652", "IL_0004688"),
        (
            "Read image_type dermoscopic; left out clinical: close-up (3).",
            "Left out 1 image by label: SCCKA (1).",
        ),
        ("male", "trunk", "MILK10k 4"),
    ),
    Case(
        "ISIC 2020",
        {
            "train.csv": (
                "image_name,patient_id,sex,age_approx,anatom_site_general_challenge,diagnosis,"
                "benign_malignant,target\n"
                "ISIC_2637011,IP_7279968,male,45.0,head/neck,unknown,benign,0\n"
                "ISIC_0015719,IP_3075186,female,45.0,upper extremity,melanoma,malignant,1\n"
                "ISIC_0052212,IP_3075186,female,50.0,lower extremity,nevus,benign,0\n"
            ),
            "test.csv": (
                "image_name,patient_id,sex,age_approx,anatom_site_general_challenge\n"
                "ISIC_0052060,IP_3579794,male,70.0,\n"
            ),
        },
        (
            "jpeg/train/ISIC_2637011.jpg",
            "jpeg/train/ISIC_0015719.jpg",
            "jpeg/train/ISIC_0052212.jpg",
            "jpeg/test/ISIC_0052060.jpg",
        ),
        ("benign", "malignant", "benign"),
        ("patient IP_7279968", "patient IP_3075186", "patient IP_3075186"),
        (),
        ("male", "head/neck", "unknown"),
    ),
    Case(
        "ISIC 2020",
        {
            "ISIC_2020_Training_GroundTruth_v2.csv": (
                "image_name,patient_id,lesion_id,sex,age_approx,anatom_site_general_challenge,"
                "diagnosis,benign_malignant,target\n"
                "ISIC_0000000,IP_1,IL_1,male,45.0,torso,unknown,benign,0\n"
                "ISIC_0000001,IP_1,IL_2,male,45.0,torso,melanoma,malignant,1\n"
                "ISIC_0000002,IP_2,IL_3,,,,nevus,benign,0\n"
            ),
            "ISIC_2020_Training_Duplicates.csv": (
                "image_name_1,image_name_2\nISIC_0000000,ISIC_0000002\n"
            ),
        },
        tuple(f"ISIC_2020_Training_JPEG/train/ISIC_000000{number}.jpg" for number in range(3)),
        ("benign", "malignant", "benign"),
        ("patient IP_1", "patient IP_1", "patient IP_2"),
        (),
        ("male", "torso", "unknown"),
    ),
    Case(
        "ISIC 2024",
        {
            "train-metadata.csv": (
                "isic_id,target,patient_id,age_approx,sex,anatom_site_general,image_type,lesion_id,"
                "iddx_full,iddx_1\n"
                "ISIC_0015670,0,IP_1235828,60.0,male,lower extremity,TBP tile: close-up,,"
                "Benign,Benign\n"
                "ISIC_0015845,1,IP_8170065,60.0,male,head/neck,TBP tile: close-up,IL_6727506,"
                "Malignant::Melanoma,Malignant\n"
            )
        },
        ("train-image/image/ISIC_0015670.jpg", "train-image/image/ISIC_0015845.jpg"),
        ("benign", "malignant"),
        ("patient IP_1235828", "patient IP_8170065"),
        ("Label map: 0 = benign, 1 = malignant.",),
        ("male", "lower extremity", "unknown"),
    ),
    Case(
        "ISIC 2024",
        {
            "ISIC_2024_Training_GroundTruth.csv": (
                "isic_id,malignant\nISIC_0015670,0.0\nISIC_0015845,1.0\nISIC_0015864,0.0\n"
            ),
            "ISIC_2024_Training_Supplement.csv": (
                "isic_id,lesion_id,iddx_full\nISIC_0015670,,Benign\n"
                "ISIC_0015845,IL_6727506,Malignant::Melanoma\nISIC_0015864,,Benign\n"
            ),
            # In the archive of the images, and the only table that names patients.
            "ISIC_2024_Training_Input/metadata.csv": (
                "isic_id,patient_id,age_approx,sex,anatom_site_general\n"
                "ISIC_0015670,IP_1,60,male,lower extremity\nISIC_0015845,IP_2,60,male,head/neck\n"
                "ISIC_0015864,IP_1,60,male,posterior torso\n"
            ),
        },
        tuple(f"ISIC_2024_Training_Input/ISIC_00{number}.jpg" for number in (15670, 15845, 15864)),
        ("benign", "malignant", "benign"),
        ("patient IP_1", "patient IP_2", "patient IP_1"),
        ("Joined with metadata.csv by isic_id.",),
        ("male", "lower extremity", "unknown"),
    ),
    Case(
        "BCN20000",
        {
            "bcn_20k_train.csv": (
                "bcn_filename,age_approx,anatom_site_general,diagnosis,lesion_id,capture_date,sex,"
                "split\n"
                "BCN_0000000001.jpg,55.0,anterior torso,MEL,BCN_0003884,2012-05-16,male,train\n"
                "BCN_0000000003.jpg,50.0,anterior torso,NV,BCN_0000019,2015-07-09,female,train\n"
                "BCN_0000000004.jpg,85.0,head/neck,SCC,BCN_0003499,2015-11-23,male,train\n"
            )
        },
        tuple(f"BCN_20k_train/bcn_20k_train/BCN_000000000{number}.jpg" for number in (1, 3, 4)),
        ("mel", "nv"),
        ("BCN_0003884", "BCN_0000019"),
        ("Left out 1 image by label: SCC (1).",),
        ("male", "anterior torso", "unknown"),
    ),
    Case(
        "PAD-UFES-20",
        {
            "metadata.csv": (
                "patient_id,lesion_id,smoke,age,gender,fitspatrick,region,diagnostic,img_id,"
                "biopsed\n"
                "PAT_1516,1765,,8,,,ARM,NEV,PAT_1516_1765_530.png,False\n"
                "PAT_46,881,False,55,FEMALE,3.0,NECK,BCC,PAT_46_881_939.png,True\n"
                "PAT_46,882,False,55,FEMALE,3.0,NECK,ACK,PAT_46_882_174.png,False\n"
                "PAT_9,17,False,70,MALE,2.0,FACE,SCC,PAT_9_17_80.png,True\n"
            )
        },
        (
            "images/imgs_part_1/PAT_1516_1765_530.png",
            "images/imgs_part_2/PAT_46_881_939.png",
            "images/imgs_part_3/PAT_46_882_174.png",
            "images/imgs_part_3/PAT_9_17_80.png",
        ),
        ("nv", "bcc", "akiec"),
        ("patient PAT_1516", "patient PAT_46", "patient PAT_46"),
        ("Label map: ACK = akiec, BCC = bcc, NEV = nv.",),
        ("unknown", "ARM", "unknown"),
    ),
    Case(
        "Derm7pt",
        {
            "meta/meta.csv": (
                "case_num,diagnosis,seven_point_score,location,sex,clinic,derm,case_id\n"
                "1,basal cell carcinoma,0,abdomen,female,NEL/NEL027.JPG,NEL/Nel026.jpg,\n"
                "2,clark nevus,0,back,male,NEL/NEL030.jpg,NEL/Nel028.jpg,\n"
                "3,melanoma (in situ),5,back,male,A/A1.jpg,A/A2.jpg,\n"
                "4,melanosis,0,back,male,A/A3.jpg,A/A4.jpg,\n"
            ),
            "meta/train_indexes.csv": "indexes\n0\n1\n",
            "meta/test_indexes.csv": "indexes\n2\n3\n",
        },
        (
            "images/NEL/NEL027.JPG",
            "images/NEL/Nel026.jpg",
            "images/NEL/NEL030.jpg",
            "images/NEL/Nel028.jpg",
            "images/A/A1.jpg",
            "images/A/A2.jpg",
            "images/A/A3.jpg",
            "images/A/A4.jpg",
        ),
        ("bcc", "nv", "mel"),
        ("1", "2", "3"),
        (
            "Left out 1 image by label: melanosis (1).",
            "Left out the images of the column clinic: 4.",
            "The given splits are those of train_indexes.csv, test_indexes.csv.",
            'The given splits are pooled, and a run splits the images anew (splits.use = "given" '
            "keeps them): train (2 images), test (1 images).",
        ),
        ("female", "abdomen", "unknown"),
    ),
    Case(
        "Fitzpatrick17k",
        {
            "fitzpatrick17k.csv": (
                "md5hash,fitzpatrick_scale,fitzpatrick_centaur,label,nine_partition_label,"
                "three_partition_label,qc,url,url_alphanum\n"
                "5e82a45bc5d78bd24ae9202d194423f8,3,3,psoriasis,inflammatory,non-neoplastic,,u,a\n"
                "fa2911a9b13b6f8af79cb700937cc14f,-1,2,melanoma,malignant melanoma,malignant,,u,a\n"
                "d2bac3c9e4499032ca8e9b07c7d3bc40,2,3,melanoma,malignant melanoma,malignant,,u,a\n"
            )
        },
        (
            "images/5e82a45bc5d78bd24ae9202d194423f8.jpg",
            "images/fa2911a9b13b6f8af79cb700937cc14f.jpg",
        ),
        ("psoriasis", "melanoma"),
        ("5e82a45bc5d78bd24ae9202d194423f8", "fa2911a9b13b6f8af79cb700937cc14f"),
        (
            "Left out: no image file for 1 rows (d2bac3c9e4499032ca8e9b07c7d3bc40).",
            "Lesions are unknown: each image counts as its own lesion.",
        ),
        ("unknown", "unknown", "3"),
    ),
    Case(
        "DDI",
        {
            "ddi_metadata.csv": (
                ",DDI_ID,DDI_file,skin_tone,malignant,disease\n"
                "0,1,000001.png,56,True,melanoma-in-situ\n"
                "1,2,000002.png,12,False,verruca-vulgaris\n"
            )
        },
        ("000001.png", "000002.png"),
        ("malignant", "benign"),
        ("000001", "000002"),
        ("Label map: False = benign, True = malignant.",),
        ("unknown", "unknown", "V-VI"),
    ),
    Case(
        "DDI",
        {
            "ddi_metadata.csv": (
                "DDI_ID,DDI_file,skin_tone,malignancy(malig=1),disease\n"
                "1,000001.png,56,1,melanoma-in-situ\n2,000002.png,12,0,verruca-vulgaris\n"
            )
        },
        ("images/000001.png", "images/000002.png"),
        ("malignant", "benign"),
        ("000001", "000002"),
        ("Label map: 0 = benign, 1 = malignant.",),
        ("unknown", "unknown", "V-VI"),
    ),
    Case(
        "MRA-MIDAS",
        {
            "release_midas.csv": (
                ",midas_record_id,midas_file_name,midas_iscontrol,midas_distance,midas_location,"
                "midas_path,midas_pathreport,midas_gender,midas_age,midas_fitzpatrick,"
                "midas_melanoma,midas_ethnicity,midas_race,clinical_impression_1,length_(mm)\n"
                "0,1,s-prd-01.jpeg,no,dscope,l back,malignant- bcc,,male,71,ii medium,no,,,,6\n"
                "1,1,s-prd-02.jpeg,no,1ft,l back,malignant- bcc,,male,71,ii medium,no,,,,6\n"
                "2,2,s-prd-03.jpeg,no,dscope,r arm,benign-melanocytic nevus,,female,33,i,no,,,,4\n"
                "3,2,s-prd-04.jpeg,no,dscope,r arm,benign-fibrous papule,,female,33,i,no,,,,4\n"
            )
        },
        tuple(f"images/s-prd-0{number}.jpeg" for number in (1, 2, 3, 4)),
        ("bcc", "nv"),
        ("patient 1", "patient 2"),
        (
            "Read midas_distance dscope; left out 1ft (1).",
            "Left out 1 image by label: benign-fibrous papule (1).",
        ),
        ("male", "l back", "ii medium"),
    ),
    Case(
        "ISIC archive",
        {
            "metadata.csv": (
                "isic_id,attribution,copyright_license,age_approx,anatom_site_general,"
                "diagnosis_1,diagnosis_2,diagnosis_3,fitzpatrick_skin_type,image_type,lesion_id,"
                "patient_id,sex\n"
                "ISIC_0000001,Vienna,CC-0,30,anterior torso,Benign,"
                "Benign melanocytic proliferations,Nevus,II,dermoscopic,IL_1,,female\n"
                "ISIC_0000002,Vienna,CC-0,30,anterior torso,Malignant,"
                'Malignant melanocytic proliferations (Melanoma),"Melanoma, NOS",,dermoscopic,'
                "IL_2,,male\n"
                "ISIC_0000003,Vienna,CC-0,30,,Benign,Benign soft tissue proliferations - Vascular,"
                "Hemangioma,,dermoscopic,IL_3,,male\n"
                "ISIC_0000004,Vienna,CC-0,30,,Malignant,Malignant epidermal proliferations,"
                '"Squamous cell carcinoma, Invasive",,dermoscopic,IL_4,,male\n'
                "ISIC_0000005,Vienna,CC-0,30,,,,,,dermoscopic,IL_5,,male\n"
            ),
            "attribution.txt": "Vienna\n",
        },
        tuple(f"ISIC_000000{number}.jpg" for number in (1, 2, 3, 4, 5)),
        ("nv", "mel", "vasc"),
        ("IL_1", "IL_2", "IL_3"),
        (
            "Label map: Hemangioma = vasc, Melanoma, NOS = mel, Nevus = nv.",
            "Columns that were not read: attribution, copyright_license, diagnosis_1, image_type.",
            "Left out 2 images by label: Squamous cell carcinoma, Invasive (1), no label (1).",
        ),
        ("female", "anterior torso", "II"),
    ),
    Case(
        "HAM10000",
        {
            "ISIC2018_Task3_Test_GroundTruth.csv": (
                "lesion_id,image_id,dx,dx_type,age,sex,localization,dataset\n"
                "HAMTEST_0000000,ISIC_0034524,nv,follow_up,40.0,female,back,vidir_molemax\n"
                "HAMTEST_0000001,ISIC_0034525,mel,histo,70.0,male,abdomen,rosendahl\n"
            )
        },
        (
            "ISIC2018_Task3_Test_Images/ISIC2018_Task3_Test_Images/ISIC_0034524.jpg",
            "ISIC2018_Task3_Test_Images/ISIC2018_Task3_Test_Images/ISIC_0034525.jpg",
        ),
        ("nv", "mel"),
        ("HAMTEST_0000000", "HAMTEST_0000001"),
        (),
        ("female", "back", "unknown"),
    ),
]
NAMES = [case.name for case in CASES]
IDS = [f"{case.name} {next(iter(case.tables))} {case.images[0]}" for case in CASES]
Write = Callable[..., Path]


@pytest.fixture(scope="module")
def pictures() -> tuple[bytes, ...]:
    """Ten phantoms as JPEG files."""
    files = []
    for pixels in draw_class("nv", 12, 0, 24).images:
        buffer = BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG")
        files.append(buffer.getvalue())
    return tuple(files)


@pytest.fixture
def lay_out(tmp_path: Path, pictures: Sequence[bytes]) -> Write:
    def write(tables: dict[str, str], images: Sequence[str]) -> Path:
        root = tmp_path / "set"
        files = {name: text.encode() for name, text in tables.items()}
        files |= {name: pictures[number] for number, name in enumerate(images)}
        for name, content in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
        return root

    return write


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_each_layout_is_read_as_what_it_is(lay_out: Write, case: Case) -> None:
    root = lay_out(case.tables, case.images)
    catalog = open_catalog(root)
    assert catalog.name == case.name
    assert tuple(catalog.table["label"]) == case.labels
    assert catalog.classes == tuple(sorted(set(case.labels)))
    assert tuple(catalog.groups) == case.groups
    for image_id, path in zip(catalog.table["image_id"], catalog.table["path"], strict=True):
        assert Path(path).stem == image_id
        assert Path(path).is_file()
    first = catalog.table.iloc[0]
    assert (first["sex"], first["localization"], first["skin_tone"]) == case.described
    assert set(case.said) <= set(catalog.notes), catalog.notes
    table = next(root / name for name in case.tables)
    assert open_catalog(table).table.equals(catalog.table)


def packed(root: Path, folder: str, archive: str) -> None:
    """Pack a folder of a data set into an archive that lies in its place."""
    with zipfile.ZipFile(root / archive, "w") as target:
        for file in sorted((root / folder).rglob("*")):
            target.write(file, file.relative_to((root / folder).parent))
    shutil.rmtree(root / folder)


def packed_hdf5(root: Path, folder: str, archive: str) -> None:
    """Write the images of a folder into an HDF5 file, one encoded image per key."""
    with h5py.File(root / archive, "w") as target:
        for file in sorted((root / folder).rglob("*.jpg")):
            target[file.stem] = np.void(file.read_bytes())
    shutil.rmtree(root / folder)


@pytest.mark.parametrize(
    ("name", "pack", "folder", "archive"),
    [
        ("ISIC 2019", packed, "ISIC_2019_Training_Input", "ISIC_2019_Training_Input.zip"),
        ("ISIC 2020", packed, "jpeg", "jpeg.zip"),
        ("ISIC 2024", packed_hdf5, "train-image", "train-image.hdf5"),
        ("HAM10000", packed, "ISIC2018_Task3_Test_Images", "ISIC2018_Task3_Test_Images.zip"),
        ("PAD-UFES-20", packed, "images/imgs_part_2", "images/imgs_part_2.zip"),
        ("MILK10k", packed, ".", "../set.zip"),
    ],
)
def test_archives_are_read_in_place(
    lay_out: Write, name: str, pack: Callable[..., None], folder: str, archive: str
) -> None:
    case = CASES[NAMES.index(name)]
    root = lay_out(case.tables, case.images)
    plain = open_catalog(root)
    pack(root, folder, archive)
    opened = root if root.exists() else root.parent
    catalog = open_catalog(opened)
    assert catalog.name == name
    other = ["path"]
    assert catalog.table.drop(columns=other).equals(plain.table.drop(columns=other))
    checked = check_catalog(catalog)
    assert not checked.bad
    assert len(checked.catalog) == len(case.labels)


def test_truth_may_lie_in_an_archive(lay_out: Write) -> None:
    case = CASES[0]
    tables = {f"truth/{name}": text for name, text in case.tables.items()}
    root = lay_out(tables, case.images)
    packed(root, "truth", "ISIC_2019_Training_GroundTruth.zip")
    assert tuple(open_catalog(root).table["label"]) == case.labels


def parquet(path: Path, columns: dict[str, list[Any]], names: Sequence[str] = ()) -> None:
    """A parquet file as `datasets` writes it; `names` are those of the numbered labels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table(columns)
    features = {"label": {"names": list(names), "_type": "ClassLabel"}} if names else {}
    stored = json.dumps({"info": {"features": features}}).encode()
    pq.write_table(table.replace_schema_metadata({b"huggingface": stored}), path, row_group_size=2)


def test_parquet_of_a_public_data_set(tmp_path: Path, pictures: Sequence[bytes]) -> None:
    def rows(ids: Sequence[int]) -> dict[str, list[Any]]:
        dx = ["melanoma", "melanocytic_Nevi", "benign_keratosis-like_lesions"]
        return {
            "image": [{"bytes": pictures[number], "path": None} for number in ids],
            "image_id": [f"ISIC_000000{number}" for number in ids],
            "lesion_id": [f"HAM_000000{number // 2}" for number in ids],
            "dx": [dx[number // 2] for number in ids],
            "dx_type": ["histo"] * len(ids),
            "age": [40.0, None, 50.0, 60.0][: len(ids)],
            "sex": ["male"] * len(ids),
            "localization": ["back"] * len(ids),
        }

    parquet(tmp_path / "data/train-00000-of-00001.parquet", rows([0, 1, 2, 4]))
    parquet(tmp_path / "data/test-00000-of-00001.parquet", rows([4, 5]))
    catalog = open_catalog(tmp_path)
    assert catalog.name == "HAM10000"
    assert dict(zip(catalog.image_ids, catalog.table["label"], strict=True)) == {
        "ISIC_0000000": "mel",
        "ISIC_0000001": "mel",
        "ISIC_0000002": "nv",
        "ISIC_0000004": "bkl",
        "ISIC_0000005": "bkl",
    }
    assert catalog.table["lesion_id"].nunique() == 3
    assert set(catalog.table["split"]) == {"train", "test", "test+train"}
    assert any("1 in test and train" in note for note in catalog.notes), catalog.notes
    assert any("50 % of the images of test are in train, too." in note for note in catalog.notes)
    checked = check_catalog(catalog)
    assert not checked.bad
    files = [hashlib.sha256(picture).hexdigest() for picture in pictures]
    assert list(checked.contents.files) == [files[int(name[-1])] for name in catalog.image_ids]
    assert open_catalog(tmp_path / "data/test-00000-of-00001.parquet").classes == ("bkl",)
    damaged = tmp_path / "data/test-00001-of-00002.parquet"
    damaged.write_bytes(b"PAR1" + bytes(range(100)))
    for path in (tmp_path / "data", damaged):
        with pytest.raises(DermaugError, match="not a readable parquet file") as caught:
            open_catalog(path)
        assert str(damaged) in str(caught.value)


def test_parquet_with_numbered_labels(tmp_path: Path, pictures: Sequence[bytes]) -> None:
    images = [{"bytes": picture, "path": f"{n}.jpg"} for n, picture in enumerate(pictures[:4])]
    columns: dict[str, list[Any]] = {"image": images, "label": [0, 1, 1, 0]}
    parquet(tmp_path / "default/train/0000.parquet", columns, ("benign", "malignant"))
    catalog = open_catalog(tmp_path)
    assert catalog.table["label"].tolist() == ["benign", "malignant", "malignant", "benign"]
    assert catalog.image_ids[0] == "0000-000000"
    assert not check_catalog(catalog).bad


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_without_their_table_images_are_refused(lay_out: Write, case: Case) -> None:
    with pytest.raises(DermaugError):
        open_catalog(lay_out({}, case.images))


def test_what_it_was_recognised_by_is_told(lay_out: Write) -> None:
    root = lay_out(CASES[0].tables, CASES[0].images)
    assert recognised_as(root) == (
        "Recognised as ISIC 2019 by the columns image, MEL, NV, BCC, AK, BKL, DF, VASC, SCC, UNK "
        "of ISIC_2019_Training_GroundTruth.csv."
    )


def test_folders_of_images_are_read_by_the_table_beside_them(lay_out: Write) -> None:
    case = CASES[NAMES.index("PAD-UFES-20")]
    root = lay_out(case.tables, case.images)
    assert open_catalog(root / "images").table.equals(open_catalog(root).table)


def test_folders_of_images_with_a_table_near_them_are_no_classes(lay_out: Write) -> None:
    case = CASES[NAMES.index("Derm7pt")]
    with pytest.raises(DermaugError, match="not a supported data set") as caught:
        open_catalog(lay_out(case.tables, case.images) / "images")
    found = [line for line in caught.value.details if "meta.csv is a table beside images" in line]
    assert "or the table instead of images" in found[0]


def test_a_column_that_changed_its_name_is_refused(lay_out: Write) -> None:
    case = CASES[NAMES.index("Fitzpatrick17k")]
    tables = {name: text.replace("md5hash", "hash") for name, text in case.tables.items()}
    with pytest.raises(DermaugError, match="not a supported data set") as caught:
        open_catalog(lay_out(tables, case.images))
    assert any("fitzpatrick17k.csv is a table of no known" in line for line in caught.value.details)
    assert not any("did you mean" in line for line in caught.value.details)


def test_without_lesions_beside_it_isic_2019_is_read_ungrouped(lay_out: Write) -> None:
    case = CASES[0]
    tables = {"ISIC_2019_Training_GroundTruth.csv": ISIC_2019_TRUTH}
    catalog = open_catalog(lay_out(tables, case.images))
    assert not catalog.grouped
    assert "Lesions are unknown: each image counts as its own lesion." in catalog.notes


def test_of_several_parts_one_is_named(lay_out: Write) -> None:
    case = CASES[0]
    test = {
        name.replace("Training", "Test"): text.replace("ISIC_00", "ISIC_99")
        for name, text in case.tables.items()
    }
    files = tuple(
        f"ISIC_2019_Test_Input/{name.replace('ISIC_00', 'ISIC_99')}.jpg"
        for name in ISIC_2019_IMAGES
    )
    root = lay_out(case.tables | test, case.images + files)
    with pytest.raises(DermaugError, match="expected one table with labels, found 2"):
        open_catalog(root)
    for path in ("ISIC_2019_Test_Input", "ISIC_2019_Test_GroundTruth.csv"):
        assert set(open_catalog(root / path).image_ids) < {Path(file).stem for file in files}


def test_training_and_test_of_ham10000_are_offered_by_name(lay_out: Write) -> None:
    case = CASES[NAMES.index("HAM10000")]
    own = (
        "lesion_id,image_id,dx,dx_type,age,sex,localization\n"
        "HAM_0000000,ISIC_0000001,nv,follow_up,40.0,female,back\n"
    )
    training = "HAM10000_images_part_1/ISIC_0000001.jpg"
    root = lay_out(case.tables | {"HAM10000_metadata.csv": own}, (*case.images, training))
    with pytest.raises(DermaugError, match="expected one table with labels, found 2"):
        open_catalog(root)
    for path in ("HAM10000_metadata.csv", "HAM10000_images_part_1"):
        assert open_catalog(root / path).image_ids.tolist() == ["ISIC_0000001"]
    for path in ("ISIC2018_Task3_Test_GroundTruth.csv", "ISIC2018_Task3_Test_Images"):
        assert open_catalog(root / path).image_ids.tolist() == ["ISIC_0034524", "ISIC_0034525"]


HAM10000 = "image_id,lesion_id,dx,dx_type\n"
FILLED_UP = HAM10000.replace(",lesion_id", ",patient_id,lesion_id")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a,l1,nv,histo\n", "a,,l1,nv,histo\nb,p,,Naevus,\nc,q,,Seborrheic keratosis,\n"),
        ("a,l1,nv,histo\n", "a,,l1,nv,histo\nb,p,,nevus,\nc,q,,bkl,\nd,q,,unknown,\n"),
    ],
)
def test_the_table_that_names_all_images_is_read(lay_out: Write, old: str, new: str) -> None:
    images = tuple(f"images/{row[0]}.jpg" for row in new.splitlines())
    root = lay_out({"old.csv": HAM10000 + old, "all.csv": FILLED_UP + new}, images)
    catalog = open_catalog(root)
    assert catalog.table["label"].tolist() == ["nv", "nv", "bkl"]
    assert "old.csv is not read: all.csv names all its images, with equal labels." in catalog.notes
    assert recognised_as(root).endswith(" of all.csv.")


@pytest.mark.parametrize("old", ["a,l1,mel,histo\n", "d,l1,nv,histo\n"])
def test_tables_that_contradict_each_other_are_asked_about(lay_out: Write, old: str) -> None:
    tables = {"old.csv": HAM10000 + old, "all.csv": FILLED_UP + "a,,l1,nv,\nb,p,,nv,\n"}
    with pytest.raises(DermaugError, match="expected one table with labels, found 2"):
        open_catalog(lay_out(tables, ("a.jpg", "b.jpg", "d.jpg")))


def test_a_table_of_another_data_set_is_suspected(lay_out: Write) -> None:
    case = CASES[NAMES.index("DDI")]
    rows = "".join(f"{n},{n},{n:06d}.png,12,{n % 2 == 0},x\n" for n in range(5))
    header = case.tables["ddi_metadata.csv"].splitlines()[0]
    files = tuple(f"ISIC_000000{n}.jpg" for n in range(4))
    with pytest.raises(DermaugError) as caught:
        open_catalog(lay_out({"ddi_metadata.csv": f"{header}\n{rows}"}, files))
    (line,) = caught.value.details
    assert line.startswith("no image file for 5 rows (000000.png, ")
    assert line.endswith("none of the 4 images that are there: is it that of another data set?")


def test_an_unknown_label_is_refused(lay_out: Write) -> None:
    case = CASES[NAMES.index("PAD-UFES-20")]
    tables = {name: text.replace(",NEV,", ",NEVUS,") for name, text in case.tables.items()}
    with pytest.raises(DermaugError) as caught:
        open_catalog(lay_out(tables, case.images))
    assert caught.value.details[0].startswith("PAD-UFES-20 has no labels NEVUS (1); its classes ")


@pytest.mark.parametrize(
    ("labels", "read", "said"),
    [
        ({"SCC": "akiec"}, ("nv", "mel", "akiec", "akiec", "akiec"), "SCC = akiec."),
        ({"SCC": "SCC"}, ("nv", "mel", "akiec", "akiec", "SCC"), "Label map: AK = akiec, MEL"),
        ({"AK": ""}, ("nv", "mel"), "Left out 3 images by label: AK (2), SCC (1)."),
        ({"akiec": ""}, ("nv", "mel"), "Left out 3 images by label: AK (2), SCC (1)."),
        ({"akiec": "cancer", "MEL": "cancer"}, ("nv", "cancer", "cancer", "cancer"), "MEL = canc"),
    ],
)
def test_labels_are_mapped_as_the_user_wants(
    lay_out: Write, labels: dict[str, str], read: tuple[str, ...], said: str
) -> None:
    catalog = open_catalog(lay_out(CASES[0].tables, CASES[0].images), Reading(labels))
    assert tuple(catalog.table["label"]) == read
    assert catalog.classes == tuple(sorted(set(read)))
    assert any(said in note for note in catalog.notes), catalog.notes


def test_an_unknown_label_can_be_named(lay_out: Write) -> None:
    case = CASES[NAMES.index("PAD-UFES-20")]
    tables = {name: text.replace(",NEV,", ",NEVUS,") for name, text in case.tables.items()}
    root = lay_out(tables, case.images)
    assert open_catalog(root, Reading({"NEVUS": "nv"})).classes == ("akiec", "bcc", "nv")
    assert open_catalog(root, Reading({"NEVUS": ""})).classes == ("akiec", "bcc")


@pytest.mark.parametrize(
    ("there", "cause"),
    [
        ("images/imgs_part_1/PAT_{}.png images/imgs_part_3/X.png", "part_2 seems to be missing"),
        ("", "there are no images in"),
    ],
)
def test_many_missing_images_have_one_cause(lay_out: Write, there: str, cause: str) -> None:
    header = "patient_id,lesion_id,diagnostic,img_id\n"
    rows = "".join(f"P{number},L{number},NEV,PAT_{number}.png\n" for number in range(120))
    files = there.format(1).replace("X", "PAT_2").split()
    root = lay_out({"metadata.csv": header + rows}, files)
    with pytest.raises(DermaugError) as caught:
        open_catalog(root)
    line = caught.value.details[0]
    assert line.startswith(f"no image file for {120 - len(files)} rows (PAT_0.png, PAT_")
    assert cause in line
    if files:
        catalog = open_catalog(root, Reading(unclear="leave_out"))
        assert len(catalog) == len(files)
        assert f"rows without an image: {120 - len(files)} (PAT_0.png" in catalog.notes[-1]
