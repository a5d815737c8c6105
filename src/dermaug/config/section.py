"""Base of every table of the experiment file; imports no torch."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

Name = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$", max_length=60)
MOST_IMAGES = 10_000_000
"""Largest number of images of one class, more than any collection contains."""
Images = Annotated[int, Field(ge=0, le=MOST_IMAGES)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]


class Section(BaseModel):
    """Base of every table of the experiment file: immutable; a misspelt key is an error.

    Types are as TOML knows them: `true` is no number, "5" is none, an integer is a float; neither
    infinity nor nan is a number to work with.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        strict=True,
        allow_inf_nan=False,
        validate_default=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _frozen_lists(cls, value: Any) -> Any:  # noqa: ANN401
        return _as_tuples(value)


def _as_tuples(value: Any) -> Any:  # noqa: ANN401
    """TOML and JSON have lists where a frozen section has tuples."""
    match value:
        case dict():
            return {key: _as_tuples(item) for key, item in value.items()}
        case list():
            return tuple(map(_as_tuples, value))
    return value
