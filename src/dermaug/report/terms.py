"""Words of a page that its readers may not know: explained at its end, and linked to there."""

import re
from collections.abc import Mapping

from markupsafe import Markup, escape

TERMS = {
    "arm": "a way to make the training set; those of this study are explained under The arms. All "
    "arms are tested on the same photographs.",
    "argmax": "the class of the highest probability is what the classifier says; classes that its "
    "training saw more often than others are favoured.",
    "prior-adjusted": "the same, after each probability was divided by the share of its class that "
    "the training saw, so that no class is favoured for being frequent; nothing changes where all "
    "classes were seen alike, or where the loss was adjusted for it. The verdicts use it.",
    "sensitivity": "the share of the test images of a class that the classifier calls so (recall, "
    "one against the rest).",
    "mean sensitivity": "the mean of the sensitivities of all classes, each class counting alike "
    "(balanced accuracy). A difference of 0.01 is one percentage point: of 100 images of each "
    "class, one more is recognised on average.",
    "macro AUC": "how well the probabilities rank images of a class above all others, whatever the "
    "threshold; 0.5 is chance, 1 is perfect; the mean of all classes.",
    "KID": "kernel inception distance: how far generated images are from real ones, as a network "
    "sees them. Smaller is nearer; 0 is the distance of images of one kind, below 0 is chance. The "
    "value of real images beside it is what real images of other lesions reach.",
    "FID": "Fréchet inception distance: another such distance, which needs thousands of images.",
    "density and coverage": "how many generated images lie where real ones are, 1 like real ones; "
    "and the share of the real images that have a generated one near them.",
    "t-SNE": "a drawing in which images that a network sees alike lie together; distances between "
    "far groups mean nothing.",
    "interval": "a 95 % interval holds the differences that are compatible with the data; one that "
    "includes zero leaves open whether there is a difference.",
    "margin": "the difference that the study regards as too small to matter; it was fixed before "
    "the run.",
    "replay": "a control: real training images, drawn again as often as the generated ones of "
    "another arm were added. It shows what seeing the classes more often does without generated "
    "images; where all classes are seen alike anyway, only chance sets it apart from its baseline.",
    "fold": "one of several divisions into training, validation and test split.",
    "seed": "the start of a training's random numbers; another seed is another training.",
    "trial": "one training of one classifier: arm × classifier × fold × seed.",
    "group": "what splits keep together: a lesion, or a patient if images were split by patient "
    "(two lesions that share a photograph are one group).",
}
"""A word -> what it means."""


def anchor(term: str) -> str:
    """Name of the place where a term is explained, another one for each term.

    Example:
        >>> anchor("macro AUC"), anchor("classic+synthetic")
        ('term-macro_AUC', 'term-classic.2bsynthetic')
    """
    safe = (c if c.isascii() and (c.isalnum() or c == "-") else f".{ord(c):x}" for c in term)
    return f"term-{''.join(safe).replace('.20', '_')}"


def linked(text: str, terms: Mapping[str, str]) -> Markup:
    """A text as HTML, with a link at the first occurrence of each term that is explained.

    Example:
        >>> linked("one fold & one seed", {"fold": "a division"})
        Markup('one <a href="#term-fold">fold</a> &amp; one seed')
    """
    longest = sorted(terms, key=len, reverse=True)
    if not longest:
        return escape(text)
    # Not within a longer name, such as an arm's.
    words = re.compile(rf"(?<![\w+-])({'|'.join(map(re.escape, longest))})(?![\w+-])")
    left, parts = set(terms), []
    for place, part in enumerate(words.split(text)):
        is_new = place % 2 == 1 and part in left
        left.discard(part)
        parts.append(
            Markup('<a href="#{}">{}</a>').format(anchor(part), part) if is_new else escape(part)
        )
    return Markup("").join(parts)
