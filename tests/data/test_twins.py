"""What contradicts itself is named with its images, and with a way out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dermaug.config import DataConfig
from dermaug.data.catalog import COLUMNS, Catalog
from dermaug.data.selection import select
from dermaug.data.twins import contradictions, equal_sentence, refuse_contradictions
from dermaug.errors import DermaugError


def catalog_of(labels: list[str]) -> Catalog:
    table = pd.DataFrame(dict.fromkeys(COLUMNS, ""), index=range(len(labels)))
    table = table.assign(
        image_id=[f"i{row}" for row in range(len(labels))],
        lesion_id=[f"L{row}" for row in range(len(labels))],
        label=labels,
        age=np.nan,
    )
    return Catalog("Made", Path(), table, tuple(sorted(set(labels))))


def test_equal_images_with_two_labels_are_refused_with_a_way_out() -> None:
    catalog = catalog_of(["mel", "nv", "mel", "nv", "nv", "df"])
    pixels = ["a", "b", "a", "a", "b", "c"]
    assert contradictions(catalog, pixels) == [("i0", "i2", "i3")]
    with pytest.raises(DermaugError, match="3 images are identical to another image") as caught:
        refuse_contradictions(catalog, pixels)
    assert 'data.exclude = ["i0", "i2", "i3"]' in caught.value.message
    assert caught.value.details == ("i0 (mel), i2 (mel), i3 (nv)",)
    left = select(catalog, DataConfig(exclude=("i2", "i3")))
    assert left.notes == ("Left out by data.exclude: 2 images.",)
    refuse_contradictions(left, [pixels[row] for row in (0, 1, 4, 5)])
    with pytest.raises(DermaugError, match="no image 'i9'"):
        select(catalog, DataConfig(exclude=("i9",)))


def test_merged_labels_contradict_each_other_no_longer() -> None:
    catalog = catalog_of(["mel", "bcc", "nv"])
    pixels = ["a", "a", "b"]
    with pytest.raises(DermaugError):
        refuse_contradictions(catalog, pixels)
    refuse_contradictions(select(catalog, DataConfig(groups={"cancer": ("mel", "bcc")})), pixels)


def test_equal_images_of_different_lesions_are_told() -> None:
    catalog = catalog_of(["mel", "mel", "nv"])
    assert equal_sentence(catalog, ["a", "b", "c"]) == ""
    assert equal_sentence(catalog, ["a", "a", "c"]) == (
        "2 images of different lesions have equal pixels (for example i0 and i1); these lesions "
        "stay in one split."
    )


def test_groups_are_told_in_words_as_far_as_they_are_known() -> None:
    catalog = catalog_of(["nv"] * 5)
    table = catalog.table.assign(lesion_id=list("AABCD"), patient_id=["P", "P", "Q", "", ""])
    catalog = replace(catalog, table=table)
    assert catalog.groups_in_words == "2 patients and 2 lesions of unknown patients"
    assert catalog.grouped_by("lesion").groups_in_words == "4 lesions"
    joined = catalog.united(np.array([0]), np.array([3]))
    assert joined.groups_in_words.endswith("of unknown patients in 3 groups")
    unknown = replace(catalog, table=table.assign(patient_id=""), grouped=False)
    assert unknown.groups_in_words == "5 images counted as lesions"
