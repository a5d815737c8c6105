"""Synthetic sets for other tools: one PNG file per image, with labels and provenance."""

from pathlib import Path

import torch

from dermaug.console import Advance
from dermaug.output_places import require_new_folder
from dermaug.seeding import derive_seed
from dermaug.synthesis.sampling import load_sampler, sample_batches
from dermaug.synthesis.synthetic_set import Provenance, write_png_set
from dermaug.training.checkpoint import checkpoint_digest


def generate_folder(
    checkpoint: Path,
    label: str,
    number: int,
    seed: int,
    output: Path,
    device: torch.device,
    advance: Advance | None = None,
) -> None:
    """Draw images of one class into a folder of PNG files, metadata.csv and a manifest.

    Args:
        checkpoint: A trained generator.
        label: One of its classes.
        number: Number of images.
        seed: Seed of the latents; the same seed gives the same images.
        output: Folder to create, atomically.
        device: Device of the generator.
        advance: Called with the number of images drawn.

    Raises:
        DermaugError: The class or the checkpoint is invalid, or the folder is not empty.
    """
    require_new_folder(output)
    sampler, spec = load_sampler(checkpoint, label, device)
    latent_seed = derive_seed("generate", seed)
    provenance = Provenance(
        spec.config.key,
        checkpoint_digest(checkpoint),
        latent_seed,
        spec.fold_key,
        spec.training_images,
        spec.validation_images,
    )
    batches = sample_batches(sampler, spec.classes.index(label), number, latent_seed, advance)
    write_png_set(output, batches, (label,) * number, provenance)
