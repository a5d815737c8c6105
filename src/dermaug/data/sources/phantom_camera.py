"""How a dermatoscope sees a phantom lesion: pose, light, hair, ruler, vignette, blur and noise."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from dermaug.data.sources.phantom_drawing import Field, sigmoid, strokes
from dermaug.data.sources.phantom_traits import Rows

NUM_HAIRS = 10
HAIRY, RULED, TUBED = 0.38, 0.04, 0.03  # share of images with hair, ruler marks, a black rim


@dataclass(frozen=True)
class Views(Rows):
    """What differs from one picture of a lesion to the next; the first axis is the picture."""

    rotation: Float32[np.ndarray, " n"]  # radians
    scale: Float32[np.ndarray, " n"]  # magnification
    shift: Float32[np.ndarray, "n 2"]  # of the lesion's centre, in half widths
    gains: Float32[np.ndarray, "n 3"]  # brightness and white balance
    gradient: Float32[np.ndarray, "n 2"]  # change of the light per half width
    vignette: Float32[np.ndarray, " n"]  # loss of light at the middle of the edges
    tube: Float32[np.ndarray, " n"]  # radius of the black rim, in half widths
    hairs: Float32[np.ndarray, "n k 6"]  # as in `strokes`, in half widths
    hair_colour: Float32[np.ndarray, "n 3"]
    ruler: Float32[np.ndarray, "n 3"]  # angle, distance from the centre, spacing; distance 9: none
    blur: Float32[np.ndarray, " n"]  # 0 sharp, 1 as soft as one pass of a binomial filter at 64 px
    noise: Float32[np.ndarray, " n"]  # standard deviation, of full scale


def draw_views(
    radius: Float32[np.ndarray, " n"],
    light: Float32[np.ndarray, "n 3"],
    random: np.random.Generator,
) -> Views:
    """Draw one view of each lesion.

    Args:
        radius: Of the lesions in half widths; each stays in the picture.
        light: Of the visits; each view departs a little from it.
        random: Source of everything else.
    """
    number = len(radius)
    magnification = np.exp(random.normal(0.0, 0.14, number))
    scale = np.minimum(magnification, 0.86 / radius)
    room = np.maximum(0.92 - radius * scale, 0.02)[:, None]
    tubed = random.random(number) < TUBED
    hairs = random.random(number) < HAIRY
    views = {
        "rotation": random.uniform(0.0, 2.0 * np.pi, number),
        "scale": scale,
        "shift": np.clip(random.normal(0.0, 0.28, (number, 2)), -0.7, 0.7) * room,
        "gains": light * np.exp(random.normal(0.0, 0.025, (number, 1))),
        "gradient": random.normal(0.0, 0.04, (number, 2)),
        "vignette": 0.16 * random.beta(1.2, 3.0, number),
        "tube": np.where(tubed, random.uniform(1.02, 1.33, number), 9.0),
        "hairs": _draw_hairs(hairs, random),
        "hair_colour": (0.10 + 0.30 * random.beta(1.0, 2.5, (number, 1))) * (1.1, 0.9, 0.85),
        "ruler": _draw_rulers(number, random),
        "blur": random.beta(1.2, 2.0, number),
        "noise": 0.006 + 0.012 * random.beta(1.0, 2.0, number),
    }
    return Views(**{name: value.astype(np.float32) for name, value in views.items()})


def pixel_grid(size: int) -> tuple[Float32[np.ndarray, "1 h w"], Float32[np.ndarray, "1 h w"]]:
    """Centres of pixels in half widths: x to the right and y down, -1 to 1."""
    places = ((np.arange(size) + 0.5) / size * 2.0 - 1.0).astype(np.float32)
    x, y = np.meshgrid(places, places)
    return x[None], y[None]


def lesion_frame(views: Views, size: int) -> tuple[Field, Field]:
    """Where each pixel lies in the frame of its lesion."""
    x, y = pixel_grid(size)
    x, y = x - views.shift[:, 0, None, None], y - views.shift[:, 1, None, None]
    cosine = (np.cos(views.rotation) / views.scale)[:, None, None]
    sine = (np.sin(views.rotation) / views.scale)[:, None, None]
    return x * cosine + y * sine, y * cosine - x * sine


def photograph(
    reflectance: Float32[np.ndarray, "n h w 3"], views: Views, random: np.random.Generator
) -> UInt8[np.ndarray, "n h w 3"]:
    """Light the skin, lay hair and ruler on it (in place), and take the picture."""
    x, y = pixel_grid(reflectance.shape[1])
    _lay_hair(reflectance, views, x, y)
    _lay_ruler(reflectance, views, x, y)
    light = 1.0 + x * views.gradient[:, 0, None, None] + y * views.gradient[:, 1, None, None]
    distance = np.hypot(x, y)
    light -= views.vignette[:, None, None] * np.square(distance)
    light *= sigmoid((views.tube[:, None, None] - distance) / 0.02)
    image = reflectance * light[..., None] * views.gains[:, None, None]
    image = _blurred(image, views.blur)
    grain = random.standard_normal(image.shape, dtype=np.float32)
    image += grain * views.noise[:, None, None, None]
    # Bright skin would clip to flat white: bend the upper end of the scale as cameras do.
    image = np.where(image > 0.8, 0.8 + 0.2 * np.tanh((image - 0.8) / 0.2), image)
    return np.rint(np.clip(image, 0.0, 1.0) * 255.0).astype(np.uint8)


def _draw_hairs(hairy: np.ndarray, random: np.random.Generator) -> np.ndarray:
    shape = (len(hairy), NUM_HAIRS)
    angle = random.uniform(0.0, 2.0 * np.pi, (len(hairy), 1)) + random.normal(0.0, 0.5, shape)
    start = random.uniform(-1.1, 1.1, (*shape, 2))
    length = np.exp(random.normal(-0.2, 0.5, shape))
    bend = random.normal(0.0, 0.35, shape)
    count = random.integers(1, NUM_HAIRS + 1, (len(hairy), 1)) * hairy[:, None]
    width = np.exp(random.normal(np.log(0.020), 0.3, (len(hairy), 1)))
    width = width * (np.arange(NUM_HAIRS) < count)
    return np.concatenate([start, np.stack([angle, length, bend, width], axis=-1)], axis=-1)


def _draw_rulers(number: int, random: np.random.Generator) -> np.ndarray:
    ruled = random.random(number) < RULED
    side = 0.5 * np.pi * random.integers(0, 4, number) + random.normal(0.0, 0.04, number)
    distance = np.where(ruled, random.uniform(0.72, 0.9, number), 9.0)
    return np.stack([side, distance, random.uniform(0.10, 0.16, number)], axis=-1)


def _lay_hair(image: np.ndarray, views: Views, x: np.ndarray, y: np.ndarray) -> None:
    rows = np.flatnonzero(views.hairs[:, 0, 5] > 0.0)
    shape = (len(rows), *x.shape[1:])
    covered = strokes(np.broadcast_to(x, shape), np.broadcast_to(y, shape), views.hairs[rows])
    colour = views.hair_colour[rows][:, None, None]
    image[rows] += 0.85 * covered[..., None] * (colour - image[rows])


def _lay_ruler(image: np.ndarray, views: Views, x: np.ndarray, y: np.ndarray) -> None:
    rows = np.flatnonzero(views.ruler[:, 1] < 2.0)
    angle, distance, spacing = views.ruler[rows].T[:, :, None, None]
    outwards = x * np.cos(angle) + y * np.sin(angle) - distance
    along = (y * np.cos(angle) - x * np.sin(angle)) / spacing
    from_mark = np.abs(along - np.rint(along)) * spacing
    tall = np.where(np.rint(along) % 5 == 0, 0.14, 0.07)
    pixel = 2.0 / image.shape[1]
    mark = np.clip((0.011 - from_mark) / pixel + 0.5, 0.0, 1.0)
    mark *= np.clip(outwards / pixel, 0.0, 1.0) * np.clip((tall - outwards) / pixel, 0.0, 1.0)
    image[rows] += 0.75 * mark[..., None].astype(np.float32) * (0.15 - image[rows])


def _blurred(image: np.ndarray, blur: Float32[np.ndarray, " n"]) -> np.ndarray:
    share = blur[:, None, None, None]
    for _ in range(max(1, (image.shape[1] // 64) ** 2)):
        wide = np.pad(image, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
        rows = 0.25 * (wide[:, :-2] + wide[:, 2:]) + 0.5 * wide[:, 1:-1]
        soft = 0.25 * (rows[:, :, :-2] + rows[:, :, 2:]) + 0.5 * rows[:, :, 1:-1]
        image = image + share * (soft - image)
    return image
