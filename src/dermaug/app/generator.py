"""The tab in which generators draw: classes, seeds, paths, variations, translations."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from dermaug.app.opened import Captioned, Opened
from dermaug.app.safety import new_folder
from dermaug.data.class_names import class_words
from dermaug.errors import DermaugError
from dermaug.experiment.run.layout import JobFolder
from dermaug.experiment.run.results import GeneratorResult
from dermaug.generators.family import Sampler, draw
from dermaug.output_places import require_writable
from dermaug.seeding import derive_seed
from dermaug.synthesis.sampling import latent_batches
from dermaug.synthesis.synthetic_set import Provenance, SyntheticSet, write_synthetic_set
from dermaug.synthesis.translation import translated
from dermaug.synthesis.walks import alike, walk
from dermaug.training.checkpoint import checkpoint_digest

MOST_IMAGES = 64
LARGEST_SEED = 2**31 - 1
PATH_STEPS = 11
TENTHS = 3
"""How far images like a chosen one lie from it, on the way to other random latents."""
SAMPLE = 24


@dataclass(frozen=True, eq=False)
class Drawn:
    """Images that the page has drawn.

    Args:
        generator: Their generator and class.
        images: The images.
        seed: Seed of the latents.
        latents: Name of the latent of each.
        how: How they were drawn, for the reader and the provenance.
        points: Their latents; None if a latent alone does not give the image.
        started_from: Ids of the training images that were translated.
    """

    generator: GeneratorResult
    images: UInt8[np.ndarray, "n s s 3"]
    seed: int
    latents: tuple[str, ...]
    how: str
    points: Float[Tensor, "n latent"] | None
    started_from: tuple[str, ...] = ()


def draw_class(
    opened: Opened, generator: GeneratorResult, number: int, seed: int, truncation: float = 1.0
) -> Drawn:
    """Draw images of a class; without truncation, those of `dermaug generate` with this seed.

    The latents are multiplied by `truncation`, above 0 and at most 1; 1 changes nothing.

    Raises:
        DermaugError: The family has no truncation, or the factor is out of range.
    """
    sampler, label = _network(opened, generator)
    if not 0.0 < truncation <= 1.0:
        raise DermaugError("truncation: expected a number above 0, up to 1")
    if truncation != 1.0 and not sampler.truncates:
        raise DermaugError(f"the family of {generator.family} has no truncation; leave it at 1")
    latents, own = _latents(sampler, number, seed)
    cut = f", latents multiplied by {truncation:g} (truncation)" if truncation != 1.0 else ""
    names = tuple(f"{own}-{place}" for place in range(number))
    points, how = truncation * latents, f"drawn with seed {seed}{cut}"
    return _drawn(generator, sampler, label, points, own, names, how)


def draw_path(opened: Opened, generator: GeneratorResult, seed: int) -> Drawn:
    """Draw the images on a path between two random latents of a class."""
    sampler, label = _network(opened, generator)
    points = walk(sampler, label, 1, seed, PATH_STEPS)[0]
    names = tuple(f"path-{seed}-{step}/{PATH_STEPS}" for step in range(len(points)))
    how = f"interpolation between two random latents of seed {seed}: {len(points)} images"
    return _drawn(generator, sampler, label, points, seed, names, how)


def draw_alike(opened: Opened, drawn: Drawn, chosen: int, number: int) -> Drawn:
    """Draw images near one that the page has drawn: at `TENTHS` of the way to random latents.

    Raises:
        DermaugError: There is no such image, or it has no latent alone (a translated one).
    """
    sampler, label = _network(opened, drawn.generator)
    if drawn.points is None:
        raise DermaugError("a translated image has no latent of its own; draw some and choose one")
    if not 0 <= chosen < len(drawn.images):
        raise DermaugError(f"expected one of the {len(drawn.images)} images that are shown")
    points = alike(sampler, drawn.points[chosen], number, drawn.seed, TENTHS)
    origin = drawn.latents[chosen]
    names = tuple(f"{origin}~{TENTHS}/10-{place}" for place in range(number))
    how = f"like image {chosen} ({drawn.how}): {TENTHS} tenths of the way to random latents"
    return _drawn(drawn.generator, sampler, label, points, drawn.seed, names, how)


def draw_translated(
    opened: Opened, generator: GeneratorResult, image_id: str, number: int, seed: int, kept: float
) -> Drawn:
    """Draw a class from one of the training images of the generator, of which 0 to 0.95 is kept.

    Other real images are refused: a set with a translated test image would leak it.

    Raises:
        DermaugError: The family cannot translate, or it was not trained on that image.
    """
    sampler, label = _network(opened, generator)
    _, spec = opened.sampler(generator)
    if not sampler.translates():
        raise DermaugError(f"the family of {generator.family} cannot translate; flow can")
    if image_id not in spec.training_images:
        raise DermaugError(
            f"{image_id[:60]}: expected one of the {len(spec.training_images):,} training images "
            "of this generator; other images would leak into what is drawn"
        )
    if not 0.0 <= kept <= 0.95:
        raise DermaugError("kept: expected a number from 0 to 0.95")
    image = opened.images(opened.results.catalog.rows((image_id,)))
    latents, own = _latents(sampler, number, seed)
    found = translated(sampler, label, np.repeat(image, number, axis=0), latents, kept)
    names = tuple(f"{own}-{place}" for place in range(number))
    how = (
        f"translated from the real training image {image_id} to {class_words(generator.label)}, "
        f"seed {seed}, from time {kept:g} of the path"
    )
    return Drawn(generator, found, own, names, how, None, (image_id,))


def save_drawn(opened: Opened, drawn: Drawn, name: str | None) -> Path:
    """Write images into a new folder, with how they were drawn in their provenance.

    Raises:
        DermaugError: The name is a path, or the folder is in use.
    """
    folder = new_folder(opened.output, name)
    require_writable(opened.output)
    _, spec = opened.sampler(drawn.generator)
    provenance = Provenance(
        spec.config.key,
        checkpoint_digest(JobFolder(drawn.generator.folder).generator),
        drawn.seed,
        spec.fold_key,
        spec.training_images,
        spec.validation_images,
        drawn.how,
        drawn.started_from,
    )
    labels = (drawn.generator.label,) * len(drawn.images)
    write_synthetic_set(
        folder, SyntheticSet(drawn.images, labels, provenance, drawn.latents), "png"
    )
    return folder


def training_sample(
    opened: Opened, generator: GeneratorResult
) -> tuple[list[Captioned], list[str]]:
    """Some training images of a generator, of all its classes, and their ids."""
    _, spec = opened.sampler(generator)
    shuffle = np.random.default_rng(derive_seed("page", generator.fold))
    ids = [str(name) for name in shuffle.permutation(np.array(spec.training_images))[:SAMPLE]]
    rows = opened.results.catalog.rows(tuple(ids))
    labels = opened.results.catalog.table["label"].to_numpy()[rows]
    return list(zip(opened.images(rows), labels, strict=True)), ids


def _network(opened: Opened, generator: GeneratorResult) -> tuple[Sampler, int]:
    """The sampler, and the index of the class."""
    sampler, spec = opened.sampler(generator)
    return sampler, spec.classes.index(generator.label)


def _latents(sampler: Sampler, number: int, seed: int) -> tuple[Float[Tensor, "n latent"], int]:
    """The first latents of a seed of `dermaug generate`, and the seed of the latents."""
    own = derive_seed("generate", seed)
    return torch.cat(list(latent_batches(sampler, number, own))), own


def _drawn(
    generator: GeneratorResult,
    sampler: Sampler,
    label: int,
    points: Float[Tensor, "n latent"],
    seed: int,
    names: tuple[str, ...],
    how: str,
) -> Drawn:
    images = draw(sampler, points, _labels(points, label))
    return Drawn(generator, images, seed, names, how, points)


def _labels(latents: Tensor, label: int) -> Tensor:
    return torch.full((len(latents),), label, device=latents.device)
