"""Validation of the cells of a metadata table, alone and in combination."""

import re
from collections import Counter
from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from sys import intern

import pandas as pd

from dermaug.config.data import COLUMN_OPTIONS, NOT_READ
from dermaug.data.findings import Findings
from dermaug.data.metadata import Row
from dermaug.data.safe_names import name_fault
from dermaug.data.table_text import point

UNKNOWN = "unknown"
UNKNOWN_WORDS = frozenset(
    (
        *(
            "",
            "na",
            "n/a",
            "nan",
            "none",
            "null",
            UNKNOWN,
            "-",
            "--",
            "?",
            "not known",
            "n.d.",
            "''",
        ),
        *("unbekannt", "keine angabe", "k.a.", "k. a.", "inconnu", "inconnue", "desconocido"),
        *("okänd", "okänt", "ukendt", "ukjent", "nieznane", "nieznana", "nieznany", "brak danych"),
        *("neznámé", "neznámý", "onbekend", "bilinmiyor"),
        *("desconocida", "sin dato", "desconhecido", "desconhecida", "sconosciuto", "sconosciuta"),
    )
)
"""What stands in a cell of which nothing is known, in small letters."""
SEXES = {
    **dict.fromkeys(("female", "f", "w", "woman", "weiblich", "frau"), "female"),
    **dict.fromkeys(("femme", "féminin", "mujer", "femenino", "donna", "femmina"), "female"),
    **dict.fromkeys(("mulher", "feminino", "vrouw", "kvinna", "kvinde", "kvinne"), "female"),
    **dict.fromkeys(("kobieta", "żeńska", "žena", "kadın", "fem", "fem."), "female"),
    **dict.fromkeys(("male", "m", "man", "männlich", "mann"), "male"),
    **dict.fromkeys(("homme", "masculin", "hombre", "masculino", "uomo", "maschio"), "male"),
    **dict.fromkeys(("homem", "mand", "mężczyzna", "męska", "muž", "erkek"), "male"),
    **dict.fromkeys(("masc", "masc."), "male"),
    **dict.fromkeys(("divers", "d", "diverse", "other", "x"), UNKNOWN),
}
"""Words for a sex. `h` is none of them: where it stands for hombre, m stands for mujer."""
AMBIGUOUS = re.compile(r"sexo|g[eé]nero|[hv]\W?m|m\W?[hv]|m_[hv]|[hv]_m")
"""Names of columns in which m may be mujer or mulher, in lower case."""
MOST_UNKNOWN = 0.1
"""Share of the rows above which an unknown word for a sex is no slip."""
_YEARS = re.compile(
    r"([-+]?[0-9]{1,6}(?:\.[0-9]*)?)\s*(?:(?:y|yrs?|years?|j|jahre?|ans?|años?|anni|anos?)\.?)?",
    re.IGNORECASE,
)
TONE_COLUMNS = (
    *("skin_tone", "fitzpatrick", "fitzpatrick_skin_type", "fitzpatrick_scale"),
    *("fitzpatrick_type", "monk_skin_tone", "monk_scale"),
)
"""Names of a skin-tone column; the first that a table has is read."""
MONK, MILK10K = "Monk", "MILK10k"
"""Scales other than Fitzpatrick's, which stand before a skin tone so that no two are mixed."""
TONE_NOTES = {
    MONK: "Monk's scale has ten tones, from 1 (light) to 10 (dark)",
    MILK10K: "MILK10k's scale runs from 0 (very dark) to 5 (very light), the reverse of "
    "Fitzpatrick's",
}
"""Scale -> what a reader must know of it."""
DEVICE_COLUMNS = ("device", "camera", "dermatoscope", "dataset")
"""Names of a column with the device or source of an image; HAM10000 calls it dataset."""
FEWEST_ODD = 2
"""Lesions with several diagnoses from which a pattern is seen."""
OLDEST_YEARS = 120.0


def parse_age(row: Row, findings: Findings, remedy: str = "") -> float:
    """Age in years from the column `age`; NaN if unknown; an impossible age is a finding.

    Args:
        row: Of a table.
        findings: Gets a line.
        remedy: What else can be done, behind what was expected.
    """
    text = row.get("age")
    if text.lower() in UNKNOWN_WORDS:
        return float("nan")
    found = _YEARS.fullmatch(point(text))
    if found and 0 <= (years := float(found[1])) <= OLDEST_YEARS:
        return years
    wanted = f"an age from 0 to {OLDEST_YEARS:g}, found {text}"
    if not found:
        wanted = f"an age in years or nothing{remedy}, found {text[:40]!r}"
    findings.add_unclear(f"{row.where}: expected {wanted}", "ages", [text])
    return float("nan")


def parse_sex(row: Row, findings: Findings, remedy: str = "") -> str:
    """`female`, `male` or `unknown` from the column `sex`, as `parse_age` reads an age."""
    text = row.get("sex").lower()
    if text not in SEXES and text not in UNKNOWN_WORDS:
        doubt = "; beside h or v, m may be mujer: correct both" if text in ("h", "v") else ""
        line = (
            f"{row.where}: expected sex female, male or unknown{remedy}, found {text[:40]!r}{doubt}"
        )
        findings.add_unclear(line, "sexes", [text])
    return SEXES.get(text, UNKNOWN)


def check_sexes(rows: Iterable[Row], column: str, findings: Findings) -> None:
    """Report an `m` that may stand for mujer or mulher.

    Args:
        rows: Rows with a column `sex`, if the table has one.
        column: Its name in the file.
        findings: Gets a line if another word that is, or may be, for male stands beside m and no f,
            if m is alone in a column whose name is Spanish or Portuguese, or for an unknown word in
            many rows.
    """
    counts = Counter(row.get("sex").lower() for row in rows)
    for word, number in counts.items():
        if word not in SEXES.keys() | UNKNOWN_WORDS and number > max(
            FEWEST_ODD, MOST_UNKNOWN * counts.total()
        ):
            findings.add(
                f"{column}: {word[:40]!r} in {number:,} rows is no known word for a sex; write "
                f"female and male, or leave the column out: {COLUMN_OPTIONS['sex']} {NOT_READ}"
            )
    words = set(counts) - UNKNOWN_WORDS
    others = sorted(word for word in words - {"m"} if SEXES.get(word, "male") == "male")
    beside = f"beside {others[0]!r} and" if others else "alone,"
    alone = words == {"m"} and AMBIGUOUS.fullmatch(column.lower()) is not None
    if alone or ("m" in words and others and not words & {"f", "w"}):
        findings.add(
            f"{column}: 'm' {beside} without 'f' may be male or mujer; write male and female, "
            f"or leave the column out: {COLUMN_OPTIONS['sex']} {NOT_READ}"
        )


def parse_patient(row: Row) -> str:
    """Patient of a row from the column `patient_id`; "" when unknown or without the column."""
    text = row.get("patient_id")
    return "" if text.lower() in UNKNOWN_WORDS else text


def lesions_unknown(patients: Sequence[str] = ()) -> str:
    """The note of a data set without lesion ids; `patients` holds one per image, "" if unknown."""
    known = " Patients are known." if patients and all(patients) else ""
    return f"Lesions are unknown: each image counts as its own lesion.{known}"


def tone_column(columns: Container[str]) -> str | None:
    """The column of a table with the skin tone; None without one.

    Example:
        >>> tone_column(["label", "fitzpatrick_scale"])
        'fitzpatrick_scale'
    """
    return next((name for name in TONE_COLUMNS if name in columns), None)


def parse_tone(row: Row) -> str:
    """Skin tone of a row; `unknown` if it is missing. Other scales than Fitzpatrick's are named.

    Example:
        >>> parse_tone(Row("", {"fitzpatrick_type": "3"})), parse_tone(Row("", {"monk_scale": "3"}))
        ('3', 'Monk 3')
    """
    column = tone_column(row.cells) or ""
    text = row.get(column)
    if text.lower() in UNKNOWN_WORDS:
        return UNKNOWN
    return f"{MONK} {text}" if column.startswith(MONK.lower()) and text.isdecimal() else text


def parse_device(row: Row) -> str:
    """Camera, dermatoscope or source of an image as written in its table; `unknown` if missing."""
    text = next((row.cells[name] for name in DEVICE_COLUMNS if name in row.cells), "")
    return UNKNOWN if text.lower() in UNKNOWN_WORDS else text


def with_devices(table: pd.DataFrame, rows: Sequence[Row]) -> pd.DataFrame:
    """A catalog's table with the column `device`, where one of its rows tells it."""
    devices = [parse_device(row) for row in rows]
    return table.assign(device=devices) if set(devices) - {UNKNOWN} else table


def describe(row: Row, findings: Findings, own: bool = False) -> dict[str, str | float]:
    """Age, sex, localization, skin tone and dx_type of a row; missing values are unknown.

    Args:
        row: Of a table.
        findings: Gets a line for each cell that cannot be read.
        own: Whether the table is one's own, of which columns can be left out.
    """
    leave_out = " ({} - leaves the column out)" if own else ""
    return {
        "age": parse_age(row, findings, leave_out.format(COLUMN_OPTIONS["age"])),
        "sex": parse_sex(row, findings, leave_out.format(COLUMN_OPTIONS["sex"])),
        "localization": intern(row.get("localization") or UNKNOWN),
        "skin_tone": intern(parse_tone(row)),
        "dx_type": intern(row.get("dx_type") or UNKNOWN),
    }


def undescribed(number: int) -> pd.DataFrame:
    """What `describe` gives for so many images of which no table tells anything."""
    return pd.DataFrame(describe(Row("", {}), Findings()), index=range(number))


def check_unique(rows: Iterable[Row], column: str, findings: Findings) -> None:
    """Report every value of a column that an earlier row already has."""
    first: dict[str, Row] = {}
    for row in rows:
        earlier = first.setdefault(row[column], row)
        if earlier is not row:
            findings.add(
                f"{row.where}: {column} {row[column][:100]!r} occurs already in {earlier.where}"
            )


def check_names(rows: Iterable[Row], column: str, findings: Findings) -> None:
    """Report every value of a column that cannot be the name of a file, for example a path."""
    for row in rows:
        if fault := name_fault(row[column]):
            findings.add(f"{row.where}: {column} {row[column][:100]!r} {fault}")


def check_lesions(lesions: Iterable[tuple[str, str, str]], findings: Findings) -> Collection[str]:
    """Report every lesion that has two diagnoses.

    Args:
        lesions: (where, lesion id, label) of each row.
        findings: Gets one line for each row that contradicts an earlier one, or one for all where
            most lesions do: they seem to be numbered within something.

    Returns:
        The lesions that are left out for that; none unless `findings.leave_out`.
    """
    rows = list(lesions)
    found = list(_contradictions(rows))
    images = Counter(lesion for _, lesion, _ in rows)
    several = [lesion for lesion, number in images.items() if number > 1]
    wrong = list(dict.fromkeys(lesion for _, lesion, *_ in found))
    if len(wrong) >= FEWEST_ODD and 2 * len(wrong) > len(several):
        findings.add(
            f"{len(wrong):,} of the {len(several):,} lesions with several images have several "
            f"diagnoses each ({', '.join(repr(lesion[:40]) for lesion in wrong[:FEWEST_ODD])}, "
            "...): lesions seem to be numbered within something; if within each patient, name the "
            f"patients with {COLUMN_OPTIONS['patient_id']} COLUMN, otherwise leave this column out "
            f"with {COLUMN_OPTIONS['lesion_id']} {NOT_READ}"
        )
        return ()
    told = set[str]()
    for where, lesion, label, earlier_where, earlier in found:
        line = (
            f"{where}: lesion {lesion[:100]!r} is {label!r}, but {earlier!r} in {earlier_where}; a "
            "patient with several lesions goes into a column patient_id"
        )
        findings.add_unclear(line, "lesions with several diagnoses", sorted({lesion} - told))
        told.add(lesion)
    return told if findings.leave_out else ()


def check_patients(lesions: Iterable[tuple[str, str, str]], findings: Findings) -> None:
    """Report every lesion with two patients, as happens if lesions are numbered per patient.

    Args:
        lesions: (where, lesion id, patient id or "") of each row.
        findings: Gets one line for each row that contradicts an earlier one.
    """
    known = (entry for entry in lesions if entry[2])
    for where, lesion, patient, earlier_where, earlier in _contradictions(known):
        findings.add(
            f"{where}: lesion {lesion[:100]!r} is of patient {patient[:100]!r}, but of "
            f"{earlier[:100]!r} in {earlier_where}; make lesion ids unique, as in PATIENT_LESION"
        )


def _contradictions(
    entries: Iterable[tuple[str, str, str]],
) -> Iterator[tuple[str, str, str, str, str]]:
    """(where, name, value, where before, value before) of each name whose first value was other."""
    first: dict[str, tuple[str, str]] = {}
    for where, name, value in entries:
        earlier_where, earlier = first.setdefault(name, (where, value))
        if earlier != value:
            yield where, name, value, earlier_where, earlier
