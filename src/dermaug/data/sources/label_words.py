"""Words by which the name of a column says that it holds diagnoses, or names photographs."""

from collections.abc import Sequence

from dermaug.data.diagnoses import words

LABEL_WORDS = (
    *("diagnos", "label", "class", "klasse", "clase", "target", "befund", "dx", "dg", "diag"),
    *("finding", "histolog", "patholog", "uitslag", "ergebnis", "resultado", "esito", "hallazgo"),
    *("diagnoz", "rozpozn", "tani", "tanı"),
)
"""Parts of words in the names of columns of labels; short ones are whole words."""
OF_DIAGNOSES = (
    *("by", "von", "par", "por", "da", "date", "datum", "time", "year", "jahr", "done", "certain"),
    *("certainty", "sure", "method", "methode", "confidence", "ist", "ologe", "status", "source"),
    *("predicted", "prediction", "pred", "vorhersage", "confirmed", "proven", "verified"),
)
"""Ends of words in the names of columns that tell of a diagnosis, and not which it is."""
PROVEN = ("histolog", "histopath", "patholog", "definiti", "biops")
"""Parts of words in the names of columns of diagnoses that were proven."""
PHOTOGRAPHS = (
    *("photo", "foto", "image", "imagen", "imagem", "immagin", "img", "bild", "afbeeld", "billed"),
    *("zdjec", "snim", "obraz", "resim", "fotoğraf", "kuva", "cliche", "picture", "file", "datei"),
    *("fichier", "archivo", "ficheiro", "plik", "soubor", "dosya", "bestand", "fil"),
)
"""Beginnings of words in the names of columns of photographs."""
SHORT = 4
"""Letters of the longest short one."""


def names_label(column: str) -> bool:
    """Whether a column's name says that it tells of diagnoses.

    Example:
        >>> names_label("Hauptdiagnose"), names_label("dx"), names_label("index")
        (True, True, False)
    """
    return _has_word(column, LABEL_WORDS)


def is_of_diagnosis(column: str) -> bool:
    """Whether a column's name says that it tells of a diagnosis, and not which: who, when, how."""
    return any(word.endswith(OF_DIAGNOSES) for word in words(column))


def names_proof(column: str) -> bool:
    """Whether a column's name says that it tells of proven diagnoses.

    Example:
        >>> names_proof("Diagnosis (histology)"), names_proof("Clinical diagnosis")
        (True, False)
    """
    return _has_word(column, PROVEN)


def names_photograph(column: str) -> bool:
    """Whether a column's name says that it tells of photographs.

    Example:
        >>> names_photograph("Nr zdjęcia"), names_photograph("Lp.")
        (True, False)
    """
    return any(word.startswith(PHOTOGRAPHS) for word in words(column))


def _has_word(column: str, wanted: Sequence[str]) -> bool:
    found = words(column)
    return any(
        part in word if len(part) > SHORT else word == part for word in found for part in wanted
    )
