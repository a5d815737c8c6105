"""The whole way with the functions of `import dermaug`: a study, its images, their audit.

Requires the output of 01_open_data.py. Writes runs/examples/study. After so short a training on so
few images, its verdicts say nothing about synthetic images.
"""

from pathlib import Path

import dermaug

OUTPUT = Path("runs/examples")
EXPERIMENT = """
name = "example"
seeds = [0, 1]

[data]
source = "runs/examples/phantoms"
size = 32
classes = ["bkl", "mel", "nv"]

[splits]
folds = 3
run = [0]

[[classifiers]]
images = 1_600
batch = 16

[[generators]]
classes = ["mel"]
images = 1_600
batch = 16
width = 8

[[arms]]
name = "classic"
policy = "standard"

[[arms]]
name = "classic+synthetic"
policy = "standard"
synthetic = { dose = 20 }
"""

store = dermaug.open_data(OUTPUT / "phantoms", size=32, classes=("bkl", "mel", "nv"))
print(f"{len(store.catalog)} images of {store.catalog.num_classes} classes")

file = OUTPUT / "example.toml"
file.write_text(EXPERIMENT, encoding="utf-8")
run = dermaug.train(file, OUTPUT / "study", device="cpu")  # resumes if it was interrupted

generator = run / "generators/dcgan/fold0-seed0/mel"
images = dermaug.generate(generator, "mel", number=8, seed=0)
print(f"drawn: {images.shape}, {images.dtype}")

classifier = run / "classifiers/classic/fridadar/fold0-seed0"
numbers = dermaug.audit(generator / "synthetic", OUTPUT / "phantoms", classifier)
print(numbers[["label", "kid", "kid_floor", "copies", "visible_share"]].to_string(index=False))

print(dermaug.compare(run)[["arm", "reference", "difference", "low", "high", "verdict"]])
