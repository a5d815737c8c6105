"""The words of an audit, from numbers of two generators of one family."""

from typing import Any

import numpy as np
import pandas as pd

from dermaug.report.sections.audit import audit_sentences
from dermaug.report.sections.audit_tables import audit_tables, generator_table

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


def test_a_class_with_few_validation_groups_in_one_fold_cannot_be_judged() -> None:
    numbers = pd.DataFrame([audited(0, "df", copy_expected=0.17), audited(1, "df")])
    assert any("copies of df cannot be judged" in each for each in audit_sentences(numbers))
