"""Set aside one lesion in ten as an external test set, in the layout of the ISIC 2018 test set.

    python examples/06_external_test.py PATH/TO/HAM10000 data/set-aside
    dermaug run experiments/controls.toml --data data/set-aside/HAM10000 \
        --set 'data.external_test=["data/set-aside/ISIC2018"]'

An external test set should come from another source. If there is none, lesions that are in no fold
are the next best choice: the same clinics and cameras, but other lesions.
"""

import hashlib
import sys
from pathlib import Path

import pandas as pd

from dermaug.data.sources import open_catalog
from dermaug.data.sources.descriptors import HAM10000


def set_aside(source: Path, output: Path, one_in: int = 10) -> tuple[int, int]:
    """Split a HAM10000 folder by lesion into links; returns how many images each part has."""
    table = open_catalog(source).table
    is_external = table["lesion_id"].map(lambda lesion: _digest(lesion) % one_in == 0)
    places = {
        False: output / "HAM10000/HAM10000_images",
        True: output / "ISIC2018/ISIC2018_Task3_Test_Input",
    }
    for folder in places.values():
        folder.mkdir(parents=True)
    for external, image in zip(is_external, map(Path, table["path"]), strict=True):
        (places[external] / image.name).symlink_to(image.resolve())
    (metadata,) = source.glob("HAM10000_metadata*")
    rows = pd.read_csv(metadata, dtype=str, keep_default_na=False)
    kept = set(table["image_id"][~is_external])
    rows[rows["image_id"].isin(kept)].to_csv(output / "HAM10000/HAM10000_metadata.csv", index=False)
    tested = table[is_external]
    truth = pd.DataFrame({"image": tested["image_id"]})
    for label in HAM10000:
        truth[label.upper()] = (tested["label"] == label).astype(float)
    truth.to_csv(output / "ISIC2018/ISIC2018_Task3_Test_GroundTruth.csv", index=False)
    return int((~is_external).sum()), int(is_external.sum())


def _digest(lesion: str) -> int:
    return int(hashlib.sha256(lesion.encode()).hexdigest(), 16)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    kept, external = set_aside(Path(sys.argv[1]), Path(sys.argv[2]))
    print(f"{kept} images to study, {external} set aside")
