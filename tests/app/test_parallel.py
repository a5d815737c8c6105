"""Twenty clicks at the same moment, and requests that no page sends: each is answered."""

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


def event_of(port: int, button: str) -> int:
    """The event of a button."""
    page = json.loads(asked(port, "GET", "/config"))
    (own,) = [each["id"] for each in page["components"] if each["props"].get("value") == button]
    (found,) = [each["id"] for each in page["dependencies"] if each["targets"][0][0] == own]
    return int(found)


def pixels(port: int, shown: dict[str, Any]) -> np.ndarray:
    """An image of a gallery, as a browser loads it."""
    png = asked(port, "GET", f"/gradio_api/file={shown['image']['path']}")
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_clicks_at_the_same_moment_are_all_answered_and_not_mixed_up(
    port: int, shown: Opened
) -> None:
    draw = event_of(port, "Draw")
    names = list(shown.generators)

    def click(seed: int) -> tuple[np.ndarray, str]:
        values = (names[seed % len(names)], NUMBER, seed, 1)
        _, _, gallery, _, words = clicked(port, draw, f"window{seed}", "", None, *values)
        return np.stack([pixels(port, each) for each in gallery["value"]]), words

    with ThreadPoolExecutor(WAITING) as windows:
        answers = list(windows.map(click, range(WAITING)))
    for seed, (images, words) in enumerate(answers):
        generator = shown.generators[names[seed % len(names)]]
        assert words.endswith(f": drawn with seed {seed}")
        expected = draw_class(shown, generator, NUMBER, seed).images
        assert np.abs(images.astype(int) - expected).max() <= 1  # rounding of other batch sizes


@pytest.mark.parametrize("value", [None, 1e308, {"a": 1}, ["a", {"b": None}]])
def test_values_of_other_kinds_are_refused(port: int, value: Any) -> None:
    # The fixture asserts that nothing is traced in the terminal.
    for event in json.loads(asked(port, "GET", "/config"))["dependencies"]:
        for values in ([value] * len(event["inputs"]), []):
            session = f"other{event['id']}{len(values)}"
            sent = {"data": values, "fn_index": event["id"], "session_hash": session}
            asked(port, "POST", "/gradio_api/queue/join", sent | {"event_data": value})
            told = asked(port, "GET", f"/gradio_api/queue/data?session_hash={session}")
            assert b"process_completed" in told
    assert asked(port, "GET", "/config")
