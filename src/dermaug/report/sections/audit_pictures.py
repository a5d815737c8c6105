"""Pictures of the audit: the nearest pairs, and t-SNE of last-layer features."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from matplotlib.axes import Axes

from dermaug.data.orientations import oriented
from dermaug.experiment.run.artefacts import recorded_set
from dermaug.experiment.run.results import RunResults
from dermaug.inspection.audit_class import PAIRS_KEPT
from dermaug.inspection.audit_run import class_rows
from dermaug.inspection.planes import MOST_OF_A_CLASS, TOGETHER, WITH, WITHOUT, read_embedding
from dermaug.report.blocks import Figure, Panel
from dermaug.report.drawing import colour, file_name, legend, marker, panels, png, sheet

TITLES = {
    WITHOUT: "Test images, classifier trained without synthetic images",
    WITH: "Test images, classifier trained with synthetic images",
    TOGETHER: "Real validation images and synthetic images",
}


def pair_figure(results: RunResults, pairs: pd.DataFrame) -> Figure | None:
    """The synthetic images nearest to a training image, above that image; None without pairs.

    The worst generator of each family and class is shown.
    """
    if pairs.empty:
        return None
    shown_pairs = []
    for index, ((family, label), rows) in enumerate(pairs.groupby(["family", "label"], sort=False)):
        folder = str(rows.sort_values("score")["folder"].iloc[0])
        shown = rows[rows["folder"] == folder].head(PAIRS_KEPT)
        synthetic = recorded_set(results.folder / folder)
        drawn = synthetic.images[class_rows(synthetic, str(label))]
        top = [
            oriented(drawn[[row["synthetic"]]], int(row["orientation"]))[0]
            for _, row in shown.iterrows()
        ]
        real = results.images[results.catalog.rows(shown["training_image"].tolist())]
        title = f"{label}, {family}: fold {shown['fold'].iloc[0]}, seed {shown['seed'].iloc[0]}"
        shown_pairs.append(pair_panel(np.stack(top), real, title, index))
    caption = (
        "Above: the synthetic images closest to a training image, relative to the thresholds; "
        "below: that training image. These are the worst pairs, not typical ones; a pair with a "
        "score below 1 counts as a copy."
    )
    numbers = pairs.drop(columns="folder")
    return Figure("nearest_pairs", caption, tuple(shown_pairs), numbers, width=420)


def pair_panel(
    synthetic: UInt8[np.ndarray, "n h w 3"],
    real: UInt8[np.ndarray, "n h w 3"],
    title: str,
    index: int,
) -> Panel:
    """Two rows of images on white: synthetic above, training images below."""
    page = sheet(np.concatenate([synthetic, real]), len(real))
    alt = f"{title}: synthetic images above the nearest training images"
    return Panel(file_name("pairs", index, title, ending="png"), alt, png(page), title)


def embedding_figure(results: RunResults) -> Figure | None:
    """t-SNE planes of the run; None if none was computed."""
    points = read_embedding(results.folder)
    if points.empty:
        return None
    classes = results.catalog.classes
    drawn = panels(points, ["plane"], "embedding", (4.4, 3.6), _draw_plane, classes=classes)
    caption = (
        "Last-layer features laid out by t-SNE, first fold and seed, at most "
        f"{MOST_OF_A_CLASS} images of a class and origin; filled: real, hollow: synthetic. Beside "
        "synthetic images stand the validation images that the audit uses, with the network that "
        "was trained without synthetic ones. "
        "Neighbouring points are similar; distances between clusters, cluster sizes and "
        "axes have no meaning. No conclusion is drawn from this plot."
    )
    return Figure("embedding", caption, drawn, points, legend(classes), 340)


def _draw_plane(axes: Axes, rows: pd.DataFrame, plane: str, classes: Sequence[str]) -> str:
    for number, label in enumerate(classes):
        shade = colour(number)
        look: Any = {"s": 16, "marker": marker(number), "linewidths": 0.9, "alpha": 0.75}
        for origin, faces in (("real", shade), ("synthetic", "none")):
            own = rows[(rows["label"] == label) & (rows["origin"] == origin)]
            axes.scatter(own["x"], own["y"], facecolors=faces, edgecolors=shade, **look)
    axes.set(xticks=[], yticks=[], title=TITLES[plane])
    axes.grid(visible=False)
    return f"t-SNE of last-layer features. {TITLES[plane]}, coloured by class"
