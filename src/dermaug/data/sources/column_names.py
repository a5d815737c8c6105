"""Names of the columns that tell more of an image, as data sets and clinics write them."""

import re
from collections.abc import Collection, Mapping, Sequence

from dermaug.data.cells import DEVICE_COLUMNS, TONE_COLUMNS
from dermaug.data.diagnoses import words
from dermaug.data.metadata import Row

ALIASES = {
    "lesion_id": ("lesion_id", "case_num"),
    "patient_id": ("patient_id", "midas_record_id"),
    "age": ("age", "age_approx", "midas_age"),
    "sex": ("sex", "gender", "midas_gender"),
    "localization": (
        "localization",
        "anatom_site_general",
        "anatom_site_general_challenge",
        "region",
        "location",
        "site",
        "midas_location",
    ),
    "skin_tone": (
        "fitzpatrick_skin_type",
        "fitzpatrick_scale",
        "fitspatrick",
        "skin_tone",
        "skin_tone_class",
        "midas_fitzpatrick",
    ),
    "dx_type": ("dx_type", "diagnosis_confirm_type"),
}
"""Column of a catalog -> its names in public data sets; the first that a table has is read."""
OWN_NAMES = {
    "age": (
        *("age years", "patient age", "alter", "alter jahre", "patientenalter", "âge", "edad"),
        *("età", "idade", "leeftijd", "ålder", "alder", "wiek", "věk", "yaş"),
    ),
    "patient_id": (
        *("hosp no", "hospital no", "hospital number", "hosp number", "hospital id", "unit number"),
        *("nhs no", "nhs number", "chi number", "rodné číslo", "taj", "taj szám", "cnp", "oib"),
        *("tc kimlik no", "protokol no", "κωδικός ασθενή", "κωδικός ασθενούς"),
    ),
    "sex": (
        "geschlecht",
        "geschl",
        "sexe",
        "sexo",
        "sesso",
        "genre",
        "género",
        "genere",
        "geslacht",
        "m f",
        "f m",
        "m w",
        "w m",
        "m v",
        "h f",
        "h m",
        *("kön", "køn", "kjønn", "płeć", "pohlaví", "cinsiyet"),
    ),
    "localization": (
        *("lok", "localisation", "body site", "anatomic site", "anatomical site", "lokalisation"),
        *("lokalisierung", "körperstelle", "körperregion", "localización", "localizzazione"),
        *("sede", "localização", "siège", "zone", "zona", "región", "região", "topographie"),
        *(
            "where",
            "wo",
            "dónde",
            "où",
            "körperteil",
            "ubicación",
            "plaats",
            "locatie",
            "lokatie",
            "lichaamsdeel",
            *("lokalisering", "lokalizacja", "lokalizace", "umístění", "bölge", "yerleşim"),
            *("okolica", "okolica ciała", "miejsce", "kroppsdel", "kroppsställe", "placering"),
            *("kropsdel", "lokalita", "část těla", "regione", "distretto", "lokasyon"),
            *("lichaamslocatie", "huidlocatie", "vücut bölgesi", "bodysite", "lesion site"),
        ),
    ),
    "skin_tone": ("hauttyp", "phototype", "phototyp", "fototipo", "skin type"),
    "device": ("kamera", "dermatoskop", "gerät", "appareil", "cámara", "dispositivo"),
}
"""Column of a catalog -> its names in tables of one's own, whatever their case and accents."""
GROUPS = {
    "patient_id": (
        *("patient", "patients", "patienten", "pat", "paciente", "pacientes", "paziente"),
        *("pazienti", "dente", "dentes", "utente", "subject", "person", "participant", "proband"),
        *("pacjent", "pacjenta", "pacient", "pacienta", "hasta"),
        *("dossier", "historia", "expediente", "cartella", "akte", "mrn", "nhc", "ipp", "processo"),
    ),
    "lesion_id": (
        "lesion",
        "lesions",
        "lesionen",
        "lesione",
        "lesioni",
        "lesao",
        "lesoes",
        "lesie",
        *("ferendring", "zmiana", "zmiany", "leze", "lezyon"),
    ),
}
"""Column of a catalog -> words for what it groups, as `words` writes them (doente is dente)."""
BARE = (
    *GROUPS["lesion_id"],
    *("dossier", "historia", "expediente", "cartella", "akte", "dente", "processo"),
)
"""Those that may also name a column of diagnoses or reports when they stand alone."""
CODE = re.compile(r"\S*[0-9]\S*|[A-Za-z]")
"""A number or a code: a word with a digit in it, or one letter."""
NUMBERS = (
    *("id", "ids", "nr", "no", "n", "o", "num", "number", "nummer", "numero", "code", "kode"),
    *("cod", "codigo", "codice", "key", "kennung", "ref", "identifier", "identifiant"),
)
"""Words for a number or a code, which stand beside a word of `GROUPS`, or end it."""
FILLERS = ("de", "del", "du", "des", "della", "do", "da", "of", "clinica", "clinico", "medical")


def known_columns(columns: Sequence[str], rows: Sequence[Row] = ()) -> dict[str, str]:
    """Column of a catalog -> its name in a table of one's own that calls it otherwise.

    Args:
        columns: Names in the header.
        rows: Rows of the table: a column called no more than `lesion` or `dossier` numbers them
            only where its cells are numbers or codes; it may also hold diagnoses or reports.

    Example:
        >>> known_columns(["file_name", "Alter", "Geschlecht", "PATIENT_ID", "Notiz"])
        {'patient_id': 'PATIENT_ID', 'age': 'Alter', 'sex': 'Geschlecht'}
        >>> known_columns(["N° dossier", "Pat.-Alter", "Läsion Nr.", "age", "fitzpatrick_scale"])
        {'lesion_id': 'Läsion Nr.', 'patient_id': 'N° dossier'}
    """
    by_words = {_plain(name): name for name in reversed(columns)}
    read = dict.fromkeys((*ALIASES, *TONE_COLUMNS, *DEVICE_COLUMNS, "split"))
    found = {}
    for column in read:
        others = (*ALIASES.get(column, ()), *OWN_NAMES.get(column, ()))
        names = (column, *(name for name in others if name not in read))
        here = next((by_words[_plain(name)] for name in names if _plain(name) in by_words), "")
        here = here or next((name for name in columns if _groups(name, column, rows)), "")
        if here and column not in columns:
            found[column] = here
    return found


def numbers_lesion(name: str) -> bool:
    """Whether a name is the number of a lesion.

    Example:
        >>> numbers_lesion("Lesion 03"), numbers_lesion("L3"), numbers_lesion("P12")
        (True, True, False)
    """
    found = re.fullmatch(r"([a-z]+)[0-9]+", "".join(words(name)))
    return found is not None and found[1] in (*GROUPS["lesion_id"], "l", "les")


def is_group(name: str, column: str) -> bool:
    """Whether a column's name says that it numbers the patients, or the lesions.

    Args:
        name: As the table writes it.
        column: `patient_id` or `lesion_id`.

    Example:
        >>> is_group("Pat.-Nr.", "patient_id"), is_group("Patient age", "patient_id")
        (True, False)
    """
    kinds = GROUPS.get(column, ())
    found = [part for word in words(name) for part in _parts(word, kinds)]
    return any(word in kinds for word in found) and all(
        word in kinds or word in NUMBERS or word in FILLERS for word in found
    )


def _parts(word: str, kinds: Collection[str]) -> list[str]:
    """A word, or both halves of one such as `patnr` or `patientennummer`."""
    halves = [(word[:at], word[at:]) for at in range(3, len(word) - 1)]
    return next(
        ([one, other] for one, other in halves if one in kinds and other in NUMBERS), [word]
    )


def _groups(name: str, column: str, rows: Sequence[Row]) -> bool:
    if not is_group(name, column):
        return False
    alone = len(words(name)) == 1 and words(name)[0] in BARE
    codes = [row for row in rows if CODE.fullmatch(row[name])]
    return not alone or 2 * len(codes) > len(rows) > 0


def read_sentence(names: Mapping[str, str]) -> str:
    """Which columns tell more of the images; "" if all have the names of a catalog.

    Args:
        names: Column of a catalog -> its name in the table.

    Example:
        >>> read_sentence({"patient_id": "patient_id", "age": "Alter"})
        'Also read: patient_id, age (Alter).'
    """
    told = [name if name == column else f"{column} ({name})" for column, name in names.items()]
    return "" if told == list(names) else f"Also read: {', '.join(told)}."


def numberless(column: str) -> str:
    """The name of a column without its number.

    Example:
        >>> numberless("Photo_2") == numberless("photo 1") == numberless("Photo")
        True
    """
    return "".join(filter(str.isalpha, column.lower()))


def _plain(name: str) -> str:
    return " ".join(words(name))
