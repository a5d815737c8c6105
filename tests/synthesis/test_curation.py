import numpy as np

from dermaug.data.sources.phantom import draw_class
from dermaug.synthesis.curation import copy_mask, drop_copies, drop_duplicates, keep_confident


def brightness(images: np.ndarray) -> np.ndarray:
    return images.mean(axis=(1, 2))


def test_only_planted_copies_are_marked() -> None:
    training, validation, synthetic = (draw_class("df", 60, seed, 32).images for seed in (1, 2, 3))
    planted = [4, 40]
    synthetic[planted] = training[[7, 8], ::-1]
    marked = copy_mask(synthetic, training, validation, brightness)
    assert marked[planted].all()
    assert marked.sum() <= 4


def test_what_is_kept_is_at_or_above_the_threshold() -> None:
    assert drop_copies(np.array([0.0, 0.999, 1.0, 7.0])).tolist() == [False, False, True, True]


def test_duplicates_are_dropped_and_their_first_stays() -> None:
    training, synthetic = (draw_class("mel", 80, seed, 32).images for seed in (4, 5))
    again = np.concatenate([synthetic, synthetic[:10]])
    kept = drop_duplicates(again, training, np.arange(80))
    assert not kept[80:].any()
    assert kept[:80].mean() > 0.9


def test_several_photographs_of_a_lesion_do_not_narrow_what_a_duplicate_is() -> None:
    """Each lesion photographed twice, nearly alike: such pairs say nothing of different lesions."""
    training, synthetic = (draw_class("mel", 80, seed, 32).images for seed in (4, 5))
    twice = np.concatenate([training, np.clip(training.astype(int) + 1, 0, 255).astype(np.uint8)])
    near = synthetic[:10].astype(int) + 6
    again = np.concatenate([synthetic, np.clip(near, 0, 255).astype(np.uint8)])
    alone = drop_duplicates(again, training, np.arange(80))
    grouped = drop_duplicates(again, twice, np.tile(np.arange(80), 2))
    np.testing.assert_array_equal(alone, grouped)
    assert not grouped[80:].any()


def test_many_different_images_are_not_taken_for_duplicates() -> None:
    random = np.random.default_rng(0)
    # Smooth pictures of few degrees of freedom, so that some come near each other by chance.
    basis = random.normal(size=(4, 16, 16, 3))

    def drawn(number: int) -> np.ndarray:
        mixed = np.tensordot(random.normal(size=(number, 4)), basis, 1)
        return np.clip(128 + 20 * mixed, 0, 255).astype(np.uint8)

    training, synthetic = drawn(200), drawn(1_500)
    kept = drop_duplicates(np.concatenate([synthetic, synthetic[:50]]), training, np.arange(200))
    assert kept[:1_500].mean() > 0.85
    assert not kept[1_500:].any()


def test_confident_images_stay() -> None:
    assert keep_confident(np.array([0.2, 0.5, 0.9]), 0.5).tolist() == [False, True, True]
