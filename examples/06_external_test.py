"""Hold back one lesion in ten as an external test, in the layout of the ISIC 2018 test part.

    python examples/06_external_test.py PATH/TO/HAM10000 data/held-back
    dermaug run experiments/controls.toml --data data/held-back/HAM10000 \
        --set 'data.external_test=["data/held-back/ISIC2018"]'

An external test should come from elsewhere. Where there is none, lesions that no fold ever sees are
the next best: same clinics, same cameras, other patients.
"""

import hashlib
import sys
from pathlib import Path

import pandas as pd

from dermaug.data.sources import open_catalog
from dermaug.data.sources.isic2018 import LABELS


def hold_back(source: Path, output: Path, one_in: int = 10) -> tuple[int, int]:
    """Split a HAM10000 folder by lesion into links; gives the images kept and held back."""
    table = open_catalog(source).table
    held_back = table["lesion_id"].map(lambda lesion: _digest(lesion) % one_in == 0)
    places = {
        False: output / "HAM10000/HAM10000_images",
        True: output / "ISIC2018/ISIC2018_Task3_Test_Input",
    }
    for folder in places.values():
        folder.mkdir(parents=True)
    for held, image in zip(held_back, map(Path, table["path"]), strict=True):
        (places[held] / image.name).symlink_to(image.resolve())
    (metadata,) = source.glob("HAM10000_metadata*")
    rows = pd.read_csv(metadata, dtype=str, keep_default_na=False)
    kept = set(table["image_id"][~held_back])
    rows[rows["image_id"].isin(kept)].to_csv(output / "HAM10000/HAM10000_metadata.csv", index=False)
    tested = table[held_back]
    truth = pd.DataFrame({"image": tested["image_id"]})
    for column, label in LABELS.items():
        truth[column] = (tested["label"] == label).astype(float)
    truth.to_csv(output / "ISIC2018/ISIC2018_Task3_Test_GroundTruth.csv", index=False)
    return int((~held_back).sum()), int(held_back.sum())


def _digest(lesion: str) -> int:
    return int(hashlib.sha256(lesion.encode()).hexdigest(), 16)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    kept, held = hold_back(Path(sys.argv[1]), Path(sys.argv[2]))
    print(f"{kept} images to study, {held} held back")
