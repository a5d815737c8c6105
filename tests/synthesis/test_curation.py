import numpy as np

from dermaug.data.sources.phantom import draw_class
from dermaug.synthesis.curation import copy_mask, drop_copies


def brightness(images: np.ndarray) -> np.ndarray:
    return images.mean(axis=(1, 2))


def test_only_planted_copies_are_marked() -> None:
    training, held_out, synthetic = (draw_class("df", 60, seed, 32).images for seed in (1, 2, 3))
    planted = [4, 40]
    synthetic[planted] = training[[7, 8], ::-1]
    marked = copy_mask(synthetic, training, held_out, brightness)
    assert marked[planted].all()
    assert marked.sum() <= 4


def test_what_is_kept_is_at_or_above_the_threshold() -> None:
    assert drop_copies(np.array([0.0, 0.999, 1.0, 7.0])).tolist() == [False, False, True, True]
