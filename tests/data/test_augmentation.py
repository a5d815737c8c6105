import pytest
import torch
from torch import Generator

from dermaug.data.augmentation import POLICIES, colour_jitter, dihedral


def images(number: int = 6) -> torch.Tensor:
    return torch.rand(number, 3, 16, 16, generator=Generator().manual_seed(1))


@pytest.mark.parametrize("policy", POLICIES)
def test_policies_keep_shape_and_range_and_repeat(policy: str) -> None:
    first, again, other = (
        POLICIES[policy](images(), Generator().manual_seed(seed)) for seed in (0, 0, 1)
    )
    assert first.shape == images().shape
    assert first.min() >= 0.0
    assert first.max() <= 1.0
    assert torch.equal(first, again)
    assert torch.equal(first, other) == (policy == "none")


@pytest.mark.parametrize("policy", ["fridadar", "standard"])
def test_a_uniform_image_stays_uniform(policy: str) -> None:
    """Reflection fills the corners: no black triangles."""
    grey = torch.full((4, 3, 16, 16), 0.5)
    changed = POLICIES[policy](grey, Generator().manual_seed(0))
    assert changed.std((2, 3)).max() < 1e-5


def test_dihedral_draws_all_eight_symmetries_and_nothing_else() -> None:
    image = images(1)
    many = dihedral(image.expand(400, -1, -1, -1), Generator().manual_seed(0))
    eight = [
        rotated.transpose(2, 3) if transpose else rotated
        for transpose in (False, True)
        for rotated in (torch.rot90(image, turns, (2, 3)) for turns in range(4))
    ]
    counts = [sum(torch.equal(one, own[0]) for one in many) for own in eight]
    assert sum(counts) == 400
    assert min(counts) > 20


def test_each_image_gets_its_own_parameters() -> None:
    same = images(1).expand(8, -1, -1, -1)
    changed = POLICIES["standard"](same, Generator().manual_seed(0))
    assert len(torch.unique(changed.flatten(1), dim=0)) == 8


def test_no_jitter_is_the_identity() -> None:
    torch.testing.assert_close(colour_jitter(images(), Generator(), 0, 0, 0), images())
