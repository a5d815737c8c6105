"""Vital signs: known answers on made-up images, and a training that collapses on purpose."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from dermaug.data.image_bank import ImageBank
from dermaug.data.sources.phantom import draw_class
from dermaug.evaluation.features import RandomFeatures
from dermaug.generators.generator_training import train_generator
from dermaug.generators.health import (
    PATIENCE,
    Monitor,
    Vitals,
    collapsed_pairs,
    diagnose,
    nearest_training,
)
from dermaug.generators.real_side import close_pairs, median_nearest, real_sides, small
from dermaug.generators.state import GeneratorTask
from dermaug.training.file_names import GENERATOR

Make = Callable[..., GeneratorTask]
HEALTHY = Vitals(images=100, kid=0.5, collapsed_pairs=0.02, nearest_training=1.1, overfitting=0.2)


def phantoms(number: int, seed: int) -> np.ndarray:
    return draw_class("mel", number, seed, 32).images


def readings(**changes: list[float]) -> list[Vitals]:
    number = len(next(iter(changes.values())))
    return [
        dataclasses.replace(
            HEALTHY,
            images=100 * (k + 1),
            **{name: values[k] for name, values in changes.items()},
        )
        for k in range(number)
    ]


def test_healthy_training_goes_on_and_its_best_snapshot_is_known() -> None:
    found = diagnose(readings(kid=[0.9, 0.3, float("nan"), 0.5]), 100)
    assert (found.best_images, found.stop, found.words) == (200, False, "")


def test_beginning_is_not_judged() -> None:
    kid = [0.1, *[0.5] * PATIENCE]
    history = readings(kid=kid, collapsed_pairs=[1.0] * (PATIENCE + 1))
    assert diagnose(history, 400).stop
    assert not diagnose(history, 500).stop


def test_without_validation_images_the_last_snapshot_is_best() -> None:
    unknown = float("nan")
    assert diagnose(readings(kid=[unknown, unknown, unknown]), 100).best_images == 300


@pytest.mark.parametrize(
    ("sign", "bad", "words"),
    [
        ("collapsed_pairs", 0.9, "collapsed: 90%"),
        ("overfitting", 0.95, "has memorised the training images"),
        ("nearest_training", 0.2, "to training images is 0.20"),
    ],
)
def test_bad_sign_stops_once_it_lasts(sign: str, bad: float, words: str) -> None:
    kid = [0.1, *[0.5] * PATIENCE]
    good = getattr(HEALTHY, sign)
    lasting = diagnose(readings(kid=kid, **{sign: [good, *[bad] * PATIENCE]}), 100)
    assert lasting.stop
    assert words in lasting.words
    assert lasting.best_images == 100
    passing = diagnose(readings(kid=kid, **{sign: [good, *[bad] * (PATIENCE - 1), good]}), 100)
    assert not passing.stop


@pytest.mark.parametrize(("sign", "bad"), [("overfitting", 0.95), ("collapsed_pairs", 1.0)])
def test_bad_sign_is_no_reason_while_images_still_improve(sign: str, bad: float) -> None:
    kid = [0.5, 0.4, 0.3, 0.2]
    assert not diagnose(readings(kid=kid, **{sign: [bad] * 4}), 100).stop


def test_pairs_of_real_images_are_rarely_collapsed_and_those_of_one_image_always() -> None:
    real, fresh = phantoms(80, 0), phantoms(80, 1)
    close = close_pairs(real)
    assert collapsed_pairs(fresh, close) < 0.1
    assert collapsed_pairs(np.repeat(fresh[:1], 20, 0), close) == 1.0


def test_copies_are_near_in_any_orientation_and_fresh_images_are_not() -> None:
    real, validation, fresh = phantoms(80, 0), phantoms(60, 1), phantoms(60, 2)
    known = small(real)
    apart = median_nearest(validation, known)
    assert nearest_training(fresh, known, apart) == pytest.approx(1.0, abs=0.25)
    assert nearest_training(np.rot90(real[:40], axes=(1, 2)), known, apart) < 0.01


def monitor(*sides: tuple[np.ndarray, np.ndarray], number: int = 40) -> Monitor:
    """Training and validation images of one class, each with its lesions."""
    images, lesions = zip(*sides, strict=True)
    device = torch.device("cpu")
    banks = [ImageBank.of(part, np.zeros(len(part), np.int64), device) for part in images]
    extractor = RandomFeatures()
    return Monitor(real_sides(*banks, extractor, lesions), extractor, number, device)


def examined(given: Monitor, drawn: np.ndarray) -> Vitals:
    return given.examine(1, lambda label, number: drawn, lambda bank: None)


def test_monitor_ranks_fresh_images_above_noise() -> None:
    given = monitor(*((phantoms(60, seed), np.arange(60)) for seed in range(2)))
    noise = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)
    good, bad = examined(given, phantoms(40, 7)), examined(given, noise)
    assert good.kid < 0.2 * bad.kid
    assert np.isnan(good.overfitting)
    assert 0.7 < good.nearest_training < 1.4


def twice(images: np.ndarray, seed: int) -> np.ndarray:
    """Each lesion photographed twice, with noise of its own."""
    noise = np.random.default_rng(seed).integers(-4, 5, (2 * len(images), *images.shape[1:]))
    return np.clip(np.repeat(images, 2, axis=0) + noise, 0, 255).astype(np.uint8)


@pytest.mark.slow
def test_two_images_of_a_lesion_do_not_raise_the_kid_of_fresh_lesions() -> None:
    known, lesions = (phantoms(20, 0), np.arange(20)), np.repeat(np.arange(10), 2)
    kids, blind = [], []
    for seed in range(60):
        validation, drawn = twice(phantoms(10, 1_000 + seed), seed), phantoms(40, 5_000 + seed)
        drawn = twice(drawn, 500 + seed)[::2]
        kids.append(examined(monitor(known, (validation, lesions)), drawn).kid)
        blind.append(examined(monitor(known, (validation, np.arange(20))), drawn).kid)
    error = np.std(kids) / np.sqrt(len(kids))
    assert abs(np.mean(kids)) < 3 * error
    assert np.mean(blind) > 4 * error


def test_near_images_of_one_lesion_are_no_measure_of_collapse() -> None:
    """A generator whose images repeat closely is collapsed, also where real lesions come twice."""
    real, lesions = twice(phantoms(40, 0), 0), np.repeat(np.arange(40), 2)
    validation = (phantoms(20, 1), np.arange(20))
    repeated = twice(np.repeat(phantoms(1, 2), 20, axis=0), 1)
    assert examined(monitor((real, lesions), validation), repeated).collapsed_pairs == 1.0
    assert examined(monitor((real, lesions), validation), phantoms(40, 3)).collapsed_pairs < 0.1


@pytest.mark.parametrize("side", [0, 1])
def test_a_class_of_few_lesions_is_not_judged_however_many_its_images(side: int) -> None:
    sides = [(phantoms(30, 0), np.arange(30)), (phantoms(30, 1), np.arange(30))]
    sides[side] = (sides[side][0], np.arange(30) % 3)
    assert np.isnan(examined(monitor(*sides), phantoms(40, 2)).kid)
    sides[side] = (sides[side][0], np.arange(30) % 4)
    assert np.isfinite(examined(monitor(*sides), phantoms(40, 2)).kid)


def test_a_discriminator_judges_some_images_of_a_class_whatever_its_size() -> None:
    given = monitor(
        (np.repeat(phantoms(30, 0), 10, 0), np.arange(300)), (phantoms(30, 1), np.arange(30))
    )
    asked: list[int] = []

    def realness(bank: ImageBank) -> np.ndarray:
        asked.append(len(bank))
        return np.zeros(len(bank))

    given.examine(1, lambda label, number: phantoms(40, 2), realness)
    assert asked == [256, 30, 40]


@pytest.mark.slow
def test_collapse_on_purpose_is_caught_and_stops_the_training(
    tmp_path: Path, fabric: Fabric, generator_task: Make
) -> None:
    """Four images, no flips, and a rate at which the generator falls into one mode."""
    task = generator_task(
        tmp_path, images=9_600, batch=4, rate=5e-3, augment=False, snapshots=60, ema=0.5
    )
    four = ImageBank.of(phantoms(4, 0), np.zeros(4, np.int64), fabric.device)
    validation = ImageBank.of(phantoms(20, 1), np.zeros(20, np.int64), fabric.device)
    trained = train_generator(
        dataclasses.replace(task, training=four, validation=validation), fabric
    )
    assert trained.images < 9_600
    assert trained.diagnosis
    assert trained.vitals is not None
    assert trained.kept_images == trained.vitals.images
    assert (tmp_path / GENERATOR).exists()
