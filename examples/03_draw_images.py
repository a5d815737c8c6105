"""Stage 3: draw images from the generator, with their provenance.

Requires the output of 02_train_generator.py. Writes runs/examples/synthetic: PNG files,
metadata.csv and a manifest with the generator, the fold and the images it was trained on.
"""

from pathlib import Path

from dermaug.generators.saved_generator import load_generator
from dermaug.seeding import derive_seed
from dermaug.synthesis.sampling import sample
from dermaug.synthesis.synthetic_set import Provenance, SyntheticSet, write_synthetic_set
from dermaug.training.checkpoint import checkpoint_digest
from dermaug.training.fabric import start_fabric
from dermaug.training.file_names import GENERATOR
from dermaug.training.grids import save_contact_sheet

OUTPUT = Path("runs/examples")
LABEL = "mel"
NUMBER = 60

checkpoint = OUTPUT / "generator" / GENERATOR
sampler, spec = load_generator(checkpoint, start_fabric("cpu").device)

# Image k does not depend on how many are drawn, so a small dose is a subset of a larger one.
seed = derive_seed("examples", "latents")
images = sample(sampler, spec.classes.index(LABEL), NUMBER, seed)

provenance = Provenance(
    family=spec.config.family,
    generator=checkpoint_digest(checkpoint),
    seed=seed,
    fold_key=spec.fold_key,
    training_images=spec.training_images,
    validation_images=spec.validation_images,
)
synthetic = SyntheticSet(images, (LABEL,) * NUMBER, provenance)
write_synthetic_set(OUTPUT / "synthetic", synthetic, layout="png")
save_contact_sheet(OUTPUT / "synthetic.png", images[:40])
print(f"{NUMBER} images of {LABEL} from a generator that saw {len(spec.training_images)} images")
print(f"written: {OUTPUT / 'synthetic'} and {OUTPUT / 'synthetic.png'}")
