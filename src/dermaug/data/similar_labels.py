"""Labels that are told apart and probably mean one thing: the user is asked about them."""

import re
import shlex
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np

from dermaug.data.catalog import Catalog
from dermaug.data.diagnoses import (
    NEGATIONS,
    OTHER_NAMES,
    is_diagnosis,
    is_misspelt,
    is_unclear,
    meaning,
    spelling,
    suspected,
    words,
)
from dermaug.data.grouping import united_names
from dermaug.data.label_map import DROPPED
from dermaug.data.number_codes import CODES_FOR_UNKNOWN, is_number, may_be_unknown
from dermaug.errors import DermaugError

MOST_CLASSES = 200
"""More different labels than this are not compared letter by letter, which takes seconds."""

REMARK = re.compile(
    r"\s*([(\[][^()\[\]]*[)\]]|,[^,]*[0-9][^,]*|- (cop(y|ie|ia)|cópia|kopi[ea])( [0-9]+)?)\s*$",
    re.IGNORECASE,
)
"""A remark behind a diagnosis: in brackets, with a number behind a comma, or that it is a copy."""
NUMBER = re.compile(r"^[0-9]{1,4}[\s_.-]+|[\s_.-]*[0-9]{1,4}$")
"""A number or a year before or behind a name."""
SEPARATORS = re.compile(r"\s*[,;/+&]\s*|\s+(?:and|und|et|y|e|en|oder|or|ou|o|of)\s+")
"""What stands between several diagnoses."""


def similar_labels(labels: Sequence[str], decided: Collection[str] = ()) -> list[tuple[str, ...]]:
    """Labels that differ in case, blanks, accents or `.0` only, name one diagnosis or are misspelt.

    Args:
        labels: Different labels.
        decided: Labels of which it was said what they mean: only their case, blanks and accents
            are compared.

    Example:
        >>> similar_labels(["Melanoma", "melanoma ", "Naevus", "BCC", "nv"])
        [('Melanoma', 'melanoma '), ('Naevus', 'nv')]
        >>> similar_labels(["Naevus", "BCC", "nv"], decided=["nv"])
        []
    """
    names = one_name(labels, decided)
    groups, suspicions = defaultdict(list), _suspicions(labels, decided)
    for label in labels:
        if label not in suspicions:
            groups[names[label]].append(label)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def one_name(labels: Sequence[str], decided: Collection[str] = ()) -> dict[str, str]:
    """Label -> a label that stands for it and all `similar_labels`; arguments as for these."""
    place = {label: row for row, label in enumerate(labels)}
    open_labels = [label for label in labels if label not in decided]
    pairs = [*_pairs(labels, spelling), *_misspelt(open_labels)]
    pairs += [*_pairs(open_labels, _plain_meaning), *_pairs(open_labels, _whole)]
    first, second = ([place[pair[side]] for pair in pairs] for side in (0, 1))
    united = united_names(
        np.array(labels, dtype=object), np.array(first, int), np.array(second, int)
    )
    return dict(zip(labels, united.tolist(), strict=True))


def merges(catalog: Catalog, decided: Collection[str] = ()) -> dict[str, str]:
    """What names of one class should be read as, where nobody says otherwise.

    Returns:
        Class -> the most frequent one of its `similar_labels`, without a number beside a diagnosis,
        for all others of these; a suspicion beside its diagnosis -> `DROPPED`.
    """
    counts = Counter(catalog.table["label"])
    merged = dict.fromkeys(_suspicions(catalog.classes, decided), DROPPED)
    for labels in similar_labels(catalog.classes, decided):
        usual = _without_number(max(labels, key=lambda label: counts[label]))
        merged |= {label: usual for label in labels if label != usual}
    return merged


def similar_label_lines(catalog: Catalog, decided: Collection[str] = ()) -> list[str]:
    """One line for each of `similar_labels` among a catalog's classes: counts, and what to do."""
    counts, merged = Counter(catalog.table["label"]), merges(catalog, decided)
    lines = []
    for label, sure in _suspicions(catalog.classes, decided).items():
        beside = f"a suspicion beside {_counted(sure, counts)}"
        what = beside if sure else _why_unsure(label)
        merge = f"merge them: {_options([(label, sure)])}, or " if sure else ""
        lines.append(
            f"{_counted(label, counts)} is {what}; leave it out: --leave-out {shlex.quote(label)}, "
            f"or {merge}keep it as a class of its own: {_options([(label, label)])}"
        )
    for labels in similar_labels(catalog.classes, decided):
        *most, last = [_counted(label, counts) for label in labels]
        named, others = f"{', '.join(most)} and {last}", [each for each in labels if each in merged]
        merge = f"merge them: {_options((label, merged[label]) for label in others)}"
        spelt = set(map(spelling, labels))
        if len(spelt) == 1:
            lines.append(f"{named} differ only in case or blanks; {merge}")
        elif len(spelt) < len(labels):
            lines.append(
                f"{named} probably mean one thing, and some differ in case or blanks only; {merge}"
            )
        else:
            keep = (
                f"keep them as classes of their own: {_options(zip(others, others, strict=True))}"
            )
            lines.append(f"{named} probably mean one thing; {merge}, or {keep}")
    return lines


def kind_sentences(catalog: Catalog, decided: Collection[str] = ()) -> list[str]:
    """A sentence on classes whose names hold that of another one, as a list of one or none."""
    counts = Counter(catalog.table["label"])
    merged = merges(catalog, decided)
    usual = {meaning(label): label for label in catalog.classes if label not in merged}
    kinds = [
        (label, usual[whole])
        for label in catalog.classes
        if label not in (*merged, *decided) and NEGATIONS.isdisjoint(words(label))
        for whole in [next((part for part in _parts(label) if part in usual), "")]
        if whole and usual[whole] != label
    ]
    if not kinds:
        return []
    told = "; ".join(f"{_counted(label, counts)} of {whole!r}" for label, whole in kinds)
    return [
        f"These classes may be kinds of others, and are told apart: {told}. To read them as the "
        f"others: {_options(kinds)}."
    ]


def number_sentences(catalog: Catalog, decided: Collection[str] = ()) -> list[str]:
    """A sentence on classes that are numbers, as a list of one or none; arguments as above."""
    counts = Counter(catalog.table["label"])
    known = {*decided, *merges(catalog, decided)}
    numbers = [name for name in catalog.classes if is_number(name) and name not in known]
    if not numbers:
        return []
    told = ", ".join(_counted(name, counts) for name in numbers)
    return [
        f"Classes that are numbers: {told}. If they are codes, say what they mean: "
        f"{_options((name, 'NAME') for name in numbers)}."
    ]


def refuse_similar_labels(catalog: Catalog, decided: Collection[str] = ()) -> None:
    """Raise when two classes of a catalog probably mean one thing.

    Args:
        catalog: The data set, its labels mapped.
        decided: As for `similar_labels`.

    Raises:
        DermaugError: Names them with their counts, and how to merge them, or to keep them.
    """
    if lines := similar_label_lines(catalog, decided):
        options = shlex.join(merging_options(merges(catalog, decided)))
        raise DermaugError(
            f"{catalog.name}: expected one name per class; found several that mean one class",
            (*lines, *([f"the first of all of these: {options}"] if len(lines) > 1 else [])),
        )


def merging_options(merged: Mapping[str, str]) -> list[str]:
    """Options of the command line that read labels as `merges` says."""
    pairs = [
        ("--labels", f"{label}={usual}") if usual != DROPPED else ("--leave-out", label)
        for label, usual in merged.items()
    ]
    return [part for pair in pairs for part in pair]


def _suspicions(labels: Sequence[str], decided: Collection[str]) -> dict[str, str]:
    """Label of a suspicion -> the class of its diagnosis, "" where there is none.

    A label that is unclear, or a code for unknown, or names several diagnoses, has none.
    """
    classes = {meaning(label): label for label in reversed(labels) if not suspected(label)}
    sure = {label: classes.get(meaning(suspected(label)), "") for label in labels}
    return {
        label: sure[label]
        for label in labels
        if label not in decided
        and (
            sure[label]
            or is_unclear(label)
            or is_diagnosis(suspected(label))
            or _is_several(label, classes)
            or may_be_unknown(label, labels)
        )
    }


def _why_unsure(label: str) -> str:
    if is_number(label):
        codes = ", ".join(map(str, CODES_FOR_UNKNOWN))
        return f"a number that often stands for unknown, as {codes} do"
    if is_unclear(label):
        return "no diagnosis"
    return "only a suspicion" if suspected(label) else "several diagnoses"


def _parts(label: str) -> list[str]:
    """Meanings of some of a label's words that follow each other, of the most words first."""
    found = words(label)
    return [
        meaning(" ".join(found[start : start + length]))
        for length in range(len(found) - 1, 0, -1)
        for start in range(len(found) - length + 1)
    ]


def names_several(label: str) -> bool:
    """Whether a label names two or more diagnoses that are known.

    Example:
        >>> names_several("Melanoma / naevus"), names_several("lesion / other")
        (True, False)
    """
    return _is_several(label, OTHER_NAMES)


def _is_several(label: str, classes: Collection[str]) -> bool:
    """Whether a label names two or more of these meanings, as `nevus / melanoma` does."""
    parts = {meaning(part) for part in SEPARATORS.split(label)}
    return len(parts) > 1 and parts <= set(classes)


def _counted(label: str, counts: Counter[str]) -> str:
    return f"{label!r} ({counts[label]:,} image{'s' * (counts[label] != 1)})"


def _pairs(labels: Sequence[str], key: Callable[[str], str]) -> list[tuple[str, str]]:
    """The first label with each key, beside each later one."""
    first: dict[str, str] = {}
    pairs = [(first.setdefault(key(label), label), label) for label in labels]
    return [pair for pair in pairs if pair[0] != pair[1]]


def _plain_meaning(label: str) -> str:
    """The meaning without a remark behind it, or a number beside a diagnosis.

    For example of `BCC (nodular)`, `melanoma, Breslow 0.4 mm` and `Melanoma 2021`.
    """
    return meaning(_without_number(REMARK.sub("", label) or label))


def _without_number(label: str) -> str:
    """A label without a number beside a diagnosis; other labels stay as they are."""
    bare = NUMBER.sub("", label)
    return bare if is_diagnosis(bare) and not is_diagnosis(label) else label


def _whole(label: str) -> str:
    """A whole number without the `.0` that programs add when a column has empty cells."""
    number, point, rest = label.partition(".")
    return number if point and number.isdecimal() and rest.strip("0") == "" else label


def _misspelt(labels: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of labels of which one is a slip of the other."""
    few = labels if len(labels) <= MOST_CLASSES else ()
    return [pair for pair in combinations(few, 2) if is_misspelt(*pair)]


def _options(pairs: Iterable[tuple[str, str]]) -> str:
    """Options of the command line that read labels as classes."""
    return " ".join("--labels " + shlex.quote(f"{label}={name}") for label, name in pairs)
