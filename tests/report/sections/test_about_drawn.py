"""What is said beside generated images: how they were made, and what is not known of them."""

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
from drawn import recorded

from dermaug.config.arms import SyntheticConfig
from dermaug.config.curation import CurationConfig
from dermaug.experiment.run.records import CurationEntry
from dermaug.experiment.run.results import RunResults
from dermaug.report.sections.about_drawn import about_drawn

Study = Callable[..., RunResults]


def test_what_a_curation_could_not_do_is_said_beside_the_images(drawn_study: Study) -> None:
    results = drawn_study(skill={"classic": 1.0, "classic+synthetic": 1.0})
    synthetic = SyntheticConfig(dose=5, curation=CurationConfig(drop_copies=True))
    arms = tuple(
        arm.model_copy(update={"synthetic": synthetic}) if arm.synthetic else arm
        for arm in results.experiment.named_arms
    )
    experiment = results.experiment.model_copy(update={"named_arms": arms})
    asking = next(arm for arm in experiment.arms if arm.is_synthetic)
    family = results.networks[0].family
    numbers = {"family": family, "label": "mel", "fold": 0, "seed": 0, "lesions": 0}
    shares = {"visible_share": 0.4, "visible_validation": 0.7, "copies": 0, "copy_examined": 9}
    audits = pd.DataFrame([numbers | shares])

    def told(entry: CurationEntry) -> str:
        trials = tuple(
            recorded(each, arm=asking, curation={"mel": entry})
            if each.record.arm.is_synthetic
            else each
            for each in results.trials
        )
        return " ".join(about_drawn(replace(results, experiment=experiment, trials=trials), audits))

    judged = told(CurationEntry(wanted=5, pool=10, kept=9, copies=1))
    assert "arms with a curation were trained on those that passed it" in judged
    assert "40 % of the generated images for their class" in judged.replace(
        "\N{NO-BREAK SPACE}", " "
    )
    assert "Guessing among the 3 classes would give 33" in judged
    assert "were not left out" not in judged
    left = told(CurationEntry(wanted=5, pool=10, kept=10))
    assert "In some trainings, copies of training images were not left out of mel" in left
