"""Names of the columns that tell more of an image, as data sets and clinics write them."""

from collections.abc import Mapping, Sequence

from dermaug.data.cells import DEVICE_COLUMNS, TONE_COLUMNS
from dermaug.data.diagnoses import words

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
    "lesion_id": ("lesionid", "lesion number", "läsion id", "läsions id", "läsionsnummer"),
    "patient_id": (
        *("patient", "patientid", "patient number", "patienten id", "patientennummer"),
        *("patienten nr", "subject id", "id patient", "paciente", "id paciente", "paziente"),
        *("id paziente",),
    ),
    "age": (
        *("age years", "patient age", "alter", "alter jahre", "patientenalter", "âge", "edad"),
        *("età", "idade"),
    ),
    "sex": ("geschlecht", "sexe", "sexo", "sesso", "genre", "género", "genere"),
    "localization": (
        *("localisation", "body site", "anatomic site", "anatomical site", "lokalisation"),
        *("lokalisierung", "körperstelle", "körperregion", "localización", "localizzazione"),
        *("sede", "localização"),
    ),
    "skin_tone": ("hauttyp", "phototype", "phototyp", "fototipo", "skin type"),
    "device": ("kamera", "dermatoskop", "gerät", "appareil", "cámara", "dispositivo"),
}
"""Column of a catalog -> its names in tables of one's own, whatever their case and accents."""


def known_columns(columns: Sequence[str]) -> dict[str, str]:
    """Column of a catalog -> its name in a table of one's own that calls it otherwise.

    Example:
        >>> known_columns(["file_name", "Alter", "Geschlecht", "PATIENT_ID", "Notiz"])
        {'patient_id': 'PATIENT_ID', 'age': 'Alter', 'sex': 'Geschlecht'}
        >>> known_columns(["age", "Alter", "fitzpatrick_scale"])
        {}
    """
    by_words = {_plain(name): name for name in reversed(columns)}
    read = dict.fromkeys((*ALIASES, *TONE_COLUMNS, *DEVICE_COLUMNS, "split"))
    found = {}
    for column in read:
        others = (*ALIASES.get(column, ()), *OWN_NAMES.get(column, ()))
        names = (column, *(name for name in others if name not in read))
        here = next((by_words[_plain(name)] for name in names if _plain(name) in by_words), "")
        if here and column not in columns:
            found[column] = here
    return found


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


def _plain(name: str) -> str:
    return " ".join(words(name))
