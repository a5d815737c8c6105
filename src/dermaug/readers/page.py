"""The page of one reader: one HTML file with the images in it, which needs no server."""

import base64
import hashlib
import io
import json
from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from dermaug.data.class_names import class_words
from dermaug.errors import DermaugError
from dermaug.templates import templates

ORIGIN_BUTTONS = (("real", "real", "r"), ("synthetic", "synthetic", "s"))
DIAGNOSIS_KEYS = "123456789abcdefghijklmnopqtuvwxyz"
"""Keys of the diagnoses, without those of the origins."""

INSTRUCTIONS = """\
Reader test

Please open your page (the HTML file that you were sent) in a current browser such as Firefox,
Chrome, Edge or Safari, on a computer with a good screen. It needs no network. If your mail
program shows the file itself, save it to your computer first and open it from there.

1. The page shows one image at a time. Press R (real) or S (synthetic), then the key of the most
   likely diagnosis, then Enter. Backspace goes back to the image before.
2. You may stop at any time. Open the same file in the same browser to go on where you stopped.
3. At the end, press "Download my answers" and send the CSV file back.

Work alone, do not search for the images, and do not talk about them with other readers before all
have finished. The pages show images of patients: do not pass them on, and delete them afterwards.
"""


def reader_page(
    images: Sequence[UInt8[np.ndarray, "h w 3"]], classes: Sequence[str], reader: str, test: str
) -> str:
    """Render the page of a reader; nothing in it but the pixels differs from image to image.

    Args:
        images: The images in the order in which this reader sees them, all of one size.
        classes: The diagnoses offered.
        reader: Name of the reader.
        test: Name of the test.

    Raises:
        DermaugError: There are more diagnoses than keys.
    """
    if len(classes) > len(DIAGNOSIS_KEYS):
        raise DermaugError(
            f"expected at most {len(DIAGNOSIS_KEYS)} classes, so that each has a key, found "
            f"{len(classes)}; group some with data.groups"
        )
    environment = templates("dermaug.readers")
    payload = {"test": test, "reader": reader, "images": [_inline(image) for image in images]}
    script = environment.get_template("reader.js.j2").render()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("reader.html.j2").render(
        reader=reader,
        number=len(images),
        size=images[0].shape[0],
        origins=ORIGIN_BUTTONS,
        diagnoses=[
            (label, class_words(label), key)
            for label, key in zip(classes, DIAGNOSIS_KEYS, strict=False)
        ],
        payload=json.dumps(payload).replace("<", "\\u003c"),
        script=script,
        script_digest=digest,
        style=environment.get_template("reader.css.j2").render(),
    )


def _inline(pixels: UInt8[np.ndarray, "h w 3"]) -> str:
    """An image as an uncompressed PNG file: equal sizes give equal lengths, whatever it shows."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, format="PNG", compress_level=0)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
