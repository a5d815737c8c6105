"""What the tabs show and save, without a browser."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from dermaug.app.answer import NOTHING, answer_page
from dermaug.app.choice import choice_words, flip, write_chosen
from dermaug.app.classifier import ask
from dermaug.app.generator import draw_alike, draw_class, draw_path, draw_translated, save_drawn
from dermaug.app.images import about_image, copies, generated_sheet, real_sheet
from dermaug.app.opened import Opened, open_for_page, synthetic_set
from dermaug.errors import DermaugError
from dermaug.inspection.audit_run import audit_run, read_audit, write_audit
from dermaug.synthesis.png_folder import generate_folder
from dermaug.synthesis.synthetic_set import read_synthetic_set

CPU = torch.device("cpu")


def named(opened: Opened, family: str, label: str = "mel") -> str:
    """Name of the generator of a family and class."""
    return next(
        name
        for name, one in opened.generators.items()
        if (one.family, one.label) == (family, label)
    )


def as_file(image: np.ndarray) -> bytes:
    memory = io.BytesIO()
    Image.fromarray(image).save(memory, "PNG")
    return memory.getvalue()


def test_the_answer_keeps_to_the_whole_study_whatever_is_chosen(opened: Opened) -> None:
    whole, one = answer_page(opened), answer_page(opened, "fridadar", "classic+flow", "nv")
    assert "Do drawn images help?" in whole
    assert "classic+dcgan − classic" in whole
    rows = one[one.index('id="verdicts"') :]
    assert "classic+flow − classic" in rows
    assert "classic+dcgan − classic" not in rows
    answer = '<section id="answer">'
    assert (
        whole.split(answer)[1].split("</section>")[0] == one.split(answer)[1].split("</section>")[0]
    )
    assert NOTHING in answer_page(opened, "no such network")


def test_a_scoring_of_fewer_classifiers_is_refused(
    opened: Opened, tmp_path: Path, scored_run: Path
) -> None:
    path = scored_run / "scoring" / "scores.csv"
    table = path.read_text()
    try:
        path.write_text("\n".join(table.splitlines()[:-1]) + "\n")
        with pytest.raises(DermaugError, match="dermaug score"):
            open_for_page(scored_run, None, CPU, tmp_path)
    finally:
        path.write_text(table)


def test_copies_that_the_audit_found_are_marked_and_excluded_at_once(opened: Opened) -> None:
    tab = pytest.importorskip("dermaug.app.image_tab", reason="NOT TESTED: no gradio")
    do, name = tab.Choosing(opened), named(opened, "flow", "nv")
    generator = opened.generators[name]
    synthetic = synthetic_set(generator)
    rows = np.flatnonzero(np.array(synthetic.labels) == "nv")
    try:
        audit_run(opened.run, CPU)
        found = read_audit(generator.folder)
        assert found is not None
        copy, other = found.pairs.index[found.pairs["label"] == "nv"][:2]
        places = found.pairs["synthetic"].astype(int)
        copied, left = (int(rows[places[each]]) for each in (copy, other))
        scores = pd.Series(2.0, index=found.pairs.index)
        scores[copy] = 0.5
        changed = replace(found, pairs=found.pairs.assign(score=scores))
        write_audit(generator.folder / "audit.json", "changed", generator.record.digest, changed)
        assert copies(generator, synthetic) == {copied}
        names = [words for _, words in generated_sheet(generator, 1, [copied]).images]
        assert f"{copied} copy out" in names
        assert str(left) in names
        assert "counts it as a copy" in about_image(opened, generator, copied)[1]
        assert "not one of the copies" in about_image(opened, generator, left)[1]
        assert do.flip_copies(tab.Scene(name))[0].excluded == {copied}
        with pytest.raises(DermaugError, match="no image of this class"):
            do.flip_copies(tab.Scene(named(opened, "flow", "mel")))
    finally:
        for one in opened.generators.values():
            (one.folder / "audit.json").unlink(missing_ok=True)


def test_a_generated_image_is_shown_with_its_neighbours_and_origin(opened: Opened) -> None:
    generator = opened.generators[named(opened, "dcgan")]
    sheet = generated_sheet(generator, 1, [2])
    assert sheet.images[2][1] == "2 out"
    plain = generated_sheet(generator, 1, []).images
    assert sheet.images[2][0].mean() > plain[2][0].mean()  # paler
    np.testing.assert_array_equal(sheet.images[1][0], plain[1][0])
    assert len(real_sheet(opened, generator)) > 0
    near, told = about_image(opened, generator, 0)
    lines = [line for line in told.splitlines() if "grey levels" in line]
    table = opened.results.catalog.table.set_index("image_id")
    lesions = [table.loc[line.split()[1].rstrip(":")] for line in lines]
    assert len({each["lesion_id"] for each in lesions}) == len(near) == 3
    assert {each["label"] for each in lesions} == {"mel"}
    distances = [float(line.split()[2]) for line in lines]
    assert distances == sorted(distances)
    assert "reference classifier" in told
    assert synthetic_set(generator).provenance.generator[:16] in told


def test_the_set_chosen_by_hand_says_so_and_keeps_its_latents(opened: Opened) -> None:
    generator = opened.generators[named(opened, "dcgan")]
    before = synthetic_set(generator)
    assert before.provenance.note == ""
    chosen = read_synthetic_set(write_chosen(opened, generator, [0, 3], "chosen"))
    number = len(before.labels)
    kept = [row for row in range(number) if row not in (0, 3)]
    np.testing.assert_array_equal(chosen.images, before.images[kept])
    assert chosen.latents == tuple(before.latents[row] for row in kept)
    assert chosen.provenance.note.startswith(f"chosen by hand: 2 of {number} images were excluded")
    assert chosen.provenance.training_images == before.provenance.training_images
    with pytest.raises(DermaugError, match="at least one"):
        write_chosen(opened, generator, range(number), "none")
    with pytest.raises(DermaugError, match="name of a new folder"):
        write_chosen(opened, generator, [], "../chosen")


def test_a_sheet_is_excluded_and_taken_back_as_a_whole(opened: Opened) -> None:
    generator = opened.generators[named(opened, "dcgan")]
    rows = generated_sheet(generator, 1, ()).rows
    one = flip(opened, generator, [1], ())
    all_out = flip(opened, generator, rows, one)
    assert all_out == set(rows)
    assert choice_words(generator, flip(opened, generator, rows, all_out)) == (
        f"{len(synthetic_set(generator).labels)} images of 1 class, 0 excluded"
    )


def test_drawing_gives_the_images_of_dermaug_generate(opened: Opened, tmp_path: Path) -> None:
    generator = opened.generators[named(opened, "dcgan")]
    drawn = draw_class(opened, generator, 4, seed=5)
    generate_folder(generator.folder / "generator.safetensors", "mel", 4, 5, tmp_path / "same", CPU)
    same = read_synthetic_set(tmp_path / "same")
    saved = read_synthetic_set(save_drawn(opened, drawn, "drawn"))
    np.testing.assert_array_equal(saved.images, same.images)
    assert saved.latents == same.latents
    assert saved.provenance.note == "drawn with seed 5"
    assert saved.provenance.generator == same.provenance.generator


def test_truncation_paths_and_images_alike(opened: Opened) -> None:
    generator = opened.generators[named(opened, "dcgan")]
    drawn = draw_class(opened, generator, 6, seed=1)
    cut = draw_class(opened, generator, 6, seed=1, truncation=0.1)
    spread = [each.images.astype(float).std(axis=0).mean() for each in (drawn, cut)]
    assert spread[1] < spread[0]
    assert "truncation" in cut.how
    path = draw_path(opened, generator, 0)
    assert len(path.images) == 12
    near, others = draw_alike(opened, drawn, 2, 5).images, np.delete(drawn.images, 2, axis=0)
    origin = drawn.images[2].astype(float)
    assert np.abs(near - origin).mean() < np.abs(others - origin).mean()
    again = draw_alike(opened, path, 0, 2)  # of what was drawn in any way
    assert "interpolation" in again.how
    with pytest.raises(DermaugError, match="6 images"):
        draw_alike(opened, drawn, 6, 1)


def test_only_flow_translates_and_only_its_own_training_images(opened: Opened) -> None:
    flow, dcgan = (opened.generators[named(opened, family)] for family in ("flow", "dcgan"))
    with pytest.raises(DermaugError, match="no truncation"):
        draw_class(opened, flow, 1, 0, truncation=0.5)
    seen = opened.sampler(flow)[1].training_images
    real = opened.images(opened.results.catalog.rows((seen[0],)))[0].astype(float)
    near, far = (draw_translated(opened, flow, seen[0], 2, 0, kept) for kept in (0.95, 0.0))
    assert np.abs(near.images - real).mean() < np.abs(far.images - real).mean()
    np.testing.assert_array_equal(far.images, draw_class(opened, flow, 2, 0).images)
    saved = read_synthetic_set(save_drawn(opened, near, "translated"))
    assert f"translated from the real training image {seen[0]}" in saved.provenance.note
    test = opened.results.folds[0].test[0]
    with pytest.raises(DermaugError, match="leak"):
        draw_translated(opened, flow, test, 1, 0, 0.5)
    with pytest.raises(DermaugError, match="flow can"):
        draw_translated(opened, dcgan, seen[0], 1, 0, 0.5)
    with pytest.raises(DermaugError, match="no latent"):
        draw_alike(opened, near, 0, 1)


def test_a_classifier_gives_the_probabilities_of_the_run(opened: Opened) -> None:
    trial = next(iter(opened.trials.values()))
    row = trial.predictions[trial.predictions["part"] == "test"].iloc[0]
    catalog = opened.results.catalog
    image = opened.images(catalog.rows((row["image_id"],)))[0]
    found = ask(opened, trial, as_file(image))
    own = np.array([row[f"p_{label}"] for label in catalog.classes])
    even = own / [trial.record.prior[label] for label in catalog.classes]
    told = [float(cell.rstrip("%")) / 100 for cell in found.table["Prior-adjusted"]]
    np.testing.assert_allclose(told, even / even.sum(), atol=0.001)
    calibrated = [float(cell.rstrip("%")) for cell in found.table["Natural prevalence, calibrated"]]
    assert sum(calibrated) == pytest.approx(100, abs=0.2)
    assert found.heat is not None
    assert [each.shape for each, _ in found.seen] == [image.shape] * 2
    assert "training split: this" not in found.words
    assert len(found.nearest.images) == 6


def test_an_image_of_the_training_split_is_recognised(opened: Opened) -> None:
    trial = next(iter(opened.trials.values()))
    seen = opened.results.folds[0].train[3]
    found = ask(opened, trial, as_file(opened.images(opened.results.catalog.rows((seen,)))[0]))
    assert f"{seen} is in the training split" in found.words
    assert found.nearest.listed.startswith(f"1. {seen}:")
