"""Croissant metadata of a data set (MLCommons, version 1.0), which data catalogues read."""

from pathlib import Path
from typing import Any

from dermaug.export.layouts import Layout
from dermaug.export.licences import Licence
from dermaug.files import sha256

FILE = "croissant.json"
_CR = (
    *("citeAs", "column", "conformsTo", "extract", "field", "fileObject", "fileProperty"),
    *("fileSet", "format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField"),
    *("path", "recordSet", "references", "regex", "repeated", "replace", "separator", "source"),
    *("subField", "transform"),
)
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "sc": "https://schema.org/",
    **{name: f"cr:{name}" for name in _CR},
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
}
"""The JSON-LD context that the specification prescribes."""


def croissant(
    folder: Path, layout: Layout, name: str, description: str, licence: Licence, date: str
) -> dict[str, Any]:
    """Describe the files of a folder.

    Args:
        folder: The folder with the files of `layout`.
        layout: Its layout.
        name: Name of the data set.
        description: What it holds.
        licence: Its licence.
        date: Day of publication, ISO 8601.
    """
    main = {
        "@type": "cr:FileObject",
        "@id": layout.main,
        "name": layout.main,
        "contentUrl": layout.main,
        "encodingFormat": layout.encoding,
        "sha256": sha256(folder / layout.main),
    }
    images = {
        "@type": "cr:FileSet",
        "@id": "images",
        "name": "images",
        "encodingFormat": layout.image_type,
        "includes": layout.images,
    }
    records = {
        "@type": "cr:RecordSet",
        "@id": "records",
        "name": "records",
        "description": "One row per image.",
        "field": [_field(layout.main, column) for column in layout.columns],
    }
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": name,
        "description": description,
        "datePublished": date,
        "version": "1.0.0",
        "license": licence.url or licence.words,
        "distribution": [main, *([images] if layout.images else [])],
        **({"recordSet": [records]} if layout.columns else {}),
    }


def _field(file: str, column: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"records/{column}",
        "name": column,
        "dataType": "sc:Text",
        "source": {"fileObject": {"@id": file}, "extract": {"column": column}},
    }
