"""A trained generator on disk: the sampler's weights and all that is needed to build it again."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from dermaug.config import GeneratorConfig
from dermaug.errors import DermaugError
from dermaug.generators import build_family
from dermaug.generators.family import Sampler
from dermaug.training.checkpoint import expecting, load_checkpoint, save_checkpoint


@dataclass(frozen=True)
class GeneratorSpec:
    """Which sampler, for what.

    Args:
        config: Family and widths.
        size: Side of the images in pixels.
        classes: Labels it can draw, in the order of its label input.
        fold_key: Key of the fold whose training part it saw.
        training_images: Ids of the images it saw, for the leakage guard.
    """

    config: GeneratorConfig
    size: int
    classes: tuple[str, ...]
    fold_key: str
    training_images: tuple[str, ...]


def save_generator(path: Path, sampler: Sampler, spec: GeneratorSpec) -> str:
    """Write weights and specification as one checkpoint; gives its digest."""
    described = {
        "config": spec.config.model_dump(mode="json"),
        "size": spec.size,
        "classes": list(spec.classes),
        "fold_key": spec.fold_key,
        "training_images": list(spec.training_images),
    }
    state = {"kind": "generator", "spec": described, "weights": sampler.state_dict()}
    return save_checkpoint(path, state)


def load_generator(path: Path, device: torch.device) -> tuple[Sampler, GeneratorSpec]:
    """Read a sampler that `save_generator` wrote, in evaluation mode on the device.

    Raises:
        DermaugError: The file is no whole checkpoint of a generator.
    """
    state = load_checkpoint(path)
    if state.get("kind") != "generator":
        raise DermaugError(f"{path}: expected a generator, found {state.get('kind', 'neither')!r}")
    with expecting(path, "a generator"):
        described: dict[str, Any] = state["spec"]
        spec = GeneratorSpec(
            GeneratorConfig.model_validate(described["config"]),
            described["size"],
            tuple(described["classes"]),
            described["fold_key"],
            tuple(described["training_images"]),
        )
        sampler = build_family(spec.config, spec.size, len(spec.classes)).sampler
        sampler.load_state_dict(state["weights"])
    return sampler.to(device).eval(), spec
