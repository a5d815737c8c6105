"""A listener that stops a training as a signal does."""

from dermaug.console import Advance, Listener
from dermaug.errors import StoppedEarly


def stopping_after(images: int) -> Listener:
    """Stops a training after the step in which so many images have been shown."""

    def listen(_total: int, done: int) -> Advance:
        count = done

        def advance(units: int, _note: str | None = None) -> None:
            nonlocal count
            count += units
            if count >= images:
                raise StoppedEarly

        return advance

    return listen
