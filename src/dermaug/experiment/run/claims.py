"""Who does which job: a claim is a small file that its holder keeps changing.

A claim is made by exclusive creation and carries its holder and a counter, which the holder raises
every few seconds. A claim that stays the same for many beats of the *observer's* clock is stale: no
clocks are compared. It is taken over by an atomic rename. The former holder, if it comes back,
writes to the file that it still holds open, which has no name any more; it finds a claim that is
not its own, and must not publish.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self
from uuid import uuid4

from pydantic import ValidationError

from dermaug.aside import written_aside
from dermaug.config.section import Section
from dermaug.console import console
from dermaug.disk import told_when_full
from dermaug.files import refuse_special
from dermaug.host import has_ended, this_host

BEAT = 2.0
"""Seconds between two beats of a holder."""
PATIENCE = 20
"""Beats after which an unchanged claim is stale."""
TOLD_AFTER = 3.0
"""Seconds of waiting after which the user is told for whom."""
SIZE = 512
"""Bytes of a claim, which is overwritten in place by one write."""


class LostClaim(Exception):  # noqa: N818
    """Another process has taken over the job, because this one seemed to be dead."""


class Holder(Section):
    """The content of a claim."""

    token: str
    """Different for every claim ever made."""
    host: str
    pid: int
    beat: int = 0
    done: int = 0
    """Units done of the longest part of the job so far, usually images shown in training."""
    total: int = 0

    @classmethod
    def parsed(cls, content: bytes) -> Self | None:
        """The holder; None while its claim is being created."""
        try:
            return cls.model_validate_json(content)
        except ValidationError:
            return None

    @property
    def content(self) -> bytes:
        """The content of the file."""
        return self.model_dump_json().encode().ljust(SIZE)


class Claim:
    """A claim held by this process, until it is released or lost.

    Args:
        handle: Descriptor of the file, open for writing.
    """

    def __init__(self, path: Path, handle: int, holder: Holder) -> None:
        self.path, self._handle, self._holder = path, handle, holder
        self._lock, self._is_lost = threading.Lock(), False

    def note(self, done: int, total: int) -> None:
        """Note the progress, which others read with the next beat."""
        self._holder = self._holder.model_copy(update={"done": done, "total": total})

    def beat(self) -> None:
        """Raise the counter, and find out whether the claim is still this process's."""
        with self._lock, suppress(OSError):  # a full disk must not end a training
            self._holder = self._holder.model_copy(update={"beat": self._holder.beat + 1})
            os.lseek(self._handle, 0, os.SEEK_SET)
            os.write(self._handle, self._holder.content)
            os.fsync(self._handle)
        self._is_lost = self._is_lost or not self._is_ours()

    @property
    def is_lost(self) -> bool:
        """Whether another process has taken it over, as far as the last beat knows."""
        return self._is_lost

    def require(self) -> None:
        """Raise unless the claim is still this process's.

        Raises:
            LostClaim: Another process has taken it over.
        """
        self.beat()
        if self._is_lost:
            raise LostClaim(str(self.path))

    @contextmanager
    def held(self) -> Iterator[Self]:
        """Keep it alive by a thread while the block runs, and release it afterwards."""
        ended = threading.Event()

        def keep() -> None:
            while not ended.wait(BEAT):
                self.beat()

        thread = threading.Thread(target=keep, daemon=True, name=f"claim {self.path}")
        thread.start()
        try:
            yield self
        finally:
            ended.set()
            thread.join()
            self.release()

    def release(self) -> None:
        """Give it up."""
        with self._lock:
            os.close(self._handle)
            if self._is_ours():
                self.path.unlink(missing_ok=True)

    def _is_ours(self) -> bool:
        held = holder_of(self.path)
        return held is not None and held.token == self._holder.token


class Watch:
    """Looks at claims and remembers, by the clock of this process, since when each is unchanged.

    Args:
        patience: Seconds after which an unchanged claim is stale.
    """

    def __init__(
        self, patience: float = BEAT * PATIENCE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._patience, self._clock = patience, clock
        self._seen: dict[Path, tuple[bytes, float]] = {}

    def stale(self, path: Path) -> bytes | None:
        """The content of a stale claim, for `take`; None without a claim, or of a living one."""
        content, now = _content(path), self._clock()
        if content is None:
            self._seen.pop(path, None)
            return None
        before, since = self._seen.setdefault(path, (content, now))
        if content != before:
            self._seen[path] = (content, now)
            since = now
        holder = Holder.parsed(content)
        ended = holder is not None and has_ended(holder.host, holder.pid)
        return content if ended or now - since >= self._patience else None


def take(path: Path, stale: bytes | None = None) -> Claim | None:
    """Claim a job; None if another process holds it.

    Args:
        path: File of the claim; its folder is created.
        stale: Content of a claim that `Watch` found stale, which is taken over if it is still
            unchanged.

    Raises:
        FullDiskError: The disk has no room for it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    holder = Holder(token=uuid4().hex, host=this_host(), pid=os.getpid())
    if stale is not None and _content(path) == stale:
        with written_aside(path) as aside:
            aside.write_bytes(holder.content)
            handle = os.open(aside, os.O_WRONLY)
        return Claim(path, handle, holder)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        return None
    try:
        with told_when_full(path, path, SIZE):
            os.write(handle, holder.content)
    except BaseException:
        os.close(handle)
        path.unlink()
        raise
    return Claim(path, handle, holder)


def holder_of(path: Path) -> Holder | None:
    """Who holds a claim; None if nobody does."""
    return Holder.parsed(_content(path) or b"")


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Wait until no other process holds a claim, and hold it while the block runs."""
    watch, start, is_told = Watch(), time.monotonic(), False
    while (claim := take(path, watch.stale(path))) is None:
        time.sleep(0.1)
        if not is_told and time.monotonic() - start > TOLD_AFTER:
            is_told = True
            holder = holder_of(path)
            named = f"process {holder.pid} on {holder.host}" if holder else "another process"
            console.print(f"waiting for {named}, at work in {path.parent}")
    with claim.held():
        yield


def _content(path: Path) -> bytes | None:
    refuse_special(path)
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
