"""What can be told before a run is begun: is the folder its own, and can its networks be built."""

from pathlib import Path

import torch
from torch import nn

from dermaug.classifiers.model import ClassifierSpec, build_classifier
from dermaug.config import Experiment
from dermaug.console import hushed
from dermaug.errors import DermaugError
from dermaug.experiment.run.layout import EXPERIMENT, RunFolder
from dermaug.files import PARTIAL
from dermaug.generators import build_family
from dermaug.training.fabric import start_fabric


def refuse_foreign_folder(folder: Path) -> None:
    """Refuse to write a run among files that are not a run's, for example into a data set.

    Args:
        folder: Where the run shall lie: absent, empty, or one that dermaug began.

    Raises:
        DermaugError: It holds something but no experiment, as a half-deleted run does, too.
    """
    files = RunFolder(folder)
    if not folder.is_dir() or files.experiment.exists():
        return
    ours = files.before_experiment
    names = sorted(entry.name for entry in folder.iterdir())
    foreign = [name for name in names if name not in ours and not name.startswith(PARTIAL)]
    if foreign:
        raise DermaugError(
            f"{folder}: expected a new or empty folder, or a run of dermaug; found no {EXPERIMENT} "
            f"but {', '.join(foreign[:3])}; choose another --output"
        )


def prove_networks(folder: Path, experiment: Experiment, device: str, precision: str) -> None:
    """Build every network of a run that is not begun, and show each classifier two images.

    A misspelt model, a wrong weight file or a size that a network does not take would otherwise
    come to light after hours of training, with the run's folder bound to the mistake.

    Args:
        folder: The run's; nothing is done where a run was begun.
        experiment: What is asked.
        device: auto, cpu, cuda or mps.
        precision: auto, 32-true or bf16-mixed.

    Raises:
        DermaugError: Names the network that cannot be built, or the device that is not here.
    """
    if RunFolder(folder).is_begun:
        return
    start_fabric(device, precision)
    size = experiment.data.size
    with hushed():
        for generator in experiment.generators:
            build_family(generator, size, len(generator.classes) or 2).prepare()
        for config in experiment.classifiers:
            # Every head is new, so that any number of classes will do.
            spec = ClassifierSpec.of(config, ("one", "other"), size)
            network = build_classifier(config, spec, (0.5,) * 3, (0.25,) * 3)
            _show(network, config.key, size)


@torch.inference_mode()
def _show(network: nn.Module, name: str, size: int) -> None:
    try:
        network.eval()(torch.zeros(2, 3, size, size))
    except (AssertionError, RuntimeError, TypeError, ValueError) as error:
        raise DermaugError(
            f"classifier {name} does not accept images of {size} px ({error}); choose another "
            f"data.size, or set the option of the network, for example options.img_size = {size}"
        ) from None
