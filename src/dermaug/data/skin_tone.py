"""Estimated skin tone: the individual typology angle (ITA) of the skin around a lesion.

ITA = arctan((L* - 50) / b*) in CIELAB (Chardon et al., Int J Cosmet Sci 13:191, 1991), in the bins
of Del Bino & Bernerd (Br J Dermatol 169 suppl 3:33, 2013). Photographs are not colour-calibrated,
so the angle is an estimate that sorts images; it does not measure a person's skin.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
from jaxtyping import Bool, Float, UInt8
from scipy.ndimage import binary_dilation

from dermaug.config import DataConfig
from dermaug.data.catalog import Catalog
from dermaug.data.decoding import Crop, decode_square
from dermaug.data.image_files import BadImageError
from dermaug.data.parallel import in_parallel

TONES = ("very light", "light", "intermediate", "tan", "brown", "dark")
THRESHOLDS = (55.0, 41.0, 28.0, 10.0, -30.0)
"""Degrees above which an angle belongs to the tone of that place; `dark` has the rest."""
UNKNOWN = "unknown"

_RING = 0.12  # width of the border ring, of the image's side
_CIRCLE = 1.15  # in half widths: beyond it lie the corners, which a round lens leaves black
_EDGE = 0.03  # of the side: pigment goes on a little beyond the outline of a segmentation
_MOST_PIXELS = 3_000  # the median of so many is known to a tenth of a degree
_FEWEST = 25  # plausible pixels, and at least a twentieth of those looked at
_FROM_RGB = np.array(  # sRGB (linear) -> XYZ, IEC 61966-2-1
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE = _FROM_RGB.sum(axis=1)  # D65, as sRGB's own white
_VALUES = np.arange(256) / 255.0
_LINEAR = np.where(_VALUES <= 0.04045, _VALUES / 12.92, ((_VALUES + 0.055) / 1.055) ** 2.4)


def srgb_to_lab(pixels: UInt8[np.ndarray, "... 3"]) -> Float[np.ndarray, "... 3"]:
    """CIELAB under D65 (CIE 15:2004): L* 0 to 100, a* towards red, b* towards yellow.

    Example:
        >>> srgb_to_lab(np.array([255, 0, 0], dtype=np.uint8)).round(1)
        array([53.2, 80.1, 67.2])
    """
    relative = _LINEAR[pixels] @ _FROM_RGB.T / _WHITE
    knee = 6.0 / 29.0
    scaled = np.where(
        relative > knee**3, np.cbrt(relative), relative / (3.0 * knee**2) + 4.0 / 29.0
    )
    x, y, z = np.moveaxis(scaled, -1, 0)
    return np.stack([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)], axis=-1)


def typology_angle(lab: Float[np.ndarray, "... 3"]) -> Float[np.ndarray, "..."]:
    """ITA in degrees, -90 (dark) to 90 (light).

    A violet cast of the camera makes b* negative, where the arctangent would jump from very light
    to dark; the angle of (L* - 50, b*) goes on instead, and is cut at the ends.

    Example:
        >>> float(typology_angle(np.array([70.0, 10.0, 20.0])))
        45.0
    """
    angles = np.degrees(np.arctan2(lab[..., 0] - 50.0, lab[..., 2]))
    return np.asarray(np.clip(angles, -90.0, 90.0))


def tone_names(angles: Float[np.ndarray, " n"]) -> list[str]:
    """Name the tone of each angle; NaN is unknown.

    Example:
        >>> tone_names(np.array([60.0, 55.0, 0.0, -45.0, np.nan]))
        ['very light', 'light', 'brown', 'dark', 'unknown']
    """
    below = (np.asarray(angles)[:, None] <= np.array(THRESHOLDS)).sum(axis=1)
    return [
        UNKNOWN if np.isnan(angle) else TONES[place]
        for angle, place in zip(angles, below, strict=True)
    ]


def skin_angles(
    images: UInt8[np.ndarray, "n h w 3"],
    lesions: Sequence[Bool[np.ndarray, "h w"] | None] | None = None,
) -> Float[np.ndarray, " n"]:
    """ITA of the skin in each image.

    Args:
        images: Squares as the models see them.
        lesions: Where each lesion is; None (for one, or for all) looks at the border ring instead.

    Returns:
        Degrees; NaN where too little skin can be seen.
    """
    found = lesions if lesions is not None else [None] * len(images)
    return np.array(
        [skin_angle(pixels, lesion) for pixels, lesion in zip(images, found, strict=True)],
        dtype=np.float64,
    )


def skin_angle(
    pixels: UInt8[np.ndarray, "h w 3"], lesion: Bool[np.ndarray, "h w"] | None = None
) -> float:
    """Median ITA of the plausible skin pixels around the lesion.

    Plausible is what skin of any tone can be: neither black (a vignette's rim) nor white (glare),
    and of a hue from violet-red to yellow with some chroma, which ruler marks and pen are not. Hair
    that passes is outvoted by the median.

    Args:
        pixels: One image.
        lesion: Where the lesion is; None looks at the border ring instead.

    Returns:
        Degrees; NaN where too little skin can be seen.
    """
    height, width = pixels.shape[:2]
    around = _border_ring(height, width) if lesion is None else ~_widened(lesion)
    chosen = pixels[around & _inside_circle(height, width)]
    chosen = chosen[:: max(1, len(chosen) // _MOST_PIXELS)]
    lab = srgb_to_lab(chosen)
    skin = lab[_plausible(lab)]
    if len(skin) < max(_FEWEST, len(chosen) / 20):
        return float("nan")
    return float(np.median(typology_angle(skin)))


def lesion_squares(catalog: Catalog, config: DataConfig) -> list[Bool[np.ndarray, "s s"] | None]:
    """Segmentations in the squares that the models see.

    Args:
        catalog: The data set.
        config: Size and crop of the squares.

    Returns:
        One a row: where the lesion is, or None without a readable segmentation.
    """
    paths = catalog.table["mask_path"].astype(str).tolist()
    read = partial(_lesion_square, size=config.size, crop=config.crop, margin=config.margin)
    return list(in_parallel(read, paths))


def catalog_skin_angles(
    catalog: Catalog, images: UInt8[np.ndarray, "n h w 3"], config: DataConfig
) -> Float[np.ndarray, " n"]:
    """ITA of each image of a data set: `skin_angles` around the segmentations it comes with.

    Args:
        catalog: The data set.
        images: Its squares, in the same order.
        config: Size and crop that they were made with.
    """
    return skin_angles(images, lesion_squares(catalog, config))


def _lesion_square(
    path: str, *, size: int, crop: Crop, margin: float
) -> Bool[np.ndarray, "s s"] | None:
    if not path:
        return None
    try:
        mask = decode_square(path, size, crop=crop, margin=margin, mask_path=path)
    except BadImageError:
        return None  # the border ring serves
    lesion: Bool[np.ndarray, "s s"] = mask[..., 0] >= 128
    return lesion if lesion.any() else None


def _widened(lesion: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    steps = max(1, round(_EDGE * max(lesion.shape)))
    return np.asarray(binary_dilation(lesion, iterations=steps))


def _border_ring(height: int, width: int) -> Bool[np.ndarray, "h w"]:
    edge = max(1, round(_RING * min(height, width)))
    ring = np.ones((height, width), dtype=np.bool_)
    ring[edge:-edge, edge:-edge] = False
    return ring


def _inside_circle(height: int, width: int) -> Bool[np.ndarray, "h w"]:
    y = (np.arange(height) + 0.5) / height * 2.0 - 1.0
    x = (np.arange(width) + 0.5) / width * 2.0 - 1.0
    return np.asarray(np.hypot(y[:, None], x[None, :]) <= _CIRCLE)


def _plausible(lab: Float[np.ndarray, "n 3"]) -> Bool[np.ndarray, " n"]:
    light, red, yellow = lab.T
    chroma = np.hypot(red, yellow)
    reddish = (red > -3.0) & (yellow > -1.2 * red)
    return np.asarray((light > 15.0) & (light < 97.0) & reddish & (chroma > 5.0))
