import pytest

from dermaug.report.bands import PAGE, bands

NUMBER = "+0.512 (+0.498 to +0.526)"


@pytest.mark.parametrize(("columns", "texts"), [(1, 1), (5, 2), (12, 1), (40, 1)])
def test_bands_hold_every_number_once_and_every_name_in_each(columns: int, texts: int) -> None:
    header = tuple(f"c{place}" for place in range(texts + columns))
    rows = [("a group",), tuple(f"{name} {NUMBER}" for name in header)]
    cut = bands(header, rows, texts)
    assert [name for band in cut for name in band.header[texts:]] == list(header[texts:])
    for band in cut:
        assert band.header[:texts] == header[:texts]
        assert band.rows[0] == ("a group",)
        assert [cell.split()[0] for cell in band.rows[1]] == list(band.header)
    if columns == 40:
        assert len(cut) > 1
        sizes = [len(band.header) for band in cut]
        assert max(sizes) - min(sizes) <= 1, "the last band is not a remainder"


def test_a_column_wider_than_the_page_stands_alone() -> None:
    wide = "x" * PAGE
    assert [band.header for band in bands(("a", "b", "c"), [("r", wide, "1")], 1)] == [
        ("a", "b"),
        ("a", "c"),
    ]


def test_a_table_of_texts_and_an_empty_one_stay_whole() -> None:
    assert len(bands(("a", "b"), [("x", "y" * 400)], 2)) == 1
    assert bands(("a", "b"), [], 1)[0].header == ("a", "b")
