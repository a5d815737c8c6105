"""Check that a run's folder was started with the same experiment and data, wherever they are."""

from pathlib import Path

from dermaug.config import DataConfig, Experiment
from dermaug.data.dataset import PHANTOM, open_dataset, read_pixels
from dermaug.data.pixels import PixelStore
from dermaug.errors import DermaugError
from dermaug.experiment.run.contents import DATA, refuse_changed
from dermaug.experiment.run.layout import PUBLISHED, RunFolder
from dermaug.experiment.run.records import RunRecord
from dermaug.experiment_file import difference, validate_experiment
from dermaug.files import content_digest, expanded, read_sealed
from dermaug.generators import family_named
from dermaug.generators.family import own_options

WANTED = "expected the folder that `dermaug run` wrote, for example runs/quickstart"


def read_run_experiment(folder: Path) -> Experiment:
    """The experiment with which a run folder was started.

    Raises:
        DermaugError: The folder is not a run, or is the output of `dermaug publish`.
    """
    files = RunFolder(folder)
    path = files.experiment
    if not path.exists():
        raise DermaugError(f"{folder} is not a run of dermaug: it has no {path.name}; {WANTED}")
    if (folder / PUBLISHED).exists():
        raise DermaugError(f"{folder} is the output of `dermaug publish`, not a run; {WANTED}")
    # Read first: the experiment of a run that another version wrote may have other keys.
    record = RunRecord.read(files.record) if files.is_begun else None
    experiment = read_sealed(path)
    if record is not None and record.experiment != content_digest(experiment):
        raise DermaugError(
            f"{path}: expected the experiment with which this run was started, found another one "
            f"(by its digest in {files.record.name}); put back the file that belongs to this run"
        )
    return validate_experiment(experiment, str(path))


def moved_data(folder: Path, experiment: Experiment, data: Path | None) -> Experiment:
    """Adapt the experiment of a run to the new location of its data set; None keeps the original.

    Raises:
        DermaugError: The data set does not exist there, or the run draws its own phantoms.
    """
    if data is not None and experiment.data.source == PHANTOM:
        raise DermaugError(f"{folder} draws its own phantoms; omit --data")
    if data is not None:
        changed = experiment.data.model_copy(update={"source": str(data)})
        return experiment.model_copy(update={"data": changed})
    source = experiment.data.source
    if source != PHANTOM and not expanded(source, "data.source").exists():
        raise DermaugError(
            f"{folder}: its data set was at {source}, which does not exist (seen from "
            f"{Path.cwd()}); pass its new location with --data PATH"
        )
    return experiment


def with_own_options(experiment: Experiment) -> Experiment:
    """Fill in every option of the experiment's generators, including defaults of their families.

    This way a changed default affects neither a resumed run nor a network that is rebuilt.

    Raises:
        DermaugError: A family does not have one of the options.
    """
    generators = tuple(
        config.model_copy(update={"options": own.model_dump()})
        for config in experiment.generators
        for own in [own_options(family_named(config.family).Options, config)]
    )
    return experiment.model_copy(update={"generators": generators})


def refuse_other_experiment(folder: Path, experiment: Experiment) -> None:
    """Raise unless a run's folder was started with this experiment; paths of the data may differ.

    Raises:
        DermaugError: The experiments differ; the message lists the differences.
    """
    if not RunFolder(folder).experiment.exists():
        return
    if lines := changed_entries(folder, experiment):
        raise DermaugError(
            f"{folder} was started with another experiment; choose another --output, or delete it",
            lines,
        )


def changed_entries(folder: Path, experiment: Experiment) -> list[str]:
    """Lines `key: old -> new` in which an experiment differs from that of a run."""
    return difference(_anywhere(read_run_experiment(folder)), _anywhere(experiment))


def refuse_other_data(folder: Path, store: PixelStore) -> None:
    """Raise unless a run's folder was started with this data set, wherever it is stored.

    Raises:
        DermaugError: Content, ids, groups, labels or classes differ; the message counts the images.
    """
    if RunFolder(folder).is_begun:
        before = RunRecord.read(RunFolder(folder).record).data.fingerprint
        refuse_changed(folder, DATA, str(store.catalog.root), before, store)


def folder_store(experiment: Experiment, folder: str) -> PixelStore:
    """The images that an arm takes from a folder (`synthetic.folder`), at the size of the study.

    Raises:
        DermaugError: The folder does not exist, or is not a data set.
    """
    source = str(expanded(folder, "synthetic.folder"))
    config = DataConfig(source=source, size=experiment.data.size)
    return read_pixels(open_dataset(config), config)


def _anywhere(experiment: Experiment) -> Experiment:
    """The experiment without paths of images, whose content is compared by fingerprint."""
    data = experiment.data
    changed = {
        "source": _kind(data.source),
        "external_test": tuple(f"{_kind(path)} {n}" for n, path in enumerate(data.external_test)),
    }
    arms = tuple(
        arm.model_copy(update={"synthetic": arm.synthetic.model_copy(update={"folder": "a path"})})
        if arm.synthetic and arm.synthetic.folder
        else arm
        for arm in experiment.named_arms
    )
    there = {"data": data.model_copy(update=changed), "named_arms": arms}
    if experiment.splits.file:
        there["splits"] = experiment.splits.model_copy(update={"file": "a file"})
    return with_own_options(experiment.model_copy(update=there))


def _kind(source: str) -> str:
    return PHANTOM if source == PHANTOM else "a path"
