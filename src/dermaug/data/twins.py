"""Equal images that are told apart: under several labels, or under several lesions."""

import json
from collections.abc import Sequence

import pandas as pd

from dermaug.data.catalog import Catalog
from dermaug.data.grouping import equal_links
from dermaug.errors import DermaugError

NAMED = 10
"""Images that an error proposes to leave out and names."""


def contradictions(catalog: Catalog, pixels: Sequence[str]) -> list[tuple[str, ...]]:
    """Images of equal pixels that carry several labels: ids, in the catalog's order.

    Args:
        catalog: The data set.
        pixels: `Contents.pixels` of its images.
    """
    labels = catalog.table["label"]
    found = pd.DataFrame({"image": catalog.image_ids, "label": labels, "pixels": list(pixels)})
    spoken = found.groupby("pixels")["label"].transform("nunique") > 1
    return [tuple(images) for _, images in found[spoken].groupby("pixels", sort=False)["image"]]


def contradiction_lines(catalog: Catalog, groups: Sequence[tuple[str, ...]]) -> list[str]:
    """One line for each of `contradictions`: the images with their labels."""
    label_of = dict(zip(catalog.image_ids, catalog.table["label"], strict=True))
    return [", ".join(f"{image} ({label_of[image]})" for image in images) for images in groups]


def refuse_contradictions(catalog: Catalog, pixels: Sequence[str]) -> None:
    """Raise when one image carries two labels; arguments as for `contradictions`.

    Raises:
        DermaugError: Names the images, and how to leave them out.
    """
    if not (found := contradictions(catalog, pixels)):
        return
    raise DermaugError(
        f"{catalog.name}: {sum(map(len, found))} images are identical to another image but have a "
        "different label, so one of the labels is wrong; correct it, or leave them out: "
        f"{exclusion([image for group in found for image in group])}",
        contradiction_lines(catalog, found),
    )


def exclusion(images: Sequence[str]) -> str:
    """The entry of an experiment that leaves out some images, of which `NAMED` at most are shown.

    Example:
        >>> print(exclusion(["a", "b"]))
        data.exclude = ["a", "b"]
    """
    shown = json.dumps(images[:NAMED], ensure_ascii=False)[:-1]
    return f"data.exclude = {shown}{', ...' if len(images) > NAMED else ''}]"


def equal_sentence(catalog: Catalog, pixels: Sequence[str]) -> str:
    """One sentence on equal images of different groups, or "" when there are none.

    Args:
        catalog: The data set before such groups are united.
        pixels: `Contents.pixels` of its images.
    """
    first, second = equal_links(pixels)
    apart = catalog.groups[first] != catalog.groups[second]
    if not apart.any():
        return ""
    images = set(first[apart]) | set(second[apart])
    example = f"{catalog.image_ids[first[apart][0]]} and {catalog.image_ids[second[apart][0]]}"
    return (
        f"{len(images):,} images of different {catalog.unit}s have equal pixels (for example "
        f"{example}); these {catalog.unit}s stay in one split."
    )
