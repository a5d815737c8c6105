"""Ages, sexes, rows that contradict each other."""

import math

import pytest

from dermaug.data.cells import (
    check_lesions,
    check_names,
    check_unique,
    describe,
    lesions_unknown,
    parse_age,
    parse_sex,
)
from dermaug.data.findings import Findings
from dermaug.data.metadata import Row


@pytest.mark.parametrize(
    ("text", "years"), [("80.0", 80), ("0", 0), ("5.", 5), ("120", 120), ("", None), ("NA", None)]
)
def test_age(text: str, years: float | None) -> None:
    findings = Findings()
    age = parse_age(Row("line 2", {"age": text}), findings)
    assert math.isnan(age) if years is None else age == years
    assert not findings.lines


@pytest.mark.parametrize("text", ["x", "-5", "120.5", "1e2", "inf", "1_0", "٣", "=1+1", "1,234"])
def test_age_that_is_none_is_a_finding(text: str) -> None:
    findings = Findings()
    parse_age(Row("line 2", {"age": text}), findings)
    (line,) = findings.lines
    assert line.startswith("line 2: expected an age")
    assert text in line


def test_sex() -> None:
    findings = Findings()
    sexes = [parse_sex(Row("line 2", {"sex": text}), findings) for text in ("Male", "f", "", "NA")]
    assert sexes == ["male", "female", "unknown", "unknown"]
    assert not findings.lines
    parse_sex(Row("line 3", {"sex": "mele"}), findings)
    assert findings.lines == ["line 3: expected sex female, male or unknown, found 'mele'"]


def test_absent_columns_are_unknown_and_text_stays_text() -> None:
    findings = Findings()
    nothing = describe(Row("line 2", {}), findings)
    assert math.isnan(float(nothing.pop("age")))
    assert nothing == {
        "sex": "unknown",
        "localization": "unknown",
        "dx_type": "unknown",
        "skin_tone": "unknown",
    }
    assert describe(Row("line 2", {"localization": "NA"}), findings)["localization"] == "NA"


def test_rows_that_contradict_each_other() -> None:
    rows = [Row(f"line {line}", {"id": name}) for line, name in enumerate(["a", "../b", "a"], 2)]
    findings = Findings()
    check_unique(rows, "id", findings)
    check_names(rows, "id", findings)
    check_lesions([("line 2", "L", "mel"), ("line 3", "M", "nv"), ("line 4", "L", "nv")], findings)
    assert findings.lines == [
        "line 4: id 'a' occurs already in line 2",
        "line 3: id '../b' is a path",
        "line 4: lesion 'L' is 'nv', but 'mel' in line 2; a patient with several lesions goes into "
        "a column patient_id",
    ]


@pytest.mark.parametrize(
    ("patients", "known"), [(["a", "b"], True), (["a", ""], False), ([], False)]
)
def test_without_lesions_it_is_said_whether_patients_are_known(
    patients: list[str], known: bool
) -> None:
    assert lesions_unknown(patients).endswith("Patients are known.") == known
