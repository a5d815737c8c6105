"""The licence of what was made from a data set, which follows that of the data."""

from dataclasses import dataclass

NON_COMMERCIAL = ("HAM10000", "ISIC 2018", "DermaMNIST")
"""What the names of data sets under CC BY-NC 4.0 begin with."""
DRAWN = "phantom"


@dataclass(frozen=True)
class Licence:
    """A licence.

    Args:
        key: Its identifier on the Hugging Face Hub.
        url: Its text; "" if it has none.
        words: What it asks of the reader of a card.
    """

    key: str
    url: str
    words: str


def licence_of(data: str) -> Licence:
    """The licence of images or weights derived from a data set.

    Args:
        data: Name of the data set; "" if unknown.

    Example:
        >>> licence_of("HAM10000").key, licence_of("phantom lesions").key, licence_of("ours").key
        ('cc-by-nc-4.0', 'cc0-1.0', 'other')
    """
    if data.startswith(NON_COMMERCIAL):
        return Licence(
            "cc-by-nc-4.0",
            "https://creativecommons.org/licenses/by-nc/4.0/",
            f"Derived from {data}, which is under CC BY-NC 4.0: no commercial use, and {data} must "
            "be cited.",
        )
    if data.startswith(DRAWN):
        return Licence(
            "cc0-1.0",
            "https://creativecommons.org/publicdomain/zero/1.0/",
            "Derived from drawn phantom lesions, which show no patient.",
        )
    return Licence(
        "other",
        "",
        f"The licence follows that of the training data ({data or 'unknown'}). Complete this "
        "section before you pass anything on.",
    )


def is_dermoscopic(data: str) -> bool:
    """Whether a data set is known to hold dermoscopic images: HAM10000 and its descendants."""
    return data.startswith(NON_COMMERCIAL)


def skin_words(data: str) -> str:
    """What is known on the skin that images, or a network's training images, show.

    Args:
        data: Name of the data set; "" if unknown.
    """
    if is_dermoscopic(data):
        return (
            f"{data} holds hardly any skin of Fitzpatrick types V and VI; nothing is known of such "
            "skin."
        )
    if data.startswith(DRAWN):
        return "The training data are drawn phantom lesions; nothing is known of real skin."
    return (
        "Nothing is known of skin types, body sites and cameras that the training data lack. Write "
        "here which of them the data hold."
    )
