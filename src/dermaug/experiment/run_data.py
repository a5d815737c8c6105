"""The data of an experiment as every command sees them: decoded, and equal images in one group."""

from dataclasses import replace

from dermaug.config import Experiment
from dermaug.data.dataset import open_dataset, read_pixels
from dermaug.data.grouping import equal_links
from dermaug.data.pixels import PixelStore


def read_run_data(experiment: Experiment) -> PixelStore:
    """Open, group and decode the data of an experiment.

    Raises:
        DermaugError: As for `open_dataset` and `read_pixels`.
    """
    store = read_pixels(open_dataset(experiment.data, experiment.splits.group), experiment.data)
    return replace(store, catalog=store.catalog.united(*equal_links(store.digests)))
