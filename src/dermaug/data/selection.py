"""The selection of an experiment from a catalog: merged labels, classes, a limit on groups."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from dermaug.config import DataConfig
from dermaug.data.catalog import Catalog
from dermaug.data.class_names import ALL
from dermaug.data.diagnoses import meaning
from dermaug.data.safe_names import name_fault
from dermaug.data.similar_labels import refuse_similar_labels
from dermaug.errors import DermaugError
from dermaug.seeding import derive_seed


def select(catalog: Catalog, config: DataConfig, seed: int = 0) -> Catalog:
    """Apply `exclude`, `groups`, `classes` and `limit`, in this order; each leaves a note.

    Args:
        catalog: The data set as read, its labels mapped.
        config: Its section of the experiment.
        seed: Chooses the groups under `limit`.

    Raises:
        DermaugError: A label or image does not exist, a label is in two groups, its class has no
            image or is called `ALL`, or two classes probably mean one thing and it was not said
            whether they do.
    """
    catalog = exclude_images(catalog, config.exclude)
    require_labels(catalog, config)
    catalog = merge_labels(catalog, config.groups)
    catalog = keep_classes(catalog, config.classes)
    refuse_similar_labels(catalog, config.label_map)
    if ALL in catalog.classes:
        raise DermaugError(
            f"{catalog.name}: found a class {ALL!r}, which is the name of all classes together in "
            f"results and folders; rename it with --labels {ALL}=NAME"
        )
    catalog = limit_groups(catalog, config.limit, seed)
    counts = catalog.table["label"].value_counts()
    if empty := [label for label in catalog.classes if not counts.get(label, 0)]:
        raise DermaugError(
            f"{catalog.name}: expected images of every class, found none of {', '.join(empty)}; "
            "exclude them with data.classes"
        )
    return catalog


def require_labels(catalog: Catalog, config: DataConfig) -> None:
    """Raise unless the data have the labels that `labels` and `leave_out` name.

    Raises:
        DermaugError: A label is neither one that the data write nor one of their classes.
    """
    known = sorted({*catalog.classes, *catalog.written} - {""})
    problems = _unknown(config.labels, known, "data.labels")
    _stop(catalog, problems + _unknown(config.leave_out, known, "data.leave_out"))


def require_asked(catalog: Catalog, labels: Iterable[str]) -> None:
    """Raise unless data have each of the labels that the user names for them.

    Raises:
        DermaugError: One is neither a label that the data write nor one of their classes.
    """
    known = sorted({*catalog.classes, *catalog.written} - {""})
    _stop(catalog, _unknown(labels, known, "--labels and --leave-out"))


def select_alike(
    catalog: Catalog, config: DataConfig, classes: Sequence[str] | None = None
) -> Catalog:
    """Give another data set the classes of an experiment, as far as it has them.

    Members of a group that the other set lacks are ignored, and labels may be the groups' names.
    Classes that the experiment leaves out are left out.

    Args:
        catalog: The other data set as read, its labels mapped.
        config: The section of the experiment.
        classes: Classes that a network knows, in the order of its outputs; None keeps all.

    Raises:
        DermaugError: It has labels that are neither known nor left out by the experiment, or no
            image is left.
    """
    there = set(catalog.image_ids)
    catalog = exclude_images(catalog, [name for name in config.exclude if name in there])
    groups = {
        name: tuple(label for label in (*members, name) if label in catalog.classes)
        for name, members in config.groups.items()
    }
    catalog = merge_labels(catalog, {name: members for name, members in groups.items() if members})
    refuse_similar_labels(catalog, config.label_map)
    if classes is None:
        return catalog
    others = [label for label in catalog.classes if label not in classes]
    alike = {label: _spelt_alike(label, classes) for label in others}
    # An experiment that names its classes leaves out all others; what is misspelt is none of them.
    unknown = [label for label in others if alike[label] or not config.classes]
    if unknown:
        named = ", ".join(
            f"{label} (is it {alike[label][0]}?)" if alike[label] else label for label in unknown
        )
        raise DermaugError(
            f"{catalog.root} has labels that the classifiers were not trained on: {named}; they "
            f"were trained on {', '.join(classes)}; leave them out with --leave-out LABEL, or say "
            "what they are with --labels LABEL=CLASS (data.leave_out and data.labels of an "
            "experiment)"
        )
    kept = keep_classes(catalog, [label for label in catalog.classes if label in classes])
    if not len(kept) or not set(kept.classes) & set(classes):
        raise DermaugError(
            f"{catalog.root} has no image of the classes {', '.join(classes)}; it has "
            f"{', '.join(catalog.classes)}; map them with --labels LABEL=CLASS"
        )
    return replace(kept, classes=tuple(classes))


def exclude_images(catalog: Catalog, image_ids: Sequence[str]) -> Catalog:
    """Leave out some images; none named leaves all.

    Raises:
        DermaugError: An image does not exist.
    """
    if not image_ids:
        return catalog
    left_out = set(catalog.rows(image_ids).tolist())
    kept = catalog.take([row for row in range(len(catalog)) if row not in left_out])
    note = f"Left out by data.exclude: {len(left_out):,} images."
    return replace(kept, notes=(*catalog.notes, note))


def merge_labels(catalog: Catalog, groups: Mapping[str, Sequence[str]]) -> Catalog:
    """Give several labels one new name; labels in no group stay.

    Args:
        catalog: The data set.
        groups: New label -> labels merged into it; those that the data lack are ignored, unless
            they look like a misspelt one.

    Raises:
        DermaugError: A group without images, a label in two groups or misspelt, or a group with the
            name of a label that is not in it.
    """
    if not groups:
        return catalog
    problems = [f"data.groups.{name}: no labels" for name, members in groups.items() if not members]
    renamed: dict[str, str] = {}
    grouped = {label for members in groups.values() for label in members}
    for name, members in groups.items():
        if fault := name_fault(name):  # labels name folders of generators
            problems.append(f"data.groups.{name}: the new label {fault}")
        ungrouped = [label for label in catalog.classes if label not in grouped]
        lost = _unknown(members, catalog.classes, f"data.groups.{name}", ungrouped)
        if len(lost) == len(members):
            problems.extend(lost)
        else:
            problems.extend(line for line in lost if "did you mean" in line)
        if name in catalog.classes and name not in members:
            problems.append(f"data.groups.{name}: the name of a label that is not in the group")
        problems.extend(
            f"data.groups.{name}: {label!r} is in group {renamed[label]!r} too"
            for label in members
            if renamed.setdefault(label, name) != name
        )
    _stop(catalog, problems)
    classes = {renamed.get(label, label) for label in catalog.classes}
    labels = catalog.table["label"].map(lambda label: renamed.get(label, label))
    merged = "; ".join(
        f"{', '.join(label for label in members if label in catalog.classes)} into {name}"
        for name, members in groups.items()
    )
    return replace(
        catalog,
        table=catalog.table.assign(label=labels),
        classes=tuple(sorted(classes)),
        notes=(*catalog.notes, f"Merged labels: {merged}."),
    )


def keep_classes(catalog: Catalog, classes: Sequence[str]) -> Catalog:
    """Keep the images of some labels; none named keeps all.

    Args:
        catalog: The data set.
        classes: Labels to keep, in any order; classes stay alphabetical.

    Raises:
        DermaugError: A label does not exist.
    """
    if not classes:
        return catalog
    _stop(catalog, _unknown(classes, catalog.classes, "data.classes"))
    dropped = catalog.table["label"][~catalog.table["label"].isin(classes)].value_counts()
    counted = ", ".join(f"{label} ({number:,})" for label, number in sorted(dropped.items()))
    kept = catalog.take(np.flatnonzero(catalog.table["label"].isin(classes)))
    note = (f"Left out by data.classes: {counted} images.",) if counted else ()
    return replace(kept, classes=tuple(sorted(set(classes))), notes=(*catalog.notes, *note))


def limit_groups(catalog: Catalog, limit: int | Mapping[str, int], seed: int) -> Catalog:
    """Keep at most `limit` groups per class, with all their images of it, in the catalog's order.

    Args:
        catalog: The data set.
        limit: Groups (lesions or patients) per class, or of each class that is named; 0 keeps all.
        seed: Chooses the groups; each class is drawn independently of the others.

    Raises:
        DermaugError: A label that is named does not exist.
    """
    if not limit:
        return catalog
    limits = limit if isinstance(limit, Mapping) else dict.fromkeys(catalog.classes, limit)
    _stop(catalog, _unknown(limits, catalog.classes, "data.limit"))
    labels, groups = catalog.table["label"].to_numpy(), catalog.groups
    chosen = set[tuple[str, str]]()
    shortened = []
    for label in catalog.classes:
        names = sorted(set(groups[labels == label]))
        # A prefix of one fixed order: a larger limit keeps the groups of a smaller one.
        order = np.random.default_rng(derive_seed("limit", label, seed)).permutation(len(names))
        most = limits.get(label, len(names))
        chosen.update((label, names[index]) for index in order[:most])
        if len(names) > most:
            shortened.append(f"{label} ({most:,} of {len(names):,})")
    if not shortened:
        return catalog
    pairs = zip(labels, groups, strict=True)
    kept = catalog.take([row for row, pair in enumerate(pairs) if pair in chosen])
    note = f"{catalog.unit.capitalize()}s kept by data.limit: {', '.join(shortened)}."
    return replace(kept, notes=(*catalog.notes, note))


def _unknown(
    labels: Iterable[str], known: Sequence[str], where: str, meant: Sequence[str] | None = None
) -> list[str]:
    """One line for each label that is not known; `meant` are those that it may be misspelt from."""
    problems = []
    for label in labels:
        if label not in known:
            close = difflib.get_close_matches(label, known if meant is None else meant, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            problems.append(f"{where}: no label {label!r} in the data{hint}")
    return problems


def _spelt_alike(label: str, classes: Sequence[str]) -> list[str]:
    """The class of which a label is likely another name or spelling, if any."""
    if same := [name for name in classes if meaning(name) == meaning(label)]:
        return same[:1]
    plain = {name.casefold(): name for name in classes}
    close = difflib.get_close_matches(label.casefold(), plain, n=1, cutoff=0.8)
    return [plain[name] for name in close]


def _stop(catalog: Catalog, problems: Sequence[str]) -> None:
    if problems:
        known = sorted({*catalog.classes, *catalog.written} - {""})
        raise DermaugError(
            f"{catalog.name}: expected labels among {', '.join(known)}; correct the experiment's "
            "data section, or --labels and --leave-out",
            problems,
        )
