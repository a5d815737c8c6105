"""Photographs of phantoms as people have them: odd names, several sizes, JPEG and PNG."""

from pathlib import Path

import pytest
from PIL import Image

from dermaug.config import PhantomConfig
from dermaug.data.sources import open_catalog
from dermaug.data.sources.phantom import write_phantoms

NUMBERS = {"nv": ("Nävus (gutartig)", 24), "mel": ("Melanom", 12), "df": ("DF", 5)}


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three folders: 24 nevi, 12 melanomas and 5 dermatofibromas, and a file that is no image."""
    root = tmp_path_factory.mktemp("photographs")
    phantoms = write_phantoms(root / "phantoms", PhantomConfig(number=168, balanced=True), 48)
    table = open_catalog(phantoms).table
    for label, (name, number) in NUMBERS.items():
        folder = root / "My photographs (März)" / name
        folder.mkdir(parents=True)
        for place, path in enumerate(table[table["label"] == label]["path"][:number]):
            side = (40, 56, 72)[place % 3]
            with Image.open(path) as image:
                resized = image.convert("RGB").resize((side + 8, side))
            resized.save(folder / (f"IMG {place}.JPG", f"scan-{place}ä.png")[place % 2])
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 no image")
    return root / "My photographs (März)"
