from pathlib import Path
from random import Random

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st
from reliability.soak import random_experiment

from dermaug.config import Experiment
from dermaug.errors import DermaugError
from dermaug.experiment_file import difference, read_experiment, validate_experiment

SMALL = 'name = "x"\n[[arms]]\nname = "real"\n'


def read(tmp_path: Path, text: str, *overrides: str) -> Experiment:
    path = tmp_path / "x.toml"
    path.write_text(text)
    return read_experiment(path, overrides)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[data]\nsiez = 32\n", "data.siez: unknown key; did you mean 'size'?"),
        ("[splits]\nsize = 32\n", "splits.size: unknown key; did you mean 'data.size'?"),
        ("[[data]]\nsize = 64\n", "data: expected one table, [data]; found several"),
        ('[[arms]]\nname = "a b"\n', "arms.1.name: expected letters, digits and the signs"),
        ('[[arms]]\nname = "Real"\n', "arms 'real' and 'Real' differ in capitals only"),
        ("[splits]\nlesions = [3, 3]\n", "splits.lesions has duplicates"),
        ("[splits]\nfolds = 5\nholdout = 0.5\n", "folds and splits.holdout exclude each other"),
        ("[data]\nsize = 3\n", "data.size: Input should be greater than or equal to 16; found 3"),
        ('[data]\nsize = "big"\n', "data.size"),
        ("[splits]\nfolds = 3\nrun = [3]\n", "run: fold 3 does not exist; there are 3"),
        ('[[classifiers]]\npretrained = true\nweights = "a"\n', "exclude each other"),
        ('[[arms]]\nname = "real"\n', "two arms are named 'real'"),
        ('[[arms]]\nname = "../x"\n', "arms.1.name"),
        ('[[classifiers]]\nname = "../x"\n', "classifiers.0.name"),
        ("[splits]\nrun = [0, 0]\n", "splits.run has duplicates"),
        ("[[generators]]\nseeds = [1, 1]\n", "generators.0.seeds has duplicates"),
        ('[[arms]]\nname = "s"\nsynthetic = { dose = 1 }\n', "needs generator 'dcgan'"),
        ('[[arms]]\nname = "s"\nsynthetic = { }\n', "exactly one of dose and balance"),
        ('[[arms]]\nname = "s"\ncritic = "acgan"\n', "arms.1.critic: use discriminator"),
        (
            '[[arms]]\nname = "s"\nsynthetic = { dose = 1, own_norm = true }\n',
            "arms.1.synthetic.own_norm: batch norm of its own for the dose was removed",
        ),
        (
            '[[arms]]\nname = "s"\nsynthetic = { doses = [1, 2] }\n',
            "arms.1.synthetic.doses: give the list as dose",
        ),
        ('[[arms]]\nname = "s"\nsynthetic = { balance = [] }\n', "arms.1.synthetic.balance"),
    ],
)
def test_wrong_experiment_names_key_and_remedy(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(DermaugError) as caught:
        read(tmp_path, SMALL + text)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("override", "lines"),
    [
        (
            "arms.1.synthetic.dose=-4",
            ["arms.1.synthetic.dose: Input should be greater than or equal to 0; found -4"],
        ),
        (
            "arms.1.synthetic.dose={mel = -4}",
            ["arms.1.synthetic.dose.mel: Input should be greater than or equal to 0; found -4"],
        ),
        ("arms=[]", ["arms: expected at least 1 entry, found none"]),
        ("seed=3", ["seed: unknown key; did you mean 'splits.seed' or 'data.phantom.seed'?"]),
        (
            "arms.0.name=synthetic-replay",
            [
                "two arms are named 'synthetic-replay' (dermaug adds replays, doses and a shorter "
                "reference); give each its own name"
            ],
        ),
    ],
)
def test_one_mistake_is_one_line(tmp_path: Path, override: str, lines: list[str]) -> None:
    text = SMALL + '[[arms]]\nname = "synthetic"\nsynthetic = { dose = 4 }\n[[generators]]\n'
    with pytest.raises(DermaugError) as caught:
        read(tmp_path, text, override)
    assert list(caught.value.details) == lines


def test_folds_that_a_holdout_would_ignore_are_refused(tmp_path: Path) -> None:
    text = SMALL + "[splits]\nholdout = 0.5\n"
    with pytest.raises(DermaugError, match="exclude each other"):
        read(tmp_path, text, "splits.folds=5")
    folds = SMALL + "[splits]\nfolds = 4\n"
    assert read(tmp_path, folds, "splits.holdout=0.5").splits.number == 1


def test_all_wrong_keys_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(DermaugError) as caught:
        read(tmp_path, SMALL + "[data]\nsiez = 1\nmargin = -1\n")
    assert len(caught.value.details) == 2


@pytest.mark.parametrize("text", ["name =", "\xff\xfe", "[a]\n[a]\n"])
def test_file_that_is_not_toml(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DermaugError, match="not a readable TOML file"):
        read_experiment(path)


def test_overrides_reach_tables_and_lists(tmp_path: Path) -> None:
    text = SMALL + '[[classifiers]]\nmodel = "resnet18"\n'
    asked = read(
        tmp_path, text, "data.size=32", "classifiers.0.images=7", "data.source=/a/b", "seeds=[3, 4]"
    )
    assert (asked.data.size, asked.classifiers[0].images) == (32, 7)
    assert (asked.data.source, asked.seeds) == ("/a/b", (3, 4))


@pytest.mark.parametrize(
    "override", ["data.size", "=3", "classifiers.5.images=1", "classifiers.-1.images=1", "name.x=1"]
)
def test_override_without_a_place(tmp_path: Path, override: str) -> None:
    with pytest.raises(DermaugError, match="--set"):
        read(tmp_path, SMALL + "[[classifiers]]\n", override)


def test_list_entries_and_long_numbers_are_said_plainly(tmp_path: Path) -> None:
    for override, told in (
        ("arms[1].name=x", r"write arms\.1\.name, with a point instead of \[1\]"),
        ("data.size=" + "9" * 5_000, "a number of thousands of digits"),
    ):
        with pytest.raises(DermaugError, match=told):
            read(tmp_path, SMALL, override)
    with pytest.raises(DermaugError) as caught:
        read(tmp_path, SMALL + "[str]\nx = 1\n")
    assert caught.value.details[0].startswith("str: unknown key")


def test_difference_names_the_leaves() -> None:
    tree = {"name": "x", "arms": [{"name": "real"}]}
    old = validate_experiment(tree, "old")
    new = validate_experiment(tree | {"data": {"size": 32}, "seeds": [0, 1]}, "new")
    assert difference(old, old) == []
    assert difference(old, new) == ["data.size: 64 -> 32", "seeds: [0] -> [0, 1]"]


@given(
    size=st.integers(16, 1024),
    seeds=st.lists(st.integers(0, 99), min_size=1, max_size=4, unique=True),
    dose=st.dictionaries(st.sampled_from(["mel", "df"]), st.integers(1, 9), min_size=1),
)
def test_round_trip_through_json(size: int, seeds: list[int], dose: dict[str, int]) -> None:
    tree = {
        "name": "x",
        "seeds": seeds,
        "data": {"size": size},
        "generators": [{"family": "dcgan"}],
        "arms": [{"name": "s", "synthetic": {"dose": dose}}],
    }
    asked = validate_experiment(tree, "first")
    assert validate_experiment(asked.model_dump(mode="json"), "second") == asked


@given(draw=st.randoms(use_true_random=False))
def test_any_valid_experiment_survives_the_round_trip(draw: Random) -> None:
    try:
        asked = validate_experiment(random_experiment(draw), "first")
    except DermaugError:  # some contradict themselves
        reject()
    assert validate_experiment(asked.model_dump(mode="json"), "second") == asked


def test_a_dose_of_nothing_is_refused(tmp_path: Path) -> None:
    for dose in ("0", "{ mel = 0 }", "[0]"):
        text = SMALL + f'[[generators]]\n[[arms]]\nname = "s"\nsynthetic = {{ dose = {dose} }}\n'
        with pytest.raises(DermaugError) as caught:
            read(tmp_path, text)
        assert "a dose of 0 adds no image" in str(caught.value)
