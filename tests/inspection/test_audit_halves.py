from dataclasses import replace

import numpy as np
import pytest

from dermaug.inspection.audit_halves import judging
from dermaug.synthesis.synthetic_set import Provenance

IDS = np.array([f"I{row}" for row in range(8)], dtype=object)
LESIONS = np.array([*"aabbccdd"], dtype=object)
ROWS = np.arange(2, 8)
KNOWN = Provenance("dcgan", "digest", 0, "key", ("I0", "I1"))


def test_lesions_that_a_snapshot_was_chosen_by_do_not_judge_it() -> None:
    """Also other images of these lesions are left out."""
    found = judging(ROWS, IDS, LESIONS, replace(KNOWN, validation_images=("I2",)))
    assert found.rows.tolist() == [4, 5, 6, 7]
    assert not found.chosen_by


def test_where_no_lesion_is_left_all_judge_and_it_is_told() -> None:
    found = judging(ROWS, IDS, LESIONS, replace(KNOWN, validation_images=("I2", "I4", "I7")))
    assert found.rows.tolist() == ROWS.tolist()
    assert found.chosen_by


@pytest.mark.parametrize(
    ("provenance", "chosen_by"),
    [
        (KNOWN, False),  # nothing was chosen
        (None, False),  # made elsewhere: not by these images
        (replace(KNOWN, validation_images=None), True),  # nobody knows: it may have been
    ],
)
def test_what_is_not_known_is_taken_for_the_worse(
    provenance: Provenance | None, chosen_by: bool
) -> None:
    found = judging(ROWS, IDS, LESIONS, provenance)
    assert found.rows.tolist() == ROWS.tolist()
    assert found.chosen_by == chosen_by


def test_no_image_is_no_error() -> None:
    assert len(judging(ROWS[:0], IDS, LESIONS, KNOWN).rows) == 0
