"""Arguments of the Python API, checked against the annotations of its functions."""

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import numpy as np
from pydantic import BeforeValidator, ConfigDict, create_model, model_validator

from dermaug.config.section import Section
from dermaug.experiment_file import validate_section

P = ParamSpec("P")
R = TypeVar("R")


def _path(value: object) -> object:
    if not isinstance(value, str | Path):
        raise ValueError(f"expected a path, as text or pathlib.Path; found {value!r:.80}")
    return value


AnyPath = Annotated[str | Path, BeforeValidator(_path)]
"""A path as users write it; `dermaug.files.expanded` reads it."""


class _Arguments(Section):
    """Base of the arguments of a function; numbers of numpy are taken for those of Python."""

    model_config = ConfigDict(arbitrary_types_allowed=True, use_attribute_docstrings=False)

    @model_validator(mode="before")
    @classmethod
    def _of_python(cls, value: Any) -> Any:  # noqa: ANN401
        return _plain(value)


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function refuse arguments that its annotations do not allow.

    Types are strict, as in experiment files: "3", 3.0 and True are no whole numbers.

    Returns:
        The function, which raises `DermaugError` with a line per wrong argument. A call that does
        not fit the signature is a `TypeError`, as of any function.

    Example:
        >>> @checked
        ... def double(number: int) -> int:
        ...     return 2 * number
        >>> double(np.int64(3))
        6
        >>> double("3")
        Traceback (most recent call last):
        dermaug.errors.DermaugError: double: 1 error in the arguments
          number: Input should be a valid integer; found '3'
    """
    signature = inspect.signature(function)
    fields: dict[str, Any] = {
        name: (each.annotation, ...)
        if each.kind is not each.VAR_POSITIONAL
        else (tuple[each.annotation, ...], ...)  # type: ignore[name-defined]
        for name, each in signature.parameters.items()
    }
    arguments = create_model(function.__name__, __base__=_Arguments, **fields)

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        given = signature.bind(*args, **kwargs)
        given.apply_defaults()
        found = validate_section(arguments, given.arguments, function.__name__, "arguments")
        given.arguments.update({name: getattr(found, name) for name in fields})
        return function(*given.args, **given.kwargs)

    return call


def _plain(value: Any) -> Any:  # noqa: ANN401
    match value:
        case np.generic():
            return value.item()
        case Mapping():
            return {_plain(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return tuple(map(_plain, value))
    return value
