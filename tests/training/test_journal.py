import json
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from dermaug.errors import DermaugError
from dermaug.training.journal import Journal, read_journal


def test_rows_come_back_and_infinity_becomes_null(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.write(10, 0.5, {"loss": 1.25})
    journal.write(20, 1.0, {"loss": float("inf")})
    rows = read_journal(tmp_path / "journal.jsonl")
    assert rows == [
        {"images": 10, "seconds": 0.5, "loss": 1.25},
        {"images": 20, "seconds": 1.0, "loss": None},
    ]


def test_tensorboard_reads_the_curves_of_a_resumed_training(tmp_path: Path) -> None:
    for images, values in ((0, (1.0, 2.0, 3.0)), (20, (4.0,))):
        journal = Journal(tmp_path, images)
        for place, value in enumerate(values, 1):
            journal.write(images + 10 * place, 0.0, {"loss": value, "rate": 0.5})
    read = EventAccumulator(str(tmp_path)).Reload()
    assert sorted(read.Tags()["scalars"]) == ["loss", "rate"]
    points = [(point.step, point.value) for point in read.Scalars("loss")]
    assert points == [(10, 1.0), (20, 2.0), (30, 4.0)]


def test_resume_drops_rows_after_the_checkpoint_and_half_lines(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for images in (10, 20, 30):
        journal.write(images, 0.0, {"loss": 1.0})
    with (tmp_path / "journal.jsonl").open("a") as file:
        file.write('{"images": 4')
    Journal(tmp_path, images=20).write(30, 0.0, {"loss": 2.0})
    lines = (tmp_path / "journal.jsonl").read_text().splitlines()
    assert [json.loads(line)["images"] for line in lines] == [10, 20, 30]
    assert json.loads(lines[-1])["loss"] == 2.0


@pytest.mark.parametrize("line", [b"[]", b"3", b"{}", b'{"images": "x"}', b"\xff", b"{"])
def test_line_that_is_no_row_is_named(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"images": 1}\n' + line + b'\n{"images": 3}\n')
    with pytest.raises(DermaugError, match=r"journal\.jsonl line 2"):
        read_journal(path)
    with pytest.raises(DermaugError, match="cannot be read"):
        read_journal(tmp_path)


@pytest.mark.parametrize(
    "row",
    [
        {"loss": 1.0},
        {"images": 2},
        {"images": 2, "loss": "1"},
        {"images": 2, "loss": [1]},
        {"images": True, "loss": 1.0},
        {"images": 2, "loss": False},
        {"images": 2, "loss": 1.0, "other": {}},
    ],
)
def test_row_without_the_expected_numbers_is_named(tmp_path: Path, row: dict[str, object]) -> None:
    path = tmp_path / "journal.jsonl"
    whole = '{"images": 1, "loss": null}'
    path.write_text(f"{whole}\n{json.dumps(row)}\n")
    with pytest.raises(DermaugError, match=r"line 2: expected numbers named images, loss"):
        read_journal(path, ["loss"])
    path.write_text(whole + "\n")
    assert read_journal(path, ["loss"]) == [{"images": 1, "loss": None}]
