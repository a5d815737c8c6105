"""Contact sheets: every image in its place, and none wider than asked for."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dermaug.training.grids import contact_sheet, save_contact_sheet


def flat(number: int, side: int) -> np.ndarray:
    shades = np.arange(10, 10 + 20 * number, 20, dtype=np.uint8)
    return np.broadcast_to(shades[:, None, None, None], (number, side, side, 3)).copy()


@pytest.mark.parametrize(("asked", "side"), [(None, 128), (200, 128), (64, 64)])
def test_images_are_made_as_wide_as_asked_for(tmp_path: Path, asked: int | None, side: int) -> None:
    images = flat(6, 128)
    save_contact_sheet(tmp_path / "sheet.png", images, columns=3, side=asked)
    written = np.asarray(Image.open(tmp_path / "sheet.png"))
    whole = contact_sheet(images, 3)
    assert written.shape[1] == round(whole.shape[1] * side / 128)
    for place, image in enumerate(images):
        row, column = divmod(place, 3)
        centre = (2 * row + 1) * written.shape[0] // 4, (2 * column + 1) * written.shape[1] // 6
        assert written[centre].tolist() == image[0, 0].tolist()
