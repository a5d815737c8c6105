"""Read and check experiment files; unknown keys are reported with the nearest valid name."""

import difflib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from dermaug.config import Experiment, Section
from dermaug.errors import DermaugError

Checked = TypeVar("Checked", bound=Section)
REMOVED = {
    "critic": "use discriminator",
    "critic_rate": "use discriminator_rate",
    "own_norm": "batch norm of its own for the dose was removed; it did not help",
    "doses": "give the list as dose",
    "balances": "give the list as balance",
}
"""Keys of earlier versions -> advice."""


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
        tree = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise DermaugError(
            f"no experiment file at {path}; the shipped ones are in experiments/"
        ) from None
    except (OSError, ValueError, RecursionError) as error:  # UTF-8 and TOML: both ValueError
        raise DermaugError(f"{path}: not a readable TOML file: {error}") from None
    for override in overrides:
        apply_override(tree, override)
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
        lines = list(dict.fromkeys(map(_explain, _causes(error))))
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
    node: Any = tree
    try:
        for part in parts[:-1]:
            node = node[int(part)] if isinstance(node, list) else node.setdefault(part, {})
        if isinstance(node, list):
            node[int(parts[-1])] = _parse(key, text)
        else:
            node[parts[-1]] = _parse(key, text)
    except (IndexError, ValueError, TypeError, AttributeError):
        raise DermaugError(f"--set {key}: the experiment has no such entry") from None


def _parse(key: str, text: str) -> Any:  # noqa: ANN401
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text.strip()
    except (ValueError, RecursionError) as error:
        raise DermaugError(f"--set {key}: not a valid TOML value: {error}") from None
    if list(parsed) != ["value"]:
        raise DermaugError(f"--set {key}: expected one value, found several lines of TOML")
    return parsed["value"]


def _causes(error: ValidationError) -> list[Any]:
    """What is wrong, without a list's complaint of being too short for its entries being wrong."""
    problems: list[Any] = list(error.errors())
    places = [problem["loc"] for problem in problems]
    return [
        problem
        for problem in problems
        if problem["type"] != "too_short"
        or not any(
            len(place) > len(problem["loc"]) and place[: len(problem["loc"])] == problem["loc"]
            for place in places
        )
    ]


def _explain(problem: Any) -> str:  # noqa: ANN401
    # pydantic puts the branch of a choice of types into the place: dose.dict[str,...], dose.int.
    where = ".".join(str(part) for part in problem["loc"] if not _is_type(part))
    if problem["type"] == "extra_forbidden":
        key = str(problem["loc"][-1])
        if key in REMOVED:
            return f"{where}: {REMOVED[key]}"
        close = difflib.get_close_matches(key, _known_keys(), n=1)
        return f"{where}: unknown key" + (f"; did you mean {close[0]!r}?" if close else "")
    if problem["type"] == "missing":
        return f"{where}: required, but missing"
    # A tuple is what a frozen section makes of the file's list.
    message = problem["msg"].removeprefix("Value error, ").replace("valid tuple", "valid list")
    if problem["type"] == "value_error":
        return f"{where}: {message}" if where else message
    return f"{where}: {message}; found {problem['input']!r:.80}"


def _is_type(part: str | int) -> bool:
    pattern = r"\w+\[.*\]|constrained-\w+|bool|int|float|str"
    return isinstance(part, str) and bool(re.fullmatch(pattern, part))


def _known_keys() -> list[str]:
    pending: list[type[Section]] = Section.__subclasses__()
    fields = (item for section in pending for item in section.model_fields.items())
    return sorted({field.alias or name for name, field in fields})
