"""Programs that tests start, signal and kill: `dermaug` in processes of their own.

A fork server imports the package once, so that a start costs no seconds of imports.
"""

import multiprocessing
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["dermaug.cli", "dermaug.study"])


class Program:
    """`dermaug` with these words, in a process group of its own, as a terminal starts it.

    Args:
        words: Command and options.
        folder: Where it starts.
        killed_at: Pattern of a path; the program is killed at the moment that one appears.
    """

    def __init__(self, words: Sequence[str], folder: Path, killed_at: str = "") -> None:
        self._told = folder / f"told-{os.urandom(4).hex()}.txt"
        given = (tuple(words), folder, self._told, dict(os.environ), killed_at)
        self._process = CONTEXT.Process(target=_begin, args=given)
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def send(self, number: int) -> None:
        """Send a signal to this process alone."""
        os.kill(self.pid, number)

    def send_all(self, number: int) -> None:
        """Send a signal to the process and its children, as Ctrl-C in a terminal does."""
        os.killpg(self.pid, number)

    def ended(self, seconds: float = 300.0) -> tuple[int | None, str]:
        """Wait for its end: exit code, or the negative signal, and what it said to the user."""
        self._process.join(seconds)
        said = self._told.read_text(encoding="utf-8")
        return self._process.exitcode, said

    def end(self) -> None:
        """Kill it if it is still running."""
        if self._process.is_alive():
            self._process.kill()
        self._process.join()


def children(pid: int) -> list[int]:
    """Living processes whose parent is a process."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if words[0] not in "ZX" and int(words[1]) == pid:
            found.append(int(status.parent.name))
    return found


def _begin(
    words: Sequence[str], folder: Path, told: Path, environment: dict[str, str], killed_at: str
) -> None:
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    with told.open("w", encoding="utf-8") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.argv = ["dermaug", *words]
    if killed_at:
        _kill_when_renamed(killed_at)
    from dermaug.cli import main

    try:
        main()
    except Exception:  # a traceback belongs to what is said
        traceback.print_exc()
        sys.exit(1)


def _kill_when_renamed(pattern: str) -> None:
    rename = Path.replace

    def killed_at_rename(aside: Path, path: Path) -> Path:
        renamed = rename(aside, path)
        if Path(path).match(pattern):
            os.kill(os.getpid(), signal.SIGKILL)
        return renamed

    Path.replace = killed_at_rename  # type: ignore[method-assign]
