"""Make a reader test: the pages that are sent, and the key that stays."""

import secrets
from pathlib import Path

import numpy as np
import torch

from dermaug.aside import folder_written_aside
from dermaug.experiment.run.results import RunResults
from dermaug.files import write_text
from dermaug.output_places import require_new_folder, require_outside
from dermaug.readers.key import KEY, SEND, Case, ReaderKey, generator_digests
from dermaug.readers.opinions import classifier_opinions
from dermaug.readers.page import INSTRUCTIONS, reader_page
from dermaug.readers.selection import Chosen, choose_images, shortfalls
from dermaug.seeding import derive_seed


def make_reader_test(
    results: RunResults, output: Path, *, readers: int, number: int, device: torch.device
) -> list[str]:
    """Write `send/` with one page per reader and instructions, and `key.json` beside it.

    Every reader sees the same images, each in an order of their own. Images and orders come from a
    secret number, because anyone could repeat the draws of a known seed.

    Args:
        results: A run with finished generators.
        output: Folder to create.
        readers: Number of readers.
        number: Number of images.
        device: Device of the classifiers, whose opinions are kept in the key.

    Returns:
        Remarks, one sentence each.

    Raises:
        DermaugError: The run has no generated images, or the folder is in use.
    """
    require_new_folder(output)
    require_outside(output, results.catalog.root)
    secret = secrets.randbits(64)
    fold, chosen = choose_images(results, number, secret)
    images = [one.pixels for one in chosen]
    opinions = classifier_opinions(results, fold.index, np.stack(images), device)
    names = [f"reader{place}" for place in range(1, readers + 1)]
    shuffle = np.random.default_rng(derive_seed("readers", "order", secret))
    key = ReaderKey(
        test=secrets.token_hex(8),
        run=results.experiment.name,
        run_id=results.record.id,
        generators=generator_digests(results, fold.index),
        data=results.catalog.name,
        fold=fold.index,
        size=int(images[0].shape[0]),
        classes=results.catalog.classes,
        cases=tuple(_case(one, place, opinions) for place, one in enumerate(chosen)),
        orders={name: tuple(map(int, shuffle.permutation(len(chosen)))) for name in names},
    )
    with folder_written_aside(output) as aside:
        key.write(aside / KEY)
        write_text(aside / SEND / "instructions.txt", INSTRUCTIONS)
        for name, order in key.orders.items():
            page = reader_page([images[case] for case in order], key.classes, name, key.test)
            write_text(aside / SEND / f"{name}.html", page)
    return shortfalls(chosen, number)


def _case(one: Chosen, place: int, opinions: dict[str, list[str]]) -> Case:
    return Case.model_validate(
        {
            "origin": one.origin,
            "label": one.label,
            "generator": one.generator,
            "source": one.source,
            "opinions": {name: labels[place] for name, labels in opinions.items()},
        }
    )
