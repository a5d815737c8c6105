"""Names of folders that are dates: years, months and days, in six languages."""

import re

from dermaug.data.diagnoses import words

MONTH = (
    r"(?:[01]?\d|jan(?:uar|uary|vier)?|feb(?:ruar|ruary|rero|braio|bruar)?|fevrier|fevereiro|enero|"
    r"gennaio|janeiro|mar(?:ch|s|zo|co|z)?|merz|apr(?:il|ile)?|abril|avril|mai|may|mayo|maggio|maio|"
    r"jun[eio]?|juin|giugno|junho|jul[yio]?|juillet|luglio|julho|aug(?:ust)?|aout|agosto|"
    r"sep(?:t|tember|tembre|tiembre)?|settembre|setembro|o[ck]t(?:ober|obre|ubre)?|ottobre|outubro|"
    r"nov(?:ember|embre|iembre|embro)?|de[cz](?:ember|embre|embro)?|diciembre|dicembre)"
)
DATE = re.compile(
    rf"(?:19|20)\d\d(?: ?{MONTH}(?: ?[0-3]?\d)?)?|{MONTH}(?: (?:19|20)\d\d)?|"
    rf"[0-3]?\d {MONTH} (?:19|20)?\d\d"
)
"""Years, months and days, as `words` writes them."""


def is_date(name: str) -> bool:
    """Whether a text is a year, month or day, or names a month in one of six languages.

    Example:
        >>> [is_date(text) for text in ("2021", "2021-07-03", "Luglio", "07", "März 2022", "mel")]
        [True, True, True, True, True, False]
    """
    return DATE.fullmatch(" ".join(words(name))) is not None
