"""Description of a data set in tables: lesions, patients, sites and colours per class."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from dermaug.data.catalog import Catalog
from dermaug.data.cells import UNKNOWN
from dermaug.data.image_rows import Pixels

CHANNELS = ("red", "green", "blue", "grey")
MOST_IMAGES = 6
"""Lesions with at least this many images share a column."""
OLDEST = 80
"""Ages from this one on share a row."""
_CHUNK = 512


@dataclass(frozen=True, eq=False)
class Description:
    """Tables with the classes as columns, or as rows if that is easier to read.

    Args:
        classes: Class -> images, lesions and patients where these are known, and the share of all
            images in percent.
        images_per_lesion: Class -> number of lesions with 1, 2, ... images; empty where lesions
            are unknown.
        age: Decade of life, or unknown -> images of each class.
        sex: female, male, unknown -> images of each class.
        localization: Body site -> images of each class, the most frequent first.
        skin_tone: Skin tone by the data's own scale -> images of each class.
        dx_type: How the diagnosis was made -> images of each class, the most frequent first.
        colour: Class -> mean and standard deviation over its images of each image's mean red,
            green, blue and grey, 0 to 255.
    """

    classes: pd.DataFrame
    images_per_lesion: pd.DataFrame
    age: pd.DataFrame
    sex: pd.DataFrame
    localization: pd.DataFrame
    skin_tone: pd.DataFrame
    dx_type: pd.DataFrame
    colour: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """Title -> table, in the order of reading; without those in which all is unknown."""
        patients = {
            "Images by age": self.age,
            "Images by sex": self.sex,
            "Images by body site": self.localization,
            "Images by skin tone": self.skin_tone,
            "Images by type of diagnostic confirmation": self.dx_type,
        }
        known = {name: table for name, table in patients.items() if is_known(table)}
        lesions = {"Lesions by their number of images": self.images_per_lesion}
        return {
            "Images and lesions" if "lesions" in self.classes else "Images": self.classes,
            **(lesions if len(self.images_per_lesion) else {}),
            **known,
            "Colour of the images (0 to 255)": self.colour,
        }


def is_known(table: pd.DataFrame) -> bool:
    """Whether a table by age, sex or the like has a row other than unknown."""
    return bool(set(table.index) - {UNKNOWN})


def describe(catalog: Catalog, images: Pixels) -> Description:
    """Count and measure a data set.

    Args:
        catalog: The data set.
        images: Its pixels in its order, as in `PixelStore.images`.
    """
    return Description(
        classes=_classes(catalog),
        images_per_lesion=_images_per_lesion(catalog),
        age=_by_class(catalog, _decades(catalog.table["age"])),
        sex=_by_class(catalog, catalog.table["sex"]),
        localization=_by_class(catalog, catalog.table["localization"], frequent_first=True),
        skin_tone=_by_class(catalog, catalog.table["skin_tone"]),
        dx_type=_by_class(catalog, catalog.table["dx_type"], frequent_first=True),
        colour=_colour(catalog, images),
    )


def image_colours(images: Pixels) -> Float[np.ndarray, "n 4"]:
    """Mean red, green, blue and grey (Rec. 601 luma) of each image, 0 to 255.

    Example:
        >>> image_colours(np.full((1, 2, 2, 3), 100, np.uint8))
        array([[100., 100., 100., 100.]])
    """
    starts = range(0, len(images), _CHUNK)  # a memory-mapped array may not fit in memory as floats
    means = [images[start : start + _CHUNK].mean(axis=(1, 2)) for start in starts]
    colours = np.concatenate(means) if means else np.zeros((0, 3))
    return np.column_stack([colours, colours @ np.array([0.299, 0.587, 0.114])])


def class_counts(catalog: Catalog) -> pd.DataFrame:
    """Class -> images, and lesions and patients where they are known."""
    labels, patients = catalog.table["label"], catalog.table["patient_id"]
    counts = {"images": labels.value_counts()}
    if catalog.grouped:
        counts["lesions"] = catalog.table["lesion_id"].groupby(labels).nunique()
    if (patients != "").any():
        counts["patients"] = patients[patients != ""].groupby(labels).nunique()
    table = pd.DataFrame(counts).reindex(list(catalog.classes)).fillna(0).astype(int)
    return table.rename_axis("class")


def _classes(catalog: Catalog) -> pd.DataFrame:
    table = class_counts(catalog)
    table["share_percent"] = (100 * table["images"] / max(1, len(catalog))).round(1)
    return table


def _images_per_lesion(catalog: Catalog) -> pd.DataFrame:
    if not catalog.grouped:
        return pd.DataFrame()
    table = catalog.table[["lesion_id", "label"]].set_axis(["lesion", "label"], axis=1)
    sizes = table.groupby(["label", "lesion"]).size().clip(upper=MOST_IMAGES)
    counts = pd.crosstab(sizes.index.get_level_values("label"), sizes.to_numpy())
    columns = range(1, int(sizes.max()) + 1 if len(sizes) else 2)
    counts = counts.reindex(index=list(catalog.classes), columns=list(columns), fill_value=0)
    names = [f"{number}+" if number == MOST_IMAGES else str(number) for number in columns]
    return counts.set_axis(names, axis=1).rename_axis("class")


def _decades(age: pd.Series) -> pd.Series:
    starts = (age.astype(float) // 10 * 10).clip(upper=OLDEST)
    names = {float(start): f"{start}-{start + 9}" for start in range(0, OLDEST, 10)}
    return starts.map(names | {float(OLDEST): f"{OLDEST}+"}).fillna("unknown")


def _by_class(catalog: Catalog, values: pd.Series, *, frequent_first: bool = False) -> pd.DataFrame:
    """Images of each class by a column's value: sorted by name or frequency, unknown last."""
    values = values.astype(str).replace("", UNKNOWN)
    counts = pd.crosstab(values.to_numpy(), catalog.table["label"].to_numpy())
    counts = counts.reindex(columns=list(catalog.classes), fill_value=0)
    if frequent_first:
        counts = counts.loc[counts.sum(axis=1).sort_values(ascending=False, kind="stable").index]
    known = [name for name in counts.index if name != "unknown"]
    order = [*known, *(["unknown"] if "unknown" in counts.index else [])]
    return counts.loc[order].rename_axis(index=str(values.name), columns="class")


def _colour(catalog: Catalog, images: Pixels) -> pd.DataFrame:
    table = pd.DataFrame(image_colours(images), columns=list(CHANNELS))
    grouped = table.groupby(catalog.table["label"].to_numpy())
    mean = grouped.mean().add_suffix("_mean")
    spread = grouped.std(ddof=0).add_suffix("_std")
    columns = [f"{channel}_{kind}" for channel in CHANNELS for kind in ("mean", "std")]
    both = mean.join(spread)[columns].reindex(list(catalog.classes))
    return both.round(1).rename_axis("class")
