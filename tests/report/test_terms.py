import re

from dermaug.report.terms import TERMS, anchor, linked


def test_a_term_is_linked_once_and_the_longer_one_is_taken() -> None:
    html = linked("mean sensitivity, sensitivity and mean sensitivity", TERMS)
    assert re.findall(r'href="#([^"]*)">([^<]*)<', html) == [
        ("term-mean_sensitivity", "mean sensitivity"),
        ("term-sensitivity", "sensitivity"),
    ]
    assert html.striptags() == "mean sensitivity, sensitivity and mean sensitivity"


def test_names_of_arms_and_markup_stay_as_they_are() -> None:
    told = "replay+more beats <b>my-replay</b> & charm"
    assert linked(told, TERMS).unescape() == told
    assert "<b>" not in linked(told, TERMS)
    assert linked("fold", {}) == "fold"


def test_every_term_has_a_place_of_its_own() -> None:
    terms = [*TERMS, "a+b", "a-b", "a b", "ä"]
    assert len({anchor(term) for term in terms}) == len(terms)
    assert linked("a+b, not a", {"a+b": "an arm", "a": "another"}) == (
        '<a href="#term-a.2bb">a+b</a>, not <a href="#term-a">a</a>'
    )
