"""Public lesion data sets that come as images with a table: one descriptor each, in `LAYOUTS`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from dermaug.data.cells import MILK10K, UNKNOWN_WORDS
from dermaug.data.diagnoses import meaning, suspected
from dermaug.data.label_map import DROPPED
from dermaug.data.table_text import point

HAM10000 = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
BINARY = {"0|false|benign": "benign", "1|true|malignant": "malignant"}

TONES = {
    "skin_tone": {"12": "I-II", "34": "III-IV", "56": "V-VI"},
    "skin_tone_class": {str(tone): f"{MILK10K} {tone}" for tone in range(6)},
}
"""Column with skin tones that are not single Fitzpatrick types -> what they are. DDI's are pairs of
types; MILK10k's own scale runs from 0, very dark, to 5, very light."""

CONFIRMED_BY = {
    "histopathology": "histo",
    "serial imaging showing no change": "follow_up",
    "single image expert consensus": "consensus",
    "single contributor clinical assessment": "clinical",
    "confocal microscopy with consensus dermoscopy": "confocal",
}
"""How the ISIC archive calls the ways of confirming a diagnosis -> HAM10000's words."""


@dataclass(frozen=True)
class Layout:
    """How one data set's table names images and labels; its header tells the data set.

    Args:
        name: Of the data set.
        image: Column with the image's id or file name.
        label: Columns with the label, in order of preference; or the one-hot columns.
        labels: Regular expression that a label matches whole, in lower case -> class; `DROPPED`
            leaves its images out. Empty keeps every label as it is.
        meanings: Diagnosis, as `meaning` tells it of labels that `labels` does not name -> class.
        marks: Further columns that the header must have.
        one_hot: Whether each label is a column that holds 1.
        join: Column by which a table beside it tells more of an image or lesion.
        only: Column and value of the rows that are read; others are left out.
        others: Columns that name further images, which are not read.
        drop_rest: Whether labels that `labels` does not name are left out; else they are refused.
        incomplete: Whether most copies lack images: their rows are left out.
        indexes: Tables beside it with the places of the rows, from 0, of each given split.
    """

    name: str
    image: str
    label: tuple[str, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    meanings: Mapping[str, str] = field(default_factory=dict)
    marks: tuple[str, ...] = ()
    one_hot: bool = False
    join: str = ""
    only: tuple[str, str] | None = None
    others: tuple[str, ...] = ()
    drop_rest: bool = False
    incomplete: bool = False
    indexes: tuple[str, ...] = ()

    def fits(self, columns: tuple[str, ...]) -> bool:
        """Whether a header is that of the table with this data set's labels."""
        needed = {*self.marks, *(self.label if self.one_hot else ())}
        needed |= set() if self.join else {self.image}
        return needed.issubset(columns) and any(name in columns for name in self.label)

    def class_of(self, label: str, own: Mapping[str, str]) -> str | None:
        """The class of a label: what the user wants, else what is known of the data set.

        Args:
            label: As written.
            own: Label as written, or class -> class or `DROPPED`.

        Returns:
            `DROPPED` when it is left out, None when neither names it.
        """
        if label in own:
            return own[label]
        if label.lower() in UNKNOWN_WORDS:
            return DROPPED
        name = self._known(label)
        return name if name is None else own.get(name, name)

    def _known(self, label: str) -> str | None:
        if not self.labels:
            return label
        text = point(label.lower()).removesuffix(".0")
        found = (name for key, name in self.labels.items() if re.fullmatch(key, text))
        meant = "" if suspected(label) else self.meanings.get(meaning(label), "")
        return next(found, meant or (DROPPED if self.drop_rest else None))


def _own(*names: str, **others: str) -> dict[str, str]:
    """Map that keeps some labels in lower case and changes others."""
    return {name.lower(): name.lower() for name in names} | others


ISIC_2019 = _own("mel", "nv", "bcc", "bkl", "df", "vasc", ak="akiec", scc=DROPPED, unk=DROPPED)
DIAGNOSES = {
    "melanoma.*|malignant melanocytic proliferations.*": "mel",
    "nevus.*|(blue|clark|combined|congenital|dermal|recurrent|reed or spitz) nevus": "nv",
    "basal cell carcinoma.*": "bcc",
    "(solar or )?actinic keratosis|squamous cell carcinoma in situ.*": "akiec",
    "(seborrheic|pigmented benign|lichen planus like|lichenoid) keratosis": "bkl",
    "solar lentigo|lentigo( nos|, nos)?": "bkl",
    "dermatofibroma": "df",
    "vascular lesion|benign soft tissue proliferations - vascular|(hem)?angioma.*": "vasc",
    "squamous cell carcinoma.*": DROPPED,
}
"""Names of diagnoses in the ISIC archive and Derm7pt -> HAM10000's classes."""

HAM10000_NAMES = {
    "actinic[_ ]keratos[ei]s.*": "akiec",
    "basal[_ ]cell[_ ]carcinoma": "bcc",
    "benign[_ ]keratosis.*": "bkl",
    "dermatofibroma": "df",
    "melanoma": "mel",
    "melanocytic[_ ]nev(i|us)": "nv",
    "vascular[_ ]lesions?": "vasc",
}
"""Names of HAM10000's classes in copies such as `marmal88/skin_cancer` of Hugging Face."""

HAM10000_MEANINGS = {
    "actinic keratosis": "akiec",
    "Bowen's disease": "akiec",
    "basal cell carcinoma": "bcc",
    "benign keratosis": "bkl",
    "seborrheic keratosis": "bkl",
    "solar lentigo": "bkl",
    "dermatofibroma": "df",
    "melanoma": "mel",
    "nevus": "nv",
    "vascular lesion": "vasc",
    "hemangioma": "vasc",
}
"""Diagnosis -> the class that holds it (Tschandl et al. 2018, "Description of diagnostic
categories"); tables in this layout are often filled up with rows of other archives."""

MIDAS = {
    "malignant- ?(ak|sccis)": "akiec",
    "malignant- ?bcc": "bcc",
    "malignant- ?melanoma": "mel",
    "benign- ?melanocytic nevus": "nv",
    "benign- ?seborrheic keratosis": "bkl",
    "benign- ?dermatofibroma": "df",
    "benign- ?hemangioma": "vasc",
}
"""Findings of pathology in MRA-MIDAS -> HAM10000's classes."""

HAM10000_TABLE = Layout(
    "HAM10000",
    "image_id",
    ("dx",),
    _own(*HAM10000) | HAM10000_NAMES,
    HAM10000_MEANINGS,
    marks=("lesion_id", "dx_type"),
)

# The first whose columns a header has: layouts with more columns stand before those with fewer.
LAYOUTS = [
    Layout(
        "ISIC 2019",
        "image",
        ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC", "UNK"),
        ISIC_2019,
        marks=("image",),
        one_hot=True,
        join="image",
    ),
    Layout(
        "ISIC 2018 Task 3",
        "image",
        ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC"),
        _own(*HAM10000),
        marks=("image",),
        one_hot=True,
        join="image",
    ),
    Layout(
        "MILK10k",
        "isic_id",
        ("AKIEC", "BCC", "BEN_OTH", "BKL", "DF", "INF", "MAL_OTH", "MEL", "NV", "SCCKA", "VASC"),
        _own(*HAM10000, ben_oth=DROPPED, inf=DROPPED, mal_oth=DROPPED, sccka=DROPPED),
        marks=("lesion_id",),
        one_hot=True,
        join="lesion_id",
        only=("image_type", "dermoscopic"),
    ),
    Layout("ISIC 2024", "isic_id", ("target",), BINARY, marks=("patient_id",)),
    Layout("ISIC 2024", "isic_id", ("malignant",), BINARY, marks=("isic_id",), join="isic_id"),
    Layout("ISIC 2020", "image_name", ("benign_malignant",), BINARY, marks=("target",)),
    Layout("BCN20000", "bcn_filename", ("diagnosis",), ISIC_2019),
    Layout(
        "PAD-UFES-20",
        "img_id",
        ("diagnostic",),
        _own("bcc", "mel", ack="akiec", nev="nv", sek="bkl", scc=DROPPED),
    ),
    Layout(
        "Derm7pt",
        "derm",
        ("diagnosis",),
        DIAGNOSES,
        marks=("case_num", "clinic"),
        others=("clinic",),
        drop_rest=True,
        indexes=("train_indexes.csv", "valid_indexes.csv", "test_indexes.csv"),
    ),
    Layout("Fitzpatrick17k", "md5hash", ("label",), incomplete=True),
    Layout("DDI", "DDI_file", ("malignant", "malignancy(malig=1)"), BINARY),
    Layout(
        "MRA-MIDAS",
        "midas_file_name",
        ("midas_path",),
        MIDAS,
        only=("midas_distance", "dscope"),
        drop_rest=True,
    ),
    Layout(
        "ISIC archive",
        "isic_id",
        ("diagnosis_3", "diagnosis_2", "diagnosis"),
        DIAGNOSES,
        drop_rest=True,
    ),
    HAM10000_TABLE,
]


def layout_of(columns: tuple[str, ...]) -> Layout | None:
    """The layout whose labels a table with this header holds; None for an own or other table."""
    if {"file_name", "label"}.issubset(columns):
        return None
    return next((layout for layout in LAYOUTS if layout.fits(columns)), None)
