"""Names that are paths, and what cannot be the name of a file."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dermaug.data.safe_names import name_fault, safe_join
from dermaug.errors import DermaugError

PIECES = st.sampled_from(
    ["..", ".", "/", "\\", "a", "C:", "~", "\0", " ", "//host", "mel", "ä.jpg"]
)
NAMES = st.text(max_size=30) | st.lists(PIECES, max_size=6).map("".join)


@given(name=NAMES)
@example("../../etc/passwd")
@example("/etc/passwd")
@example("a/../../b")
def test_safe_join_never_leaves_its_root(name: str) -> None:
    root = Path("/data/set")
    try:
        joined = safe_join(root, name)
    except DermaugError:
        return
    # Path.resolve would ask this machine's disk about links; the text alone must stay inside.
    assert joined.parts[:3] == root.parts
    assert len(joined.parts) > 3
    assert ".." not in joined.parts
    assert "\\" not in str(joined)


@pytest.mark.parametrize("name", ["a.jpg", "mel/a.jpg", "mel/2020/ä b.jpg", "..a.jpg", "~/a.jpg"])
def test_safe_join_keeps_ordinary_paths(name: str) -> None:
    assert safe_join(Path("/data"), name) == Path("/data", *name.split("/"))


@pytest.mark.parametrize(
    "name", ["", "/a", "../a", "a/../b", "./a", "a//b", "a/", "\\a", "C:\\a", "C:a", "a\0b", "a\nb"]
)
def test_safe_join_refuses(name: str) -> None:
    with pytest.raises(DermaugError, match="expected a path below /data"):
        safe_join(Path("/data"), name)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("ISIC_0000001", ""),
        ("naevus, blue (2)", ""),
        ("", "is empty"),
        ("..", "is a path"),
        ("a/b", "is a path"),
        ("a\\b", "is a path"),
        ("C:a", "is a path"),
        ("a\tb", "holds control characters"),
        ("ä" * 101, "is longer than 200 bytes"),
    ],
)
def test_name_fault(name: str, fault: str) -> None:
    assert name_fault(name) == fault
