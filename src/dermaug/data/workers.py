"""What worker processes do with one file; imports no pandas, so that they start twice as fast."""

from dataclasses import dataclass

from dermaug.data.decoding import Crop, Square, read_square
from dermaug.data.image_files import BadImageError, decode, read_content
from dermaug.data.signature import Signature, sign

Job = tuple[str, str, str]
"""Image id, path of the image, path of its segmentation or ""."""


@dataclass(frozen=True)
class BadFile:
    """An image that must not be used.

    Args:
        image_id: Its id in the catalog.
        path: The file at fault: the image or its segmentation.
        reason: What is wrong with it.
    """

    image_id: str
    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


def square_or_reason(
    job: Job, *, size: int, crop: Crop, margin: float, max_pixels: int
) -> Square | BadFile:
    """Decode one image to its square; arguments as for `read_square`."""
    image_id, path, mask = job
    try:
        return read_square(
            path, size, crop=crop, margin=margin, mask_path=mask, max_pixels=max_pixels
        )
    except BadImageError as error:
        return BadFile(image_id, error.path, error.reason)


def signature_or_reason(file: tuple[str, str], *, max_pixels: int) -> Signature | BadFile:
    """The signature of one file, given with its image's id, decoded at full size."""
    image_id, path = file
    try:
        content = read_content(path, max_pixels)
        return sign(decode(path, content, max_pixels), content)
    except BadImageError as error:
        return BadFile(image_id, error.path, error.reason)
