"""Figures of subgroups: which are drawn, and with which marks."""

from collections.abc import Callable

from drawn import scored

from dermaug.experiment.run.results import RunResults
from dermaug.report.drawing import legend
from dermaug.report.sections.subgroups import subgroup_gains, subgroup_scores
from dermaug.scoring.subgroup_scores import FEWEST


def test_a_difference_has_the_mark_of_its_arm_and_few_images_are_not_drawn(
    drawn_study: Callable[..., RunResults],
) -> None:
    skill = {"real": 1.0, "classic": 1.2, "classic+synthetic": 1.4}
    results = drawn_study(skill=skill, lesions=120)
    table, arms = scored(results).subgroups, [arm.name for arm in results.experiment.compared_arms]
    marks = {name: mark for name, *mark in legend(arms)}
    gains = subgroup_gains(table, arms)
    assert gains is not None
    pairs = {name.split(" − ")[0]: mark for name, *mark in gains.legend}
    assert pairs == {arm: marks[arm] for arm in pairs}
    assert len({(shade, glyph) for _, shade, glyph in gains.legend}) == len(gains.legend) > 1
    small = table[table["support"] < FEWEST]
    assert len(small)
    for figure in (gains, subgroup_scores(table, arms)):
        assert (figure.numbers["support"] >= FEWEST).all()
        assert len(figure.panels)
