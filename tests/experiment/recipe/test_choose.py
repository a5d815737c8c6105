"""A plan fits the data and the hours, and says what it can tell."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from dermaug.config.data import Reading
from dermaug.errors import DermaugError
from dermaug.experiment.launchers.launch_options import Launch
from dermaug.experiment.recipe import rules
from dermaug.experiment.recipe.choose import Plan, make_plan
from dermaug.experiment.recipe.clock import Clock
from dermaug.experiment.recipe.draft import draft, image_side, study_name, worth_drawing
from dermaug.experiment.recipe.look import ClassCount, Look
from dermaug.experiment.recipe.plan_file import toml_text
from dermaug.experiment.recipe.rules import RUNGS
from dermaug.experiment.recipe.sentences import plan_record, plan_sentences, plan_text
from dermaug.experiment.recipe.wishes import Wishes
from dermaug.experiment_file import read_experiment, validate_experiment

SECONDS = {
    "classifiers/fridadar": 6e-4,
    "generators/cgan": 3e-3,
    "classifiers/efficientnet-tuned": 6e-3,
    "generators/projected": 6e-3,
}
"""Per image at 32 px: a machine whose speed does not depend on who else uses it."""


@pytest.fixture(scope="module", autouse=True)
def _steady_machine() -> Iterator[None]:
    def known(clock: Clock, _experiment: object, _jobs: int) -> None:
        clock.measured[32] = SECONDS

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Clock, "measure", known)
        yield


def made(folder: Path, hours: float | None = None, *settings: str) -> Plan:
    return make_plan(str(folder), hours, Launch("cpu"), Wishes(settings))


@pytest.fixture(scope="module")
def default(photographs: Path) -> Plan:
    return made(photographs)


def test_plan_of_few_photographs_fits_the_default_hours_and_says_what_few_can_tell(
    default: Plan,
) -> None:
    plan = default
    assert plan.chosen.hours <= plan.hours == rules.HOURS[0]
    assert [each.label for each in plan.look.classes] == ["Melanom", "Nävus (gutartig)"]
    assert [each.label for each in plan.look.too_few] == ["DF"]
    assert len(plan.look.unusable) == 1
    assert plan.chosen.power.is_judged
    told = "\n".join(plan_sentences(plan))
    assert "Left out, with fewer than 6 lesions: DF (5)." in told
    assert 'data.on_bad = "skip": Left out: 1 file that cannot be used, ' in told
    assert "/broken.jpg (" in told
    assert (
        "36 images counted as lesions are the limit: however long a study of them runs, it " in told
    )
    assert "None of them finds much smaller differences than this plan: more lesions would." in told
    assert plan.more_lesions > 10
    assert plan.least < plan.chosen.power.balanced_accuracy
    assert [offer.draft.rung for offer in plan.stronger] == list(RUNGS[1:])


def test_file_of_a_plan_is_the_planned_experiment(default: Plan, tmp_path: Path) -> None:
    plan = default
    path = tmp_path / "plan.toml"
    path.write_text(plan_text(plan), encoding="utf-8")
    assert read_experiment(path) == plan.chosen.experiment
    assert plan.chosen.experiment.name == "My-photographs-Marz"
    arms = {arm.name: arm for arm in plan.chosen.experiment.arms}
    assert next(iter(arms)) == "classic"
    assert arms["classic+synthetic-replay"].replay_of == "classic+synthetic"
    comments = [line for line in path.read_text("utf-8").splitlines() if line.startswith("#")]
    assert max(map(len, comments)) <= 100
    record = plan_record(plan, path)
    assert record["chosen"]["rung"] == plan.chosen.draft.rung.name
    assert record["reasons"].keys() >= {"seeds", "data.size", "arms.classic+synthetic"}


def test_more_hours_buy_a_stronger_study_and_fewer_a_shorter_one(
    photographs: Path, default: Plan
) -> None:
    short, long = (made(photographs, hours) for hours in (0.06, 10.0))
    assert short.chosen.draft.length < 1.0
    assert default.chosen.draft.length == 1.0
    assert [plan.chosen.hours <= plan.hours for plan in (short, default, long)] == [True] * 3
    assert len(long.chosen.jobs.in_order) > len(default.chosen.jobs.in_order)
    assert RUNGS.index(long.chosen.draft.rung) > RUNGS.index(default.chosen.draft.rung)
    with pytest.raises(DermaugError, match="the smallest study"):
        made(photographs, 0.02)


def test_settings_of_the_user_are_kept(photographs: Path) -> None:
    plan = made(photographs, None, "data.size=48", "seeds=[7, 8]", "splits.group=lesion")
    experiment = plan.chosen.experiment
    assert (experiment.data.size, experiment.seeds, experiment.splits.group) == (
        48,
        (7, 8),
        "lesion",
    )
    labels = {"DF": "Melanom", "Melanom": "Melanom"}
    plan = make_plan(str(photographs), None, Launch("cpu"), Wishes(reading=Reading(labels)))
    assert [each.images for each in plan.look.classes] == [17, 24]
    with pytest.raises(DermaugError, match="at least two classes"):
        made(photographs, None, 'data.classes=["DF", "Melanom"]')


def look_with(**numbers: int) -> Look:
    classes = tuple(ClassCount(label, number, number) for label, number in numbers.items())
    return replace(_EMPTY, classes=classes)


_EMPTY = Look(None, (), (), (1, 1, 1), {}, (), None, "cpu")  # type: ignore[arg-type]


def test_classes_that_lack_images_but_can_be_learnt_are_synthesised() -> None:
    assert worth_drawing(look_with(nv=6_000, mel=1_000, df=100, rare=10), 5) == ("mel", "df")
    assert worth_drawing(look_with(nv=9_000, mel=8_000), 5) == ("nv", "mel")
    # Not the most frequent class alone, which needs no images.
    assert worth_drawing(look_with(nv=29, mel=10, df=8), 3) == ("nv", "mel", "df")


@pytest.mark.parametrize(
    ("weights", "start"), [("package", ("package", False)), ("hub", ("", True)), ("", None)]
)
def test_a_pretrained_network_is_planned_where_its_weights_can_be_had(
    weights: str, start: tuple[str, bool] | None
) -> None:
    look = replace(look_with(nv=100, mel=50), weights=weights)
    look = replace(look, catalog=SimpleNamespace(name="mine"))  # type: ignore[arg-type]
    tree = draft(look, RUNGS[-1], 2, {"data": {"source": "mine"}}).tree
    asked = validate_experiment(tree, "draft")
    pretrained = [(each.weights, each.pretrained) for each in asked.classifiers[1:]]
    assert pretrained == ([start] if start else [])
    assert asked.generators[0].family == ("projected" if start else "cgan")


def test_images_are_as_large_as_the_photographs_allow() -> None:
    assert [image_side(RUNGS[-1], side) for side in (20, 64, 100, 4_000)] == [32, 64, 64, 128]


def test_names_of_folders_become_names_of_studies() -> None:
    assert study_name("  Ärzte: 2026/07 ") == "Arzte-2026-07"
    assert study_name("皮膚") == "study"


def test_toml_of_any_tree_is_read_back() -> None:
    tree = {
        "name": 'a "b" \\ \n',
        "empty": [],
        "data": {"sub": {"key with space": [1, 20_000, True]}, "x": 1.5},
        "arms": [{"name": "one", "dose": {"a": 1}}, {"name": "two"}],
    }
    text = toml_text(
        tree, {"arms": "About arms.", "arms.two": "Second.", "data.x": "Why."}, ["Head."]
    )
    assert text.startswith("# Head.\n")
    assert "# About arms.\n[[arms]]\n" in text
    assert '# Second.\n[[arms]]\nname = "two"' in text
    with pytest.raises(DermaugError, match="cannot be written as TOML"):
        toml_text({"data": {"source": "\x7f"}}, {}, [])
