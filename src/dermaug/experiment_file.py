"""Read and check experiment files; unknown keys are reported with the nearest valid name."""

import difflib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import ValidationError

from dermaug.config import Experiment, Section
from dermaug.errors import DermaugError
from dermaug.whole_numbers import whole_number

Checked = TypeVar("Checked", bound=Section)
NAME_RULE = "expected letters, digits and the signs _ . + - only, a letter or digit first"
LISTED = re.compile(r"\[([0-9]+)\]")
"""An entry of a list as programmers write it."""
REMOVED = {
    "critic": "use discriminator",
    "critic_rate": "use discriminator_rate",
    "own_norm": "batch norm of its own for the dose was removed; it did not help",
    "doses": "give the list as dose",
    "balances": "give the list as balance",
}
"""Keys of earlier versions -> advice."""

NOT_UTF_8 = "not a readable TOML file: expected UTF-8 text; save it as UTF-8"


def read_experiment(path: Path, overrides: Sequence[str] = ()) -> Experiment:
    """Read and check an experiment file.

    Args:
        path: TOML file.
        overrides: `a.b=value` each, value in TOML's notation (a bare word is a string); a number
            in the key names an entry of a list, as in `classifiers.0.images=1000`.

    Raises:
        DermaugError: Names every wrong key with its nearest right name.
    """
    try:
        if path.exists() and not path.is_file():
            raise DermaugError(f"{path}: expected a TOML file, found a folder or a device")
        text = path.read_text(encoding="utf-8-sig")
        if "\0" in text:  # UTF-16 without a mark
            raise DermaugError(f"{path}: {NOT_UTF_8}")
        tree = tomllib.loads(text)
    except FileNotFoundError:
        raise DermaugError(
            f"no experiment file at {path}; shipped ones are named without a path, see `dermaug "
            "run --list`"
        ) from None
    except UnicodeDecodeError:
        raise DermaugError(f"{path}: {NOT_UTF_8}") from None
    except (OSError, ValueError, RecursionError) as error:  # UTF-8 and TOML: both ValueError
        raise DermaugError(f"{path}: not a readable TOML file: {_fault(error)}") from None
    asked = [override.partition("=")[0].strip() for override in overrides]
    splits = tree.get("splits")
    both = isinstance(splits, dict) and {"folds", "holdout"} <= splits.keys()
    for override in overrides:
        apply_override(tree, override)
    if both or ("splits.folds" in asked and "holdout" in tree["splits"]):
        raise DermaugError(
            f"{path}: splits.folds and splits.holdout exclude each other: a holdout is the only "
            "test split; remove one from the file"
        )
    return validate_experiment(tree, str(path))


def validate_experiment(tree: Mapping[str, Any], origin: str) -> Experiment:
    """Turn a tree of plain values into an `Experiment`; `origin` names it in errors."""
    return validate_section(Experiment, tree, origin)


def validate_section(
    section: type[Checked], tree: Mapping[str, Any], origin: str, what: str = "experiment"
) -> Checked:
    """Turn a tree of plain values into a section; `origin` and `what` name it in errors.

    Raises:
        DermaugError: Names every wrong key with its nearest right name.
    """
    try:
        return section.model_validate(tree)
    except ValidationError as error:
        places = _places(section)
        lines = list(dict.fromkeys(_explain(each, places) for each in _causes(error)))
        noun = "error" if len(lines) == 1 else "errors"
        raise DermaugError(f"{origin}: {len(lines)} {noun} in the {what}", lines) from None
    except RecursionError:
        raise DermaugError(f"{origin}: values within values without end") from None


def difference(old: Experiment, new: Experiment) -> list[str]:
    """Lines `key: old -> new` for every leaf in which two experiments differ."""
    before, after = (dict(_leaves(tree.model_dump(mode="json"))) for tree in (old, new))
    return [
        f"{key}: {before.get(key, 'absent')} -> {after.get(key, 'absent')}"
        for key in sorted(before.keys() | after.keys())
        if before.get(key, "absent") != after.get(key, "absent")
    ]


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    match value:
        case dict() if value:
            for key, item in value.items():
                yield from _leaves(item, f"{path}.{key}" if path else str(key))
        case list() if value and isinstance(value[0], dict):
            for index, item in enumerate(value):
                yield from _leaves(item, f"{path}.{index}")
        case _:
            yield path, json.dumps(value)


def apply_override(tree: dict[str, Any], override: str) -> None:
    """Set one entry of a tree of plain values.

    Args:
        tree: Changed in place.
        override: `a.b=value`, as for `read_experiment`.

    Raises:
        DermaugError: It is no assignment, or the tree has no such entry.
    """
    key, equals, text = override.partition("=")
    parts = key.strip().split(".")
    if not equals or not all(parts):
        raise DermaugError(f"--set expects key=value, for example data.size=32; found {override!r}")
    if listed := LISTED.search(key):
        pointed = LISTED.sub(r".\1", key)
        raise DermaugError(f"--set {key}: write {pointed}, with a point instead of {listed[0]}")
    node: Any = tree
    try:
        for part in parts[:-1]:
            node = node[_place(part)] if isinstance(node, list) else node.setdefault(part, {})
        if isinstance(node, list):
            node[_place(parts[-1])] = _parse(key, text)
        else:
            node[parts[-1]] = _parse(key, text)
    except (IndexError, ValueError, TypeError, AttributeError):
        raise DermaugError(f"--set {key}: the experiment has no such entry") from None


def _place(text: str) -> int:
    """Place in a list; `int` would take -1 for the last one."""
    number = whole_number(text)
    if number is None:
        raise ValueError
    return number


def _parse(key: str, text: str) -> Any:  # noqa: ANN401
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text.strip()
    except (ValueError, RecursionError) as error:
        raise DermaugError(f"--set {key}: not a valid TOML value: {_fault(error)}") from None
    if list(parsed) != ["value"]:
        raise DermaugError(f"--set {key}: expected one value, found several lines of TOML")
    return parsed["value"]


def _fault(error: Exception) -> str:
    """What is wrong with a TOML text; Python advises programmers on numbers of many digits."""
    return (
        "a number of thousands of digits" if "set_int_max_str_digits" in str(error) else str(error)
    )


def _causes(error: ValidationError) -> list[Any]:
    """What is wrong: of a choice of types, only what fits the value that was given.

    A list is not called too short where its entries are wrong, and where a value has the right type
    and is wrong otherwise, or has wrong entries, other types are no remedy.
    """
    problems: list[Any] = list(error.errors())
    places = [_path(problem) for problem in problems]

    def explained(problem: Any, place: tuple[Any, ...]) -> bool:  # noqa: ANN401
        deeper = any(len(each) > len(place) and each[: len(place)] == place for each in places)
        same = [each for each, there in zip(problems, places, strict=True) if there == place]
        is_type = problem["type"].endswith("_type")
        wrong = any(not each["type"].endswith("_type") for each in same)
        return (deeper and (is_type or problem["type"] == "too_short")) or (is_type and wrong)

    return [
        problem
        for problem, place in zip(problems, places, strict=True)
        if not explained(problem, place)
    ]


def _path(problem: Any) -> tuple[Any, ...]:  # noqa: ANN401
    # pydantic puts the branch of a choice of types into the place: dose.dict[str,...], dose.int.
    return tuple(part for part in problem["loc"] if not _is_type(part))


def _explain(problem: Any, places: Mapping[str, list[str]]) -> str:  # noqa: ANN401
    where = ".".join(map(str, _path(problem)))
    found = _shown(problem["input"])
    match problem["type"]:
        case "extra_forbidden":
            return _unknown(where, str(problem["loc"][-1]), places)
        case "missing":
            return f"{where}: required, but missing"
        case "string_pattern_mismatch":
            return f"{where}: {NAME_RULE}; found {found}"
        case "model_type":
            several = " several ([[...]])" if isinstance(problem["input"], tuple) else f" {found}"
            return f"{where}: expected one table, [{where}]; found{several}"
        case "is_instance_of":
            return f"{where}: expected a {problem['ctx']['class']}, found {found}"
        case "too_short" if not problem["input"]:
            return f"{where}: expected at least {problem['ctx']['min_length']} entry, found none"
    # A tuple is what a frozen section makes of the file's list.
    message = problem["msg"].removeprefix("Value error, ").replace("valid tuple", "valid list")
    message = message.replace("a valid dictionary", "a table of keys and values")
    if problem["type"] == "value_error":
        return f"{where}: {message}" if where else message
    return f"{where}: {message}; found {found}"


def _shown(value: object) -> str:
    """The beginning of a value; of what takes several lines, its type."""
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python writes
        text = "\n"
    return f"a value of type {type(value).__name__}" if "\n" in text else f"{text:.80}"


def _unknown(where: str, key: str, places: Mapping[str, list[str]]) -> str:
    """What an unknown key may be meant to be, and in which table it belongs."""
    if key in REMOVED:
        return f"{where}: {REMOVED[key]}"
    close = [key] if key in places else difflib.get_close_matches(key, places, n=1)
    where = where or key  # a key may look like the name of a type
    if not close:
        return f"{where}: unknown key"
    table = [part for part in where.split(".")[:-1] if not part.isdecimal()]
    here = ".".join([*table, close[0]])
    meant = [close[0]] if here in places[close[0]] else places[close[0]]
    return f"{where}: unknown key; did you mean {' or '.join(map(repr, meant))}?"


def _is_type(part: str | int) -> bool:
    pattern = r"\w+\[.*\]|constrained-\w+|bool|int|float|str"
    return isinstance(part, str) and bool(re.fullmatch(pattern, part))


def _places(section: type[Section]) -> dict[str, list[str]]:
    """Key -> every place where a section and the tables in it have it, for example data.size."""
    found: dict[str, list[str]] = {}
    pending = [(section, "")]
    while pending:
        current, prefix = pending.pop(0)
        for name, item in current.model_fields.items():
            key = item.alias or name
            found.setdefault(key, []).append(f"{prefix}{key}")
            pending += [(each, f"{prefix}{key}.") for each in _sections(item.annotation)]
    return found


def _sections(kind: Any) -> list[type[Section]]:  # noqa: ANN401
    if isinstance(kind, type) and issubclass(kind, Section):
        return [kind]
    return [each for part in get_args(kind) for each in _sections(part)]
