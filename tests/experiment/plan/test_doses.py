"""No class is shown more generated images for each real one than the arm allows."""

import pytest

from dermaug.config import Arm, SyntheticConfig
from dermaug.errors import DermaugError
from dermaug.experiment.plan.doses import above_limit, allowed

COUNTS = {"df": 20, "mel": 150, "nv": 900}


def arm(variants: int = 0, replay_of: str = "", **synthetic: object) -> Arm:
    dose = SyntheticConfig.model_validate({"family": "gan", "dose": 100} | synthetic)
    return Arm(name="gan", synthetic=dose, variants=variants, replay_of=replay_of)


def test_as_one_set_the_dose_has_no_more_images_than_real_ones() -> None:
    asked = {"df": 80, "mel": 150, "nv": 0}
    assert allowed(arm(), asked, COUNTS) == {"df": 20, "mel": 150, "nv": 0}
    assert allowed(arm(max_per_real=0.29), {"mel": 100}, {"mel": 100}) == {"mel": 29}
    assert allowed(arm(max_per_real=2.5), asked, COUNTS) == {"df": 50, "mel": 150, "nv": 0}


def test_fixed_variants_are_real_images() -> None:
    assert allowed(arm(variants=30), {"df": 80}, COUNTS) == {"df": 50}


@pytest.mark.parametrize(
    "without",
    [
        {"max_per_real": 0.0},
        {"only": True},
        {"family": "replay"},
        {"family": "oracle"},
        {"share": 0.3},  # how often images are shown is limited, not their number
    ],
)
def test_what_has_no_limit_on_its_images(without: dict[str, object]) -> None:
    assert allowed(arm(**without), {"df": 80}, COUNTS) == {"df": 80}


def test_a_folder_is_limited_as_a_generator_is() -> None:
    assert allowed(arm(family="", folder="somewhere"), {"df": 80}, COUNTS) == {"df": 20}


def test_what_was_asked_for_above_the_limit_is_told() -> None:
    asked = {"df": 80, "mel": 150}
    assert above_limit(arm(), "natural", asked, COUNTS) == {"df": 4.0}
    assert above_limit(arm(max_per_real=0.0), "natural", asked, COUNTS) == {}
    # Shown equally often, df has 0.3 / 3 of the dose and 0.7 / 3 of the real images.
    share = arm(share=0.3)
    assert above_limit(share, "balanced", {"df": 100, "mel": 100, "nv": 100}, COUNTS) == {}
    found = above_limit(share, "natural", {"df": 100, "mel": 100, "nv": 100}, COUNTS)
    expected = {label: 0.3 / 3 / (0.7 * COUNTS[label] / 1070) for label in ("df", "mel")}
    assert found == pytest.approx(expected)


def test_a_replay_is_shown_as_its_arm_is() -> None:
    replay = arm(family="replay", share=0.3, replay_of="gan")
    dose = {"df": 100, "mel": 100, "nv": 100}
    assert above_limit(replay, "natural", dose, COUNTS) == above_limit(
        arm(share=0.3), "natural", dose, COUNTS
    )


def test_a_dose_that_comes_first_and_shows_too_much_is_refused() -> None:
    dose = {"df": 200, "mel": 200, "nv": 200}
    assert above_limit(arm(first=0.5), "balanced", dose, COUNTS) == {}
    with pytest.raises(DermaugError) as caught:
        above_limit(arm(first=0.5), "natural", dose, COUNTS)
    text = str(caught.value)
    assert "17.8 generated images of df are shown per real image" in text
    assert "synthetic.max_per_real allows 1" in text
    assert "max_per_real = 0" in text
    assert above_limit(arm(first=0.5, max_per_real=0.0), "natural", dose, COUNTS) == {}
