"""Twenty clicks at the same moment: each gets an answer, and its own."""

import http.client
import io
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dermaug.app.generator import draw_class
from dermaug.app.opened import Opened
from dermaug.app.tabs import WAITING

pytestmark = pytest.mark.slow
NUMBER = 3


def asked(port: int, method: str, path: str, sent: Any = None) -> bytes:
    """The body of an answer of the page; what is sent is JSON."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request(
            method, path, sent and json.dumps(sent), {"Content-Type": "application/json"}
        )
        found = connection.getresponse()
        assert found.status == 200, found.read()
        return found.read()


def clicked(port: int, event: int, session: str, *values: Any) -> list[Any]:
    """What a click in a browser window of its own changes on the page."""
    sent = {"data": [*values], "fn_index": event, "session_hash": session}
    asked(port, "POST", "/gradio_api/queue/join", sent)
    told = asked(port, "GET", f"/gradio_api/queue/data?session_hash={session}")
    messages = [json.loads(line[6:]) for line in told.splitlines() if line.startswith(b"data: ")]
    (done,) = [each for each in messages if each["msg"] == "process_completed"]
    assert done["success"], done
    return list(done["output"]["data"])


def pixels(port: int, shown: dict[str, Any]) -> np.ndarray:
    """An image of a gallery, as a browser loads it."""
    png = asked(port, "GET", f"/gradio_api/file={shown['image']['path']}")
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_clicks_at_the_same_moment_are_all_answered_and_not_mixed_up(
    port: int, shown: Opened
) -> None:
    events = json.loads(asked(port, "GET", "/config"))["dependencies"]
    (draw,) = [each["id"] for each in events if each["api_name"] == "plain"]
    names = list(shown.generators)

    def click(seed: int) -> tuple[np.ndarray, str]:
        found = clicked(port, draw, f"window{seed}", names[seed % len(names)], NUMBER, seed, 1)
        gallery, words = found[:2]
        return np.stack([pixels(port, each) for each in gallery["value"]]), words

    with ThreadPoolExecutor(WAITING) as windows:
        answers = list(windows.map(click, range(WAITING)))
    for seed, (images, words) in enumerate(answers):
        generator = shown.generators[names[seed % len(names)]]
        assert words.endswith(f": drawn with seed {seed}")
        expected = draw_class(shown, generator, NUMBER, seed).images
        assert np.abs(images.astype(int) - expected).max() <= 1  # rounding of other batch sizes
