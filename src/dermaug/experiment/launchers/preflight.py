"""Checks before a run is started: its folder can be used, and its networks can be built."""

from pathlib import Path

import torch

from dermaug.aside import PARTIAL
from dermaug.classifiers.model import Classifier, ClassifierSpec, build_classifier
from dermaug.config import Experiment
from dermaug.console import hushed
from dermaug.data.containers import exists
from dermaug.data.dataset import PHANTOM
from dermaug.errors import DermaugError
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.launchers.room import refuse_too_large
from dermaug.experiment.run.identity import changed_entries
from dermaug.experiment.run.layout import EXPERIMENT, RunFolder
from dermaug.experiment.run.machine import within_memory
from dermaug.files import expanded
from dermaug.generators import build_family
from dermaug.training.fabric import start_fabric


def refuse_foreign_folder(folder: Path) -> None:
    """Refuse to write a run into a folder with other files, for example a data set.

    Raises:
        DermaugError: The folder holds files but no experiment; so does a half-deleted run.
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


def prove_networks(folder: Path | None, experiment: Experiment, launch: Launch) -> None:
    """Build every network of a run before it is started, and pass two images to each classifier.

    A misspelt model, a wrong weight file or an unsupported image size would otherwise be found only
    after hours of training, in a folder that cannot be reused for the corrected experiment.

    Nothing is done if the folder was started with this experiment; a plan has no folder.

    Raises:
        DermaugError: A network cannot be built or cannot fit into the memory, or the device is not
            available; or a folder with images does not exist.
    """
    is_begun = folder is not None and RunFolder(folder).is_begun
    if folder is not None and is_begun and not changed_entries(folder, experiment):
        return
    _require_folders(experiment)
    place = start_fabric(launch.device, launch.precision).device
    size = experiment.data.size
    with hushed(), within_memory():
        for generator in experiment.generators:
            family = build_family(generator, size, len(generator.classes) or 2)
            family.prepare()
            refuse_too_large(generator.key, family, generator.batch, size, place)
        for config in experiment.classifiers:
            # Every head is newly initialised, so any number of classes works here.
            spec = ClassifierSpec.of(config, ("one", "other"), size)
            network = build_classifier(config, spec, (0.5,) * 3, (0.25,) * 3)
            refuse_too_large(config.key, network, config.batch, size, place)
            _show(network, config.key, size)


def _require_folders(experiment: Experiment) -> None:
    """Refuse folders of images that would be found missing only when they are needed."""
    given = [(f"data.external_test {path}", path) for path in experiment.data.external_test]
    for arm in experiment.arms:
        if arm.synthetic and arm.synthetic.folder:
            place = f"arm {arm.name}, synthetic.folder {arm.synthetic.folder}"
            given.append((place, arm.synthetic.folder))
    for place, path in given:
        if path != PHANTOM and not exists(expanded(path, place)):
            raise DermaugError(f"{place}: expected a data set, found nothing; check the path")


@torch.inference_mode()
def _show(network: Classifier, name: str, size: int) -> None:
    try:
        network.eval()(torch.zeros(2, 3, size, size))
    except (AssertionError, RuntimeError, TypeError, ValueError) as error:
        told = getattr(network.network, "pretrained_cfg", None) or {}
        fixed = told.get("fixed_input_size") and told.get("input_size")
        why = f"it takes {fixed[-1]} px" if fixed else str(error)
        raise DermaugError(
            f"classifier {name} does not accept images of {size} px ({why}); choose another "
            f"data.size, or set the option of the network, for example options.img_size = {size}"
        ) from None
