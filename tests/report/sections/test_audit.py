"""The words of an audit, from numbers of two generators of one family."""

from typing import Any

import numpy as np
import pandas as pd

from dermaug.report.sections.audit import audit_sentences
from dermaug.report.sections.audit_tables import audit_tables, generator_table
from dermaug.report.sections.copies import copy_alarms

OVERLAPS = ("precision", "recall", "density", "coverage")


def audited(fold: int, label: str, **changed: object) -> dict[str, Any]:
    """Numbers of one class of a generator that is neither far from real images nor copies."""
    row = {
        "family": "cgan",
        "label": label,
        "fold": fold,
        "seed": 0,
        "lesions": 0,
        "validation_lesions": 40,
        "chosen_by_validation": False,
        "features": "classifier 0",
        "fid_flag": "",
        "copies": 0,
        "copy_examined": 444,
        "copy_low": 0.0,
        "copy_high": 0.009,
        "copy_expected": 0.024,
        "visible_share": 0.5,
        "visible_validation": 0.5,
    }
    row |= {f"{name}{end}": 0.5 for name in ("fid", *OVERLAPS) for end in ("", "_floor")}
    row |= {"kid": 0.1, "kid_low": 0.0, "kid_high": 0.2}
    row |= {"kid_floor": 0.01, "kid_floor_low": -0.1, "kid_floor_high": 0.1}
    return row | changed


def test_images_differ_in_so_many_generators_not_on_average() -> None:
    """A mean of two intervals is none: each is compared with the interval of its own floor."""
    wide = {"kid": 0.9, "kid_low": 0.8, "kid_high": 1.0}
    numbers = pd.DataFrame(
        [
            audited(0, "df", **wide),
            audited(1, "df"),
            audited(0, "mel", kid_low=0.05),  # above the floor's value, within its interval
            audited(1, "mel", kid_low=0.05),
            audited(0, "nv", **wide),
            audited(1, "nv", **wide),
            audited(0, "vasc", kid_low=np.nan, kid_floor_high=np.nan),
            audited(1, "vasc", kid_low=np.nan, kid_floor_high=np.nan),
        ]
    )
    (told,) = [each for each in audit_sentences(numbers) if "differ from real ones" in each]
    assert "df (1 of 2 generators) and nv (2 of 2 generators)" in told
    assert "mel" not in told
    distances, _ = audit_tables(numbers)
    assert "mean over 2 generators (folds × seeds)" in distances.caption
    assert distances.rows[1][2] == "0.500"  # no interval around a mean of two generators
    each = generator_table(numbers)
    assert each is not None
    assert each.rows[0] == ("cgan, fold 0, seed 0",)
    assert each.rows[1][:4] == ("df", "40", "0.900 (0.800 to 1.000)", "0.010 (−0.100 to 0.100)")


def test_a_number_that_some_generators_lack_is_marked() -> None:
    numbers = pd.DataFrame([audited(0, "df", recall=np.nan), audited(1, "df", recall=0.7)])
    distances, _ = audit_tables(numbers)
    assert distances.rows[1][-3] == "0.70 (0.50)‡"
    assert "some generators only" in distances.caption
    whole, _ = audit_tables(pd.DataFrame([audited(0, "df"), audited(1, "df")]))
    assert "‡" not in whole.caption


def test_copies_of_several_generators_say_what_they_pool() -> None:
    numbers = pd.DataFrame([audited(0, "akiec"), audited(1, "akiec", copies=15)])
    _, copies = audit_tables(numbers)
    assert copies.rows[1][3] == "15 of 888"
    assert "the images of 2 generators (folds × seeds) counted together" in copies.caption
    assert "(means over generators)" in copies.caption
    each = generator_table(numbers)
    assert each is not None
    assert [row[4] for row in each.rows if len(row) > 1] == ["0 of 444", "15 of 444"]


def test_a_single_generator_has_its_interval_and_no_table_of_its_own() -> None:
    numbers = pd.DataFrame([audited(0, "mel"), audited(0, "nv")])
    distances, copies = audit_tables(numbers)
    assert distances.rows[1][2] == "0.100 (0.000 to 0.200)"
    assert "generators" not in distances.caption + copies.caption
    assert generator_table(numbers) is None


COPIED = {"copies": 45, "copy_examined": 64, "copy_low": 0.582, "copy_high": 0.801}


def test_many_copies_of_a_class_that_cannot_be_judged_are_told_first_in_numbers() -> None:
    few = {"copy_expected": 1 / 3, "validation_lesions": 2}
    none = {"copies": 0, "copy_examined": 64, "copy_high": 0.057}
    numbers = pd.DataFrame(
        [audited(0, "df", **few, **COPIED), audited(1, "df", **few, **none), audited(0, "mel")]
    )
    first, why, *rest = audit_sentences(numbers)
    assert first.startswith(
        "cgan: in fold 0, seed 0, 45 of 64 images of dermatofibroma (df) count as copies of "
        "training images, 70.3 % (58.2 % to 80.1 %); chance gives at most 33.3 % on average."
    )
    assert "Of all 2 generators together it is 45 of 128 (35.2 %)." in first
    # (1 - 0.582)^2: the share below the smallest of two distances
    assert "cannot be told from 2 validation lesions: by chance alone, in up to 17 % of" in first
    assert "so few count 58 % (the lower end of the interval of a generator) or more" in first
    assert "may disclose patients" in why
    assert any("copies of df cannot be judged" in each for each in rest)
    assert any("no class that can be judged has clearly more copies" in each for each in rest)
    assert copy_alarms(numbers) == [first, why]


def test_copies_of_a_class_that_can_be_judged_need_no_doubt() -> None:
    (told, _) = copy_alarms(pd.DataFrame([audited(0, "df", **COPIED)]))
    assert "45 of 64 images of dermatofibroma (df)" in told
    assert told.endswith("chance gives at most 2.4 % on average.")
    assert copy_alarms(pd.DataFrame([audited(0, "df")])) == copy_alarms(pd.DataFrame()) == []


def test_no_sentence_praises_classes_of_which_none_can_be_judged() -> None:
    numbers = pd.DataFrame([audited(0, "df", copy_expected=0.2)])
    assert not any("can be judged has clearly more" in each for each in audit_sentences(numbers))


def test_how_often_classes_are_recognised_is_told_in_numbers() -> None:
    shares = {"visible_share": 0.06, "visible_validation": 0.84, "validation_lesions": 5}
    told = audit_sentences(pd.DataFrame([audited(0, "mel", **shares), audited(0, "nv")]))
    assert any(
        "takes 28 % of the generated images for their class, and 67 % of" in each for each in told
    )


def test_a_class_with_few_validation_groups_in_one_fold_cannot_be_judged() -> None:
    numbers = pd.DataFrame([audited(0, "df", copy_expected=0.17), audited(1, "df")])
    assert any("copies of df cannot be judged" in each for each in audit_sentences(numbers))


def test_a_class_is_called_hardly_recognised_if_it_is_so_for_each_generator() -> None:
    few = {"visible_share": 0.1, "visible_validation": 0.6}
    some = {"visible_share": 0.4, "visible_validation": 0.6}
    for second, is_told in ((few, True), (some, False)):
        told = audit_sentences(
            pd.DataFrame([audited(0, "mel", **few), audited(1, "mel", **second)])
        )
        hidden = [each for each in told if "less than half as often" in each]
        assert bool(hidden) == is_told
        assert all("images of mel" in each and "each of its generators" in each for each in hidden)
