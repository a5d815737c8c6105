"""What `data check` tells, and that it refuses exactly what a run would refuse."""

import shlex
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import typer.testing
from PIL import Image

from dermaug.cli import app
from dermaug.config import DataConfig
from dermaug.data.pixels import load_pixels
from dermaug.data.sources import open_catalog
from dermaug.inspection.data_check import examine

REAL = Path(__file__).parents[2] / "../shared/data/HAM10000"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a folder with a table; each row is (label, lesion, patient, seed of its pixels)."""

    def make(rows: list[tuple[str, str, str, int]]) -> Path:
        root = tmp_path / "set"
        root.mkdir()
        lines = ["file_name,label,lesion_id,patient_id,lens"]
        for place, (label, lesion, patient, seed) in enumerate(rows):
            pixels = np.random.default_rng(seed).integers(60, 200, (40, 40, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(root / f"{place}.png")
            lines.append(f"{place}.png,{label},{lesion},{patient},x")
        (root / "metadata.csv").write_text("\n".join(lines) + "\n")
        return root

    return make


def called(*words: str | Path) -> tuple[int, str]:
    ended = typer.testing.CliRunner().invoke(app, [str(word) for word in words])
    assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
    return ended.exit_code, ended.output


def sound(number: int = 4) -> list[tuple[str, str, str, int]]:
    return [
        (label, f"{label}{row}", f"P{row}", 10 * row + place)
        for place, label in enumerate(("mel", "nv"))
        for row in range(number)
    ]


def test_classes_counts_grouping_and_notes_are_told(write: Write) -> None:
    root = write([*sound(), ("nv", "nv0", "", 77)])
    found = examine(DataConfig(source=str(root)))
    assert found.refused == ()
    assert found.counts.loc["mel"].to_dict() == {"images": 4, "lesions": 4, "patients": 4}
    assert found.counts.loc["nv"].to_dict() == {"images": 5, "lesions": 4, "patients": 4}
    assert found.sentences[0] == "Read by the columns file_name and label of metadata.csv."
    assert found.sentences[1] == (
        "A run groups the images by patient, 1 image without one by lesion: 4 groups."
    )
    code, output = called("data", "check", root)
    assert code == 0
    for told in ("set: 9 images", "patients", "Columns that were not read: lens"):
        assert told in output


def test_one_image_under_two_lesions_is_told_and_not_refused(write: Write) -> None:
    rows = [(label, lesion, "", seed) for label, lesion, _, seed in sound()]
    root = write([*rows, ("nv", "other", "", 1)])
    found = examine(DataConfig(source=str(root)))
    assert found.refused == ()
    assert found.pairs == ("equal pixels: 4 (nv, nv0) and 8 (nv, other)",)
    assert found.sentences[1] == "A run groups by lesion: 8 groups. The data name no patients."
    assert "2 images of different lesions have equal pixels" in found.sentences[-1]
    with Image.open(root / "2.png") as image:
        image.rotate(90).save(root / "8.png")
    found = examine(DataConfig(source=str(root)))
    assert found.pairs[0].startswith("near-duplicates: 2 (mel, mel2) and 8 (nv, other), corr")
    assert "Near-duplicates: 1 pair of images of different lesions" in found.sentences[-1]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (
            ("nv", "other", "", 20),
            "equal images with different labels: 2 (mel), 8 (nv); correct the wrong label, or "
            'leave them out: data.exclude = ["2", "8"]',
        ),
        (
            ("Mel", "other", "", 99),
            "labels: 'Mel' (1 image) and 'mel' (4 images) differ only in case or blanks; merge",
        ),
        (("df", "other", "", 99), "class 'df': 1 patient, a run needs 3; leave it out"),
    ],
)
def test_what_a_run_would_refuse_is_listed_with_exit_code_2(
    write: Write, tmp_path: Path, row: tuple[str, str, str, int], told: str
) -> None:
    root = write([*sound(), row])
    code, output = called("data", "check", root)
    assert code == 2
    assert told in output
    (tmp_path / "x.toml").write_text(
        'name = "x"\n[data]\nsize = 32\n[splits]\nfolds = 3\n[[arms]]\nname = "real"\n'
    )
    words = ["run", tmp_path / "x.toml", "--data", root, "--output", tmp_path / "run"]
    assert called(*words)[0] == 2
    assert called(*words, "--dry-run")[0] == 2
    assert not (tmp_path / "run").exists()


def test_one_command_mends_all_that_is_refused(write: Write) -> None:
    rows = [(label, lesion, "", seed) for label, lesion, _, seed in sound(8)]
    root = write([*rows, ("nv", "other", "", 20), ("Mel", "more", "", 99), ("MEL", "last", "", 99)])
    (root / "7.png").rename(root / "away.png")
    code, output = called("data", "check", root, "--labels", "nv=Nävus")
    assert code == 2
    assert "7.png" in output.partition("a run would refuse")[2]
    (line,) = [line for line in output.splitlines() if "plans a study: " in line]
    command = shlex.split(line.partition("plans a study: ")[2])
    assert command[:3] == ["dermaug", "plan", str(root)]
    assert output.splitlines()[-1].endswith(shlex.join(["run", "--data", str(root), *command[3:]]))
    assert command[3:] == [
        *("--labels", "nv=Nävus", "--leave-out-unclear"),
        *("--labels", "MEL=mel", "--labels", "Mel=mel"),
        *("--set", 'data.exclude=["2", "16"]'),
    ]
    told = called("data", "check", root, *command[3:-2])[1]
    assert "merge them" not in told
    assert "Left out as unclear: rows without an image: 1 (7.png); images without a row" in told
    assert "correct the wrong label" in told


def test_an_image_that_is_unclear_elsewhere_keeps_its_diagnosis(write: Write) -> None:
    rows = [(label, lesion, "", seed) for label, lesion, _, seed in sound(8)]
    found = examine(DataConfig(source=str(write([*rows, ("unclear", "other", "", 20)]))))
    assert found.repairs == ("--leave-out", "unclear")
    assert not [line for line in found.refused if "different labels" in line]


def test_columns_that_are_only_likely_are_part_of_the_proposal(write: Write) -> None:
    root = write(sound(8))
    _, *rows = (root / "metadata.csv").read_text().splitlines()
    kinds = {"mel": "melanoma", "nv": "naevus"}
    lines = ["Photo,Diagnosis,Histology"]
    for row in rows:
        name, label, *_ = row.split(",")
        lines.append(f"{name},{label},{kinds[label]}")
    (root / "metadata.csv").rename(root / "log.csv")
    (root / "log.csv").write_text("\n".join([*lines, "lost.png,nv,naevus"]))
    code, output = called("data", "check", root)
    assert code == 2
    told = "likely --image-column Photo --label-column Histology (or 'Diagnosis' for the labels)"
    assert told in " ".join(output.split())
    options = ["--image-column", "Photo", "--label-column", "Histology", "--leave-out-unclear"]
    assert output.splitlines()[-1].endswith(shlex.join(["run", "--data", str(root), *options]))
    code, output = called("data", "check", root, *options)
    assert code == 0, output


def test_each_cause_is_told_once(write: Write) -> None:
    rows = [(label, lesion, "", seed) for label, lesion, _, seed in sound(8)]
    more = [("Mel", "mel0", "", 99), ("Melanom", "mel1", "", 98), ("mel", "mel2", "", 97)]
    root = write(
        [*rows, *more, ("Mel", "new", "", 0), ("nv", "new2", "", 1), ("nv", "new3", "", 1)]
    )
    code, output = called("data", "check", root)
    assert code == 2
    refused = output.partition("a run would refuse these data")[2].splitlines()[1:-2]
    assert refused == [
        "  labels: 'Mel' (2 images), 'Melanom' (1 image) and 'mel' (9 images) probably mean one "
        "thing, and some differ in case or blanks only; merge them: --labels Mel=mel --labels "
        "Melanom=mel"
    ]
    found = examine(DataConfig(source=str(root)))
    assert found.pairs == (
        "equal pixels: 0 (mel, mel0) and 19 (Mel, new)",
        "equal pixels: 8 (nv, nv0) and 20 (nv, new2) and 21 (nv, new3)",
    )
    merged = DataConfig(source=str(root), labels={"Mel": "mel", "Melanom": "mel"})
    assert examine(merged).refused == ()


def test_a_contradiction_is_no_pair_besides(write: Write) -> None:
    rows = [(label, lesion, "", seed) for label, lesion, _, seed in sound()]
    found = examine(DataConfig(source=str(write([*rows, ("nv", "other", "", 20)]))))
    assert len(found.refused) == 1
    assert found.pairs == ()
    assert not any("equal pixels" in sentence for sentence in found.sentences)


def test_unfit_files_are_listed(write: Write) -> None:
    root = write(sound())
    (root / "3.png").write_bytes((root / "3.png").read_bytes()[:200])
    code, output = called("data", "check", root)
    assert code == 2
    assert f"unfit file: {root / '3.png'}: truncated" in output.replace("\n", "")


@pytest.mark.skipif(not REAL.is_dir(), reason="needs HAM10000 in ../shared/data")
def test_ham10000_holds_one_photograph_under_two_lesions() -> None:
    found = examine(DataConfig(source=str(REAL)))
    assert found.refused == ()
    (pair,) = found.pairs
    assert {"ISIC_0025226", "ISIC_0030074"} <= set(pair.replace("(", " ").split())
    assert found.counts["images"].sum() == 10_015
    assert "patients" not in found.counts


def test_a_thumbnail_is_too_small_and_not_damaged(write: Write, tmp_path: Path) -> None:
    root = write(sound(8))
    Image.new("RGB", (12, 30)).save(root / "3.png")
    why = "too small: 12 x 30 pixels; expected at least 16 on each side"
    assert f"unfit file: {root / '3.png'}: {why}" in called("data", "check", root)[1]
    store = load_pixels(
        open_catalog(root), DataConfig(on_bad="skip"), cache=tmp_path / "cache", workers=1
    )
    note = f"Left out of 16 images: 1 file that cannot be used, {root.name}/3.png ({why})."
    assert note in store.catalog.notes


def test_labels_are_mapped_and_left_out(write: Write) -> None:
    root = write([*sound(), ("Nevus", "x", "", 77), ("odd", "y", "", 78)])
    code, told = called("data", "check", root, "--labels", "Nevus=nv", "--leave-out", "odd")
    assert code == 0, told
    assert "Label map: Nevus = nv." in told
    assert "Left out 1 image by label: odd (1)." in told
    code, told = called("data", "check", root, "--labels", "nevus=nv")
    assert code == 2
    assert "data.labels: no label 'nevus' in the data; did you mean 'Nevus'?" in told
    assert called("data", "check", root, "--labels", "Nevus")[0] == 2


def test_columns_skin_tone_and_files_that_were_not_read_are_told(write: Write) -> None:
    root = write(sound())
    lines = (root / "metadata.csv").read_text().splitlines()
    tones = ["Bild,Klasse,lesion_id,patient_id,monk_scale"]
    tones += [line.replace(",x", f",{place % 2 + 8}") for place, line in enumerate(lines[1:])]
    (root / "metadata.csv").write_text("\n".join(tones) + "\n")
    (root / "consent.pdf").touch()
    with zipfile.ZipFile(root / "more.zip", "w") as packed:
        packed.writestr("notes.txt", "x")
    code, told = called(
        *("data", "check", root, "--image-column", "Bild", "--label-column", "Klasse")
    )
    assert code == 0, told
    for said in (
        "Read by the columns Bild (file_name), Klasse (label) of metadata.csv.",
        "Skin tone: Monk 8 (4), Monk 9 (4); Monk's scale has ten tones",
        "Files that were not read: consent.pdf, more.zip/notes.txt.",
    ):
        assert said in told
    assert called("data", "check", root)[1].splitlines()[1:] == told.splitlines()[1:]


def test_remedies_can_be_typed(write: Write) -> None:
    root = write([*sound(), ("Mel", "o", "", 99), ("rare one", "p", "", 98)])
    code, told = called("data", "check", root)
    assert code == 2
    assert "--set" not in told
    assert "--labels Mel=mel" in told
    assert "--leave-out 'rare one'" in told
    words = ["data", "check", root, "--labels", "Mel=mel", "--leave-out", "rare one"]
    assert called(*words)[0] == 0
