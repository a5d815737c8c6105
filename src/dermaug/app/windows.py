"""What a window of the page shows: a click acts on exactly that, or is refused in a sentence."""

import html
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import gradio as gr

from dermaug.app.components import Mode, as_files, does, warn
from dermaug.app.opened import Captioned
from dermaug.errors import DermaugError

Shown = TypeVar("Shown")
Action = Callable[..., tuple[Any, ...]]
Refusal = Callable[[Any, str], tuple[Any, ...]]
SPEND = """(ticket, ...others) => {
    const spent = (window.dermaugSpent ??= new Set()), fresh = !spent.has(ticket);
    spent.add(ticket);
    return [fresh ? ticket : "", ...others];
}"""
"""A window sends a ticket once: until an answer brings the next one, its clicks have none."""
OUT_OF_DATE = (
    "the page was still answering an earlier click, or showed something else than it does now; "
    "look at it and click again, and if that does not help, reload it"
)


class Pointed(gr.EventData):  # type: ignore[misc]
    """What somebody has clicked in a gallery; a request may say anything, or nothing."""

    def __init__(self, target: Any, data: Any) -> None:  # noqa: ANN401
        super().__init__(target, data)
        self.data = data

    def among(self, images: Sequence[Captioned]) -> int:
        """Place of the image among those that the server has shown.

        Raises:
            DermaugError: There was another image at that place when it was clicked, or none.
        """
        match self.data:
            case {"index": int(place), "value": {"image": {"path": str(path)}, "caption": caption}}:
                shown = images[place : place + 1] if place >= 0 else []
                if [(Path(path).name, caption)] == [
                    (file.name, words) for file, words in as_files(shown)
                ]:
                    return place
        raise DermaugError(OUT_OF_DATE)


@dataclass(frozen=True, eq=False)
class Held(Generic[Shown]):
    """What the server has last shown in a window, and the ticket that it has given out for it."""

    ticket: str
    shown: Shown


@dataclass(frozen=True, eq=False)
class Event(Generic[Shown]):
    """What an event of a tab does.

    Args:
        action: Takes what the window shows, and values; gives what it shows next, and the outputs.
        refusal: Gives the same when the action is refused, of what is shown and the reason.
        acts: Whether it acts on what the window shows as a whole, and does not only show something
            else.
    """

    action: Action
    refusal: Refusal
    acts: bool

    def answer(self, ticket: str, held: Held[Shown], *values: Any) -> tuple[Any, ...]:  # noqa: ANN401
        """The next ticket, what is held next, and the outputs."""
        current = ticket == held.ticket
        try:
            if self.acts and not current:
                raise DermaugError(OUT_OF_DATE)
            shown, *outputs = self.action(held.shown, *values)
        except DermaugError as error:
            warn(error)
            shown, *outputs = self.refusal(held.shown, str(error))
            if not current:  # the window does not show what is held, or waits for another answer
                return gr.skip(), Held(held.ticket, shown), *outputs
        following = Held(secrets.token_hex(8), shown)
        return following.ticket, following, *outputs

    def point(self, ticket: str, held: Held[Shown], event: Pointed) -> tuple[Any, ...]:
        """The same for a click in a gallery."""
        return self.answer(ticket, held, event)


class Window(Generic[Shown]):
    """The events of a tab that depend on what a window shows of it.

    Clicks may be answered late, and in another order than they were made, and other windows change
    things meanwhile. So the server keeps what it has shown in each window, each answer brings a new
    ticket, and each click sends the ticket that its window has. An action whose ticket is not the
    last one was clicked on something else, and is refused.

    Args:
        first: What a new window shows: a frozen dataclass with all that actions depend on.
    """

    def __init__(self, first: Shown) -> None:
        ticket = secrets.token_hex(8)
        self.ticket = gr.Textbox(ticket, visible="hidden")
        self.held = gr.State(Held(ticket, first))
        self.refused = gr.Markdown()

    def shows(self, triggers: Any, action: Action, inputs: list[Any], outputs: list[Any]) -> None:  # noqa: ANN401
        """Show something else, whatever the window has shown before."""
        event = Event[Shown](action, _unchanged(outputs), acts=False)
        self._answers(triggers, event.answer, inputs, outputs, "always_last")

    def acts(
        self,
        trigger: Any,  # noqa: ANN401
        action: Action,
        inputs: list[Any],
        outputs: list[Any],
        said: gr.Markdown,
    ) -> None:
        """Act on what the window shows.

        Args:
            trigger: The event.
            action: Gives what the window shows next, the outputs, and what is said.
            inputs: Components that it reads.
            outputs: Components that change if it is not refused.
            said: Where the window says what was done. What an earlier click has done stays said
                when the next one came too early.
        """
        unchanged = _unchanged(outputs)

        def acting(shown: Shown, *values: Any) -> tuple[Any, ...]:  # noqa: ANN401
            return *action(shown, *values), ""

        def refusal(shown: Shown, reason: str) -> tuple[Any, ...]:
            before = gr.skip() if reason == OUT_OF_DATE else ""
            return (
                *unchanged(shown, reason),
                before,
                f"The last click did nothing: {html.escape(reason)}.",
            )

        event = Event[Shown](acting, refusal, acts=True)
        self._answers(trigger, event.answer, inputs, [*outputs, said, self.refused], "once")

    def points(
        self,
        select: Any,  # noqa: ANN401
        action: Action,
        outputs: list[Any],
        refusal: Refusal | None = None,
    ) -> None:
        """Choose in a gallery of the window; the action asks `Pointed` what was clicked there."""
        event = Event[Shown](action, refusal or _unchanged(outputs), acts=False)
        self._answers(select, event.point, [], outputs, "multiple", outputs[-1])

    def _answers(
        self,
        triggers: Any,  # noqa: ANN401
        answer: Action,
        inputs: list[Any],
        outputs: list[Any],
        mode: Mode,
        waits: Any = None,  # noqa: ANN401
    ) -> None:
        own = [self.ticket, self.held]
        does(triggers, answer, [*own, *inputs], [*own, *outputs], mode, js=SPEND, waits=waits)


def _unchanged(outputs: list[Any]) -> Refusal:
    return lambda shown, _: (shown, *(gr.skip() for _ in outputs))
