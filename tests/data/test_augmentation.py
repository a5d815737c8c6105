import pytest
import torch
from torch import Generator

from dermaug.data.augmentation import (
    POLICIES,
    Policy,
    colour_jitter,
    cutmix,
    dihedral,
    mixup,
    orientations,
    standard,
)
from dermaug.data.trivial_augment import OPERATIONS, all_at_once, by_group


def images(number: int = 6) -> torch.Tensor:
    return torch.rand(number, 3, 16, 16, generator=Generator().manual_seed(1))


@pytest.mark.parametrize("policy", POLICIES)
def test_policies_keep_shape_and_range_and_repeat(policy: str) -> None:
    labels = torch.eye(3).repeat(2, 1)
    first, again, other = (
        POLICIES[policy](images(), labels, Generator().manual_seed(seed))[0] for seed in (0, 0, 1)
    )
    assert first.shape == images().shape
    assert first.min() >= 0.0
    assert first.max() <= 1.0
    assert torch.equal(first, again)
    assert torch.equal(first, other) == (policy == "none")


@pytest.mark.parametrize("policy", POLICIES)
def test_a_uniform_image_stays_uniform(policy: str) -> None:
    """Reflection fills the corners: no black triangles."""
    grey = torch.full((40, 3, 16, 16), 0.5)
    changed, _ = POLICIES[policy](grey, torch.eye(40), Generator().manual_seed(0))
    if policy == "cutmix":  # a pasted box may be lighter than its host
        changed = changed[:0]
    assert changed.numel() == 0 or changed.std((2, 3)).max() < 1e-5


def test_orientations_are_eight_different_ones_that_begin_as_the_image_lies() -> None:
    image = torch.rand(1, 3, 6, 6, generator=Generator().manual_seed(0))
    eight = list(orientations(image))
    assert torch.equal(eight[0], image)
    assert len({view.numpy().tobytes() for view in eight}) == 8
    drawn = dihedral(image.expand(400, -1, -1, -1), Generator().manual_seed(0))
    assert {view.contiguous().numpy().tobytes() for view in eight} == {
        view.contiguous().numpy().tobytes() for view in drawn
    }


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
    changed = standard(same, Generator().manual_seed(0))
    assert len(torch.unique(changed.flatten(1), dim=0)) == 8


@pytest.mark.parametrize("policy", [mixup, cutmix])
def test_targets_are_mixed_by_the_share_of_each_image(policy: Policy) -> None:
    """Images of pure black and pure white: what is seen of each is what the target says."""
    images = torch.zeros(64, 3, 16, 16)
    images[::2] = 1.0
    targets = torch.eye(2)[torch.arange(64) % 2]  # white is class 0
    with torch.no_grad():
        mixed, blended = policy(images, targets, Generator().manual_seed(0))
    torch.testing.assert_close(blended.sum(1), torch.ones(64))
    seen = mixed.mean((1, 2, 3))
    alone = (blended[:, 0] > 0.01) & (blended[:, 0] < 0.99)
    assert 10 < alone.sum() < 64
    # The standard policy scales brightness by up to 15 %, and white is cut at 1.
    assert (seen - blended[:, 0])[alone].abs().max() < 0.16


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_of_trivial_augment_keeps_shape_and_does_something(operation: str) -> None:
    changed = OPERATIONS[operation](images(), torch.full((6, 1, 1, 1), 0.7))
    assert changed.shape == images().shape
    assert changed.isfinite().all()
    assert torch.equal(changed, images()) == (operation == "identity")


@pytest.mark.parametrize("operation", ["rotate", "brightness", "contrast", "saturation"])
def test_no_strength_is_the_identity(operation: str) -> None:
    changed = OPERATIONS[operation](images(), torch.zeros(6, 1, 1, 1))
    torch.testing.assert_close(changed, images(), atol=1e-5, rtol=0)


def test_no_jitter_is_the_identity() -> None:
    torch.testing.assert_close(colour_jitter(images(), Generator(), 0.0), images())


def test_operations_of_all_images_at_once_are_those_of_the_groups() -> None:
    pictures = images(70)
    random = Generator().manual_seed(0)
    chosen = torch.arange(70) % len(OPERATIONS)
    strength = torch.rand(70, 1, 1, 1, generator=random) * 2.0 - 1.0
    torch.testing.assert_close(
        all_at_once(pictures, chosen, strength), by_group(pictures, chosen, strength)
    )
