"""The experiment file of a plan: TOML with a comment above each entry that was chosen."""

import json
import re
import textwrap
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dermaug.errors import DermaugError

WIDTH = 98
BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml_text(tree: Mapping[str, Any], comments: Mapping[str, str], head: Sequence[str]) -> str:
    """Write plain values as TOML.

    Args:
        tree: Entries; lists of tables and one level of tables become sections, all else inline.
        comments: Dotted key, or `list.name` of a named entry of a list -> comment.
        head: Paragraphs of the comment at the top.

    Raises:
        DermaugError: A value cannot be written in TOML, for example a path that is not Unicode.
    """
    top = [line for paragraph in head for line in _comment(paragraph)]
    text = "\n".join([*top, *_lines(tree, comments)]) + "\n"
    try:
        if tomllib.loads(text) == tree:
            return text
    except (tomllib.TOMLDecodeError, UnicodeEncodeError):
        pass
    raise DermaugError(
        "the plan cannot be written as TOML: a path or a label has characters that TOML does not "
        "allow; rename the folder"
    )


def _lines(tree: Mapping[str, Any], comments: Mapping[str, str]) -> Iterator[str]:
    for key, value in tree.items():
        if not _is_section(value):
            yield from _entry(key, value, comments.get(key, ""))
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from ("", f"[{_key(key)}]", *_entries(key, value, comments))
        elif _is_section(value):
            for place, item in enumerate(value):
                yield from _item(key, item, comments, is_first=place == 0)


def _item(
    key: str, item: Mapping[str, Any], comments: Mapping[str, str], *, is_first: bool
) -> Iterator[str]:
    """One table of a list; the comment on the list stands before its first."""
    yield ""
    for told in ([key] if is_first else []) + [f"{key}.{item.get('name', '')}"]:
        yield from _comment(comments.get(told, ""))
    yield from (f"[[{_key(key)}]]", *_entries(key, item, comments if is_first else {}))


def _entries(section: str, values: Mapping[str, Any], comments: Mapping[str, str]) -> Iterator[str]:
    for key, value in values.items():
        yield from _entry(key, value, comments.get(f"{section}.{key}", ""))


def _is_section(value: object) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)
    )


def _entry(key: str, value: object, comment: str) -> Iterator[str]:
    yield from _comment(comment)
    yield f"{_key(key)} = {_value(value)}"


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, WIDTH, break_on_hyphens=False)]


def _key(key: str) -> str:
    return key if BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def _value(value: object) -> str:
    match value:
        case dict():
            return f"{{ {', '.join(f'{_key(k)} = {_value(v)}' for k, v in value.items())} }}"
        case list():
            return f"[{', '.join(map(_value, value))}]"
        case int() if not isinstance(value, bool) and value >= 10_000:
            return f"{value:_}"
    # JSON's text, numbers and truth values are TOML's.
    return json.dumps(value, ensure_ascii=False)
