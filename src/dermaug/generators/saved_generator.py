"""A trained generator on disk: its weights and the specification to rebuild it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from dermaug.config import DataConfig, GeneratorConfig
from dermaug.errors import DermaugError
from dermaug.generators import build_family
from dermaug.generators.family import Family, Sampler
from dermaug.training.checkpoint import expecting, load_checkpoint, save_checkpoint, typed

SAMPLER = "sampler."
"""Prefix of the sampler's weights among a family's."""


@dataclass(frozen=True)
class GeneratorSpec:
    """Specification of a trained generator.

    Args:
        config: Family and widths.
        size: Side of the images in pixels.
        classes: Labels that it can draw, in the order of its label input.
        fold_key: Key of the fold on whose training split it was trained.
        training_images: Ids of its training images, for the leakage check.
        validation_images: Ids of the images on which its snapshot was selected; None if unknown.
    """

    config: GeneratorConfig
    size: int
    classes: tuple[str, ...]
    fold_key: str
    training_images: tuple[str, ...]
    validation_images: tuple[str, ...] | None = ()


def save_generator(
    path: Path, sampler: Sampler, spec: GeneratorSpec, trained: Family | None = None
) -> str:
    """Write weights and specification as one checkpoint, and return its digest.

    Args:
        path: Path of the file.
        sampler: The averaged sampler.
        spec: Its specification.
        trained: The trained family, whose other networks are stored as well.
    """
    chosen_by = spec.validation_images
    described = {
        "config": spec.config.model_dump(mode="json"),
        "size": spec.size,
        "classes": list(spec.classes),
        "fold_key": spec.fold_key,
        "training_images": list(spec.training_images),
        "validation_images": None if chosen_by is None else list(chosen_by),
    }
    others = {} if trained is None else trained.state_dict()
    state = {
        "kind": "generator",
        "spec": described,
        "weights": sampler.state_dict(),
        "others": {key: value for key, value in others.items() if not key.startswith(SAMPLER)},
    }
    return save_checkpoint(path, state)


def load_generator(path: Path, device: torch.device) -> tuple[Sampler, GeneratorSpec]:
    """Read a sampler written by `save_generator`, in evaluation mode on the device.

    Raises:
        DermaugError: The file is no whole checkpoint of a generator.
    """
    family, spec, _ = _with_sampler(path)
    return family.sampler.to(device).eval(), spec


def load_family(path: Path, device: torch.device) -> tuple[Family, GeneratorSpec]:
    """Read all networks written by `save_generator`, in evaluation mode on the device.

    Raises:
        DermaugError: The file is no whole checkpoint of a generator.
    """
    family, spec, state = _with_sampler(path)
    with expecting(path, "a generator"):
        if others := state["others"]:
            sampler = {f"{SAMPLER}{key}": value for key, value in state["weights"].items()}
            family.load_state_dict(others | sampler)
    return family.to(device).eval(), spec


def _with_sampler(path: Path) -> tuple[Family, GeneratorSpec, dict[str, Any]]:
    """Networks of which only the sampler has its trained weights, and the checkpoint's content."""
    state = load_checkpoint(path)
    if state.get("kind") != "generator":
        raise DermaugError(f"{path}: not a generator checkpoint")
    with expecting(path, "a generator"):
        spec, family = _built(state)
        family.sampler.load_state_dict(state["weights"])
    return family, spec, state


def _built(state: dict[str, Any]) -> tuple[GeneratorSpec, Family]:
    """The specification, and networks with initial weights built from it."""
    described: dict[str, Any] = state["spec"]
    chosen_by = described.get("validation_images")
    spec = GeneratorSpec(
        GeneratorConfig.model_validate(described["config"]),
        DataConfig(size=described["size"]).size,  # within bounds
        tuple(described["classes"]),
        described["fold_key"],
        tuple(described["training_images"]),
        None if chosen_by is None else tuple(chosen_by),
    )
    spec = typed(spec)
    return spec, build_family(spec.config, spec.size, len(spec.classes))
