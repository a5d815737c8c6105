"""Whether a run's folder was begun with the same experiment and data, wherever these lie now."""

from pathlib import Path

from dermaug.config import DataConfig, Experiment
from dermaug.data.catalog import Catalog
from dermaug.data.dataset import PHANTOM, open_other
from dermaug.errors import DermaugError
from dermaug.experiment.manifests import RunManifest
from dermaug.experiment_file import difference, validate_experiment
from dermaug.files import expanded, read_record, read_shaped
from dermaug.generators import family_named
from dermaug.generators.family import own_options

EXPERIMENT = "experiment.json"
MANIFEST = "run.json"
PUBLISHED = "tables.md"
"""What a folder that was published has, and a run has not."""
WANTED = "expected the folder that `dermaug run` wrote, for example runs/quickstart"


def read_run_experiment(folder: Path) -> Experiment:
    """The experiment that a run folder was begun with.

    Raises:
        DermaugError: The folder is no run, or what was published of one.
    """
    if not (folder / EXPERIMENT).exists():
        raise DermaugError(f"{folder} is not a run of dermaug: it has no {EXPERIMENT}; {WANTED}")
    if (folder / PUBLISHED).exists():
        raise DermaugError(f"{folder} is what `dermaug publish` wrote of a run; {WANTED}")
    return validate_experiment(read_record(folder / EXPERIMENT), str(folder / EXPERIMENT))


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
        raise DermaugError(f"{folder} has drawn its phantoms itself; leave out --data")
    if data is not None:
        changed = experiment.data.model_copy(update={"source": str(data)})
        return experiment.model_copy(update={"data": changed})
    source = experiment.data.source
    if source != PHANTOM and not expanded(source, "data.source").exists():
        raise DermaugError(
            f"{folder}: its data set was at {source}, where nothing is (seen from {Path.cwd()}); "
            "tell where it lies with --data PATH"
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
    if not (folder / EXPERIMENT).exists():
        return
    before = read_run_experiment(folder)
    if lines := difference(_anywhere(before), _anywhere(experiment)):
        raise DermaugError(
            f"{folder} was begun with another experiment; choose another --output, or delete it",
            lines,
        )


def refuse_other_data(folder: Path, catalog: Catalog) -> None:
    """Raise unless a run's folder was begun with this data set.

    Raises:
        DermaugError: The fingerprints differ.
    """
    if not (folder / MANIFEST).exists():
        return
    before = read_shaped(folder / MANIFEST, RunManifest)["data"]["fingerprint"]
    if before != catalog.fingerprint:
        raise DermaugError(
            f"{folder} was begun with other data (fingerprint {before}, now "
            f"{catalog.fingerprint}); choose another --output"
        )


def refuse_other_external(folder: Path, data: DataConfig, classes: tuple[str, ...]) -> None:
    """Raise unless the external test sets are those that a run was begun with.

    Args:
        folder: The run's.
        data: Names the external test sets.
        classes: As for `external_fingerprints`.

    Raises:
        DermaugError: Names the set that is another one.
    """
    noted = read_shaped(folder / MANIFEST, RunManifest)["data"].get("external", [])
    found = external_fingerprints(data, classes)
    for path, before, now in zip(data.external_test, noted, found, strict=False):
        if before != now:
            raise DermaugError(
                f"data.external_test {path}: {folder} was begun with other data there "
                f"(fingerprint {before}, now {now}); choose another --output"
            )


def external_fingerprints(data: DataConfig, classes: tuple[str, ...]) -> list[str]:
    """Fingerprint of each external test set.

    Args:
        data: How images are cut and labelled; names the sets.
        classes: Labels of the run.

    Raises:
        DermaugError: A set cannot be opened, or has a label that is not among them.
    """
    return [open_other(data, path, classes).fingerprint for path in data.external_test]


def _anywhere(experiment: Experiment) -> Experiment:
    """The experiment without its data's paths: what lies there is known by its fingerprint."""
    data = experiment.data
    changed = {
        "source": _kind(data.source),
        "external_test": tuple(f"{_kind(path)} {n}" for n, path in enumerate(data.external_test)),
    }
    there = experiment.model_copy(update={"data": data.model_copy(update=changed)})
    return with_own_options(there)


def _kind(source: str) -> str:
    return PHANTOM if source == PHANTOM else "a path"
