"""Whether a run's folder was begun with the same experiment and data, wherever these lie now."""

from pathlib import Path

from dermaug.config import DataConfig, Experiment
from dermaug.data.dataset import PHANTOM, open_dataset, open_labelled, read_pixels
from dermaug.data.pixels import PixelStore
from dermaug.errors import DermaugError
from dermaug.experiment.run.contents import DATA, note_contents, refuse_changed
from dermaug.experiment.run.layout import PUBLISHED, RunFolder
from dermaug.experiment.run.records import RunRecord
from dermaug.experiment_file import difference, validate_experiment
from dermaug.files import expanded, read_record
from dermaug.generators import family_named
from dermaug.generators.family import own_options

WANTED = "expected the folder that `dermaug run` wrote, for example runs/quickstart"


def read_run_experiment(folder: Path) -> Experiment:
    """The experiment that a run folder was begun with.

    Raises:
        DermaugError: The folder is no run, or what was published of one.
    """
    files = RunFolder(folder)
    path = files.experiment
    if not path.exists():
        raise DermaugError(f"{folder} is not a run of dermaug: it has no {path.name}; {WANTED}")
    if (folder / PUBLISHED).exists():
        raise DermaugError(f"{folder} is the output of `dermaug publish`, not a run; {WANTED}")
    if files.is_begun:
        RunRecord.read(files.record)  # an earlier version's experiment may have other keys
    return validate_experiment(read_record(path), str(path))


def moved_data(folder: Path, experiment: Experiment, data: Path | None) -> Experiment:
    """The experiment of a run whose data set lies elsewhere by now.

    Args:
        folder: The run's, for the message.
        experiment: As it was begun.
        data: Where the data set lies; None: where it lay then.

    Raises:
        DermaugError: Nothing lies there any more, or the run drew its phantoms.
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
    """The experiment with every option of its generators, those left to their families, too.

    A run must not go on with a default that has changed, nor a network be rebuilt by one.

    Raises:
        DermaugError: Names an option that a family does not have.
    """
    generators = tuple(
        config.model_copy(update={"options": own.model_dump()})
        for config in experiment.generators
        for own in [own_options(family_named(config.family).Options, config)]
    )
    return experiment.model_copy(update={"generators": generators})


def refuse_other_experiment(folder: Path, experiment: Experiment) -> None:
    """Raise unless a run's folder was begun with this experiment; the data's paths do not count.

    Raises:
        DermaugError: Lists what differs.
    """
    if not RunFolder(folder).experiment.exists():
        return
    before = read_run_experiment(folder)
    if lines := difference(_anywhere(before), _anywhere(experiment)):
        raise DermaugError(
            f"{folder} was started with another experiment; choose another --output, or delete it",
            lines,
        )


def refuse_other_data(folder: Path, store: PixelStore) -> None:
    """Raise unless a run's folder was begun with this data set, wherever it lies.

    Raises:
        DermaugError: Content, ids, groups, labels or classes differ: tells of how many images.
    """
    if RunFolder(folder).is_begun:
        before = RunRecord.read(RunFolder(folder).record).data.fingerprint
        refuse_changed(folder, DATA, str(store.catalog.root), before, store)


def refuse_other_external(
    folder: Path, data: DataConfig, classes: tuple[str, ...]
) -> tuple[PixelStore, ...]:
    """Raise unless the external test sets are those that a run was begun with.

    Args:
        folder: The run's.
        data: Names the external test sets.
        classes: Labels of the run.

    Returns:
        The external test sets.

    Raises:
        DermaugError: Names the set that is another one.
    """
    noted = RunRecord.read(RunFolder(folder).record).data.external
    stores = tuple(open_labelled(data, path, classes) for path in data.external_test)
    for place, (path, store) in enumerate(zip(data.external_test, stores, strict=True)):
        before = noted[place] if place < len(noted) else ""
        refuse_changed(folder, f"external{place}", f"data.external_test {path}", before, store)
    return stores


def folder_store(experiment: Experiment, folder: str) -> PixelStore:
    """The images that an arm takes from a folder (`synthetic.folder`), at the size of the study.

    Raises:
        DermaugError: Nothing is there, or it is no data set.
    """
    source = str(expanded(folder, "synthetic.folder"))
    config = DataConfig(source=source, size=experiment.data.size)
    return read_pixels(open_dataset(config), config)


def note_or_refuse_folder(run: Path, arm: str, given: str, store: PixelStore) -> None:
    """Note the images of an arm's folder when the arm is first trained; then they must stay.

    Args:
        run: Folder of the run.
        arm: Name of the arm.
        given: The folder as the experiment names it.
        store: Its images.

    Raises:
        DermaugError: The run was begun with other images there: tells how many differ.
    """
    record, name = RunRecord.read(RunFolder(run).record), f"folder-{arm}"
    noted = record.data.folders
    if arm in noted:
        refuse_changed(run, name, f"arm {arm}, synthetic.folder {given}", noted[arm], store)
        return
    folders = noted | {arm: note_contents(run, name, store)}
    data = record.data.model_copy(update={"folders": folders})
    record.model_copy(update={"data": data}).write(RunFolder(run).record)


def _anywhere(experiment: Experiment) -> Experiment:
    """The experiment without paths of images: what lies there is known by its fingerprint."""
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
    return with_own_options(experiment.model_copy(update=there))


def _kind(source: str) -> str:
    return PHANTOM if source == PHANTOM else "a path"
