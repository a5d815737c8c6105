"""What every table of an experiment refuses: numbers that are none, and numbers without end."""

import math
from collections.abc import Iterator
from typing import Any

import pytest

from dermaug.config import ClassifierConfig, DataConfig, Experiment, Section
from dermaug.errors import DermaugError
from dermaug.experiment_file import validate_section
from dermaug.generators import FAMILIES

NUMBERS = ("integer", "number")
UPPER = ("maximum", "exclusiveMaximum")


def unbounded(schema: Any, place: str = "") -> Iterator[str]:
    """Places of numbers without an upper bound."""
    if isinstance(schema, list):
        for item in schema:
            yield from unbounded(item, place)
    elif isinstance(schema, dict):
        if schema.get("type") in NUMBERS and not any(key in schema for key in UPPER):
            yield place
        for key, item in schema.items():
            yield from unbounded(item, f"{place}.{key}" if isinstance(item, dict) else place)


def test_every_number_of_an_experiment_has_an_upper_bound() -> None:
    found = list(unbounded(Experiment.model_json_schema()))
    # What timm or a generator family takes is checked by them.
    assert [place for place in found if ".options." not in place] == []
    assert found


@pytest.mark.parametrize("family", FAMILIES)
def test_every_number_of_a_family_has_an_upper_bound(family: str) -> None:
    schema = FAMILIES[family].Options.model_json_schema()
    found = [place for place in unbounded(schema) if "backbone_options" not in place]
    fixed = [place for place in found if "enum" in schema["properties"][place.split(".")[2]]]
    assert found == fixed


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        (DataConfig, "size", True),
        (DataConfig, "size", "64"),
        (DataConfig, "size", 64.0),
        (DataConfig, "margin", True),
        (DataConfig, "margin", math.nan),
        (DataConfig, "source", ""),
        (DataConfig, "source", 5),
        (DataConfig, "limit", True),
        (DataConfig, "limit", {"mel": "5"}),
        (DataConfig, "phantom", {"balanced": 1}),
        (DataConfig, "phantom", {"seed": 2**32}),
        (DataConfig, "classes", "mel"),
        (DataConfig, "external_test", [""]),
        (ClassifierConfig, "rate", math.inf),
        (ClassifierConfig, "rate", "1e-3"),
        (ClassifierConfig, "rate", 11),
        (ClassifierConfig, "batch", 65_537),
        (ClassifierConfig, "dropout", False),
        (ClassifierConfig, "pretrained", "yes"),
        (ClassifierConfig, "options", {"drop_path_rate": math.nan}),
    ],
)
def test_value_of_another_type_or_without_end_is_refused(
    section: type[Section], key: str, value: object
) -> None:
    with pytest.raises(DermaugError) as caught:
        validate_section(section, {key: value}, "x.toml")
    assert all(detail.startswith(f"{key}") for detail in caught.value.details)
    assert caught.value.details


def test_integer_is_a_float_and_a_list_a_tuple() -> None:
    asked = validate_section(
        DataConfig, {"margin": 1, "classes": ["mel"], "groups": {"a": ["nv"]}}, ""
    )
    assert (asked.margin, asked.classes, asked.groups) == (1.0, ("mel",), {"a": ("nv",)})
    assert isinstance(asked.margin, float)


def test_section_comes_back_from_its_own_json() -> None:
    asked = ClassifierConfig(options={"a": True, "b": 2, "c": 0.5, "d": "e"}, expect_missing=("x",))
    again = validate_section(ClassifierConfig, asked.model_dump(mode="json"), "")
    assert again == asked
    assert [type(value) for value in again.options.values()] == [bool, int, float, str]


def test_list_is_called_a_list() -> None:
    with pytest.raises(DermaugError, match="classes: Input should be a valid list; found 'mel'"):
        validate_section(DataConfig, {"classes": "mel"}, "x.toml")
