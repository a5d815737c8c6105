"""Sound content, damaged: bytes of any file, cells of a table, entries of a tree."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

ODD_TEXT = (
    "", "NA", "nan", "-5", "1e999", "x" * 5_000, "../../etc/passwd", "/etc/passwd", "=HYPERLINK(1)",
    "<script>", "\0", "\x1b[2J", "\ufeff", "é", "\ud800", '"', ",", "\n", "\r\n", ";", "\t", "{}",
    "[" * 3_000, "9" * 5_000, "true", "null", "mel", "nv", "0", "1",
)  # fmt: skip
ODD_VALUES = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, 0.5, 1e308, -0.0, "", "x", "../x", "\ud800",
    [], [[]], [1], ["x"], {}, {"x": 1}, "9" * 5_000, [None] * 1_000,
)  # fmt: skip


def damaged(content: bytes, draw: Random) -> bytes:
    """Bytes of a file with one to three accidents."""
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        content = draw.choice(_ACCIDENTS)(content, draw)
    return content


def _cut(content: bytes, draw: Random) -> bytes:
    return content[: draw.randrange(len(content) + 1)]


def _flipped(content: bytes, draw: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(draw.choice((1, 1, 4, 32)) if changed else 0):
        place = draw.randrange(min(len(changed), draw.choice((64, 1 << 30))))
        changed[place] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _overwritten(content: bytes, draw: Random) -> bytes:
    start = draw.randrange(len(content) + 1)
    number = draw.randrange(1, 400)
    filling = draw.choice((bytes(number), b"\xff" * number, draw.randbytes(number)))
    return content[:start] + filling + content[start + number :]


def _removed(content: bytes, draw: Random) -> bytes:
    start = draw.randrange(len(content) + 1)
    return content[:start] + content[start + draw.randrange(1, 200) :]


def _repeated(content: bytes, draw: Random) -> bytes:
    start = draw.randrange(len(content) + 1)
    return content[:start] + content[start : start + 200] * draw.randrange(2, 5) + content[start:]


def _inserted(content: bytes, draw: Random) -> bytes:
    start = draw.randrange(len(content) + 1)
    text = draw.choice(ODD_TEXT).encode("utf-8", "surrogatepass")
    return content[:start] + text + content[start:]


def _another(content: bytes, draw: Random) -> bytes:
    """Another file altogether."""
    del content
    return draw.choice((b"", b"<html></html>", b"\x80\x04.", b"PK\x03\x04", draw.randbytes(300)))


_ACCIDENTS: tuple[Callable[[bytes, Random], bytes], ...] = (
    _cut, _flipped, _flipped, _overwritten, _removed, _repeated, _inserted, _another,
)  # fmt: skip


def edited_text(content: bytes, draw: Random) -> bytes:
    """A table or an experiment file with one to three words exchanged for odd ones."""
    if draw.random() < 0.3:
        return damaged(content, draw)
    text = content.decode("utf-8")
    for _ in range(draw.choice((1, 1, 2, 3))):
        marks = [place for place, each in enumerate(text) if each in ',\n"=[]. ']
        start, end = sorted(draw.sample(marks, 2)) if len(marks) > 1 else (0, len(text))
        end = min(end, start + draw.choice((1, 10, 30)))
        text = text[: start + 1] + draw.choice(ODD_TEXT) + text[end:]
    encoding = draw.choice(("utf-8",) * 8 + ("utf-16", "utf-8-sig", "latin-1"))
    return text.encode(encoding, "surrogatepass" if encoding.startswith("utf") else "replace")


def edited_tree(content: bytes, draw: Random) -> bytes:
    """A JSON file with one to three entries exchanged, removed or added; or damaged bytes."""
    if draw.random() < 0.3:
        return damaged(content, draw)
    return json.dumps(edited(json.loads(content), draw)).encode("utf-8", "surrogatepass")


def edited(tree: Any, draw: Random) -> Any:
    """A tree of plain values with one to three entries exchanged, removed or added."""
    for _ in range(draw.choice((1, 1, 2, 3))):
        tree = _edited_once(tree, draw)
    return tree


def _edited_once(tree: Any, draw: Random) -> Any:
    if draw.random() < 0.15 or not isinstance(tree, dict | list) or not tree:
        return draw.choice(ODD_VALUES)
    keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
    key = draw.choice(keys)
    changed = tree.copy()
    match draw.randrange(6):
        case 0:
            del changed[key]
        case 1 if isinstance(changed, dict):
            changed[draw.choice(ODD_TEXT)] = draw.choice(ODD_VALUES)
        case _:
            changed[key] = _edited_once(tree[key], draw)
    return changed
