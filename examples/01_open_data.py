"""Stage 1: read a data set, decode its images, and split it into folds by lesion.

Writes runs/examples/phantoms (the images) and runs/examples/folds.json.
"""

from pathlib import Path

from dermaug.config import DataConfig, PhantomConfig, SplitConfig
from dermaug.data.dataset import open_dataset, read_pixels
from dermaug.data.description import describe
from dermaug.data.fold_files import write_folds
from dermaug.data.grouping import equal_links
from dermaug.data.sources.phantom import write_phantoms
from dermaug.data.splits import make_folds
from dermaug.training.grids import save_contact_sheet

OUTPUT = Path("runs/examples")
IMAGES = OUTPUT / "phantoms"  # or the folder of your own data set
SIZE = 32

if not IMAGES.exists():
    write_phantoms(IMAGES, PhantomConfig(number=420, seed=0, balanced=True), SIZE)

# Three classes are enough for an example; an empty tuple keeps all classes.
config = DataConfig(source=str(IMAGES), size=SIZE, classes=("bkl", "mel", "nv"))
store = read_pixels(open_dataset(config), config)
catalog = store.catalog
description = describe(catalog, store.images)
print(f"{catalog.name}: {len(catalog)} images, decoded to {store.images.shape}")
print(description.classes)
print(description.images_per_lesion)

# Lesions (or patients, if known) stay in one split, and so do lesions that share an image.
catalog = catalog.united(*equal_links(store.contents.pixels))
folds = make_folds(catalog, SplitConfig(folds=3, run=(0,)))
write_folds(OUTPUT / "folds.json", folds)
for part in ("train", "validation", "test"):
    print(f"fold 0, {part}: {len(getattr(folds[0], part))} images")

save_contact_sheet(OUTPUT / "real.png", store.images[:40])
print(f"written: {OUTPUT / 'folds.json'} and {OUTPUT / 'real.png'}")
