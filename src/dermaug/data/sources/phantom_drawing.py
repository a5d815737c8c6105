"""Phantom lesions as light leaves them: absorbers laid out in skin, by Beer and Lambert's law."""

import numpy as np
from jaxtyping import Bool, Float32

from dermaug.data.sources.phantom_traits import Lesions

Field = Float32[np.ndarray, "n h w"]

# Absorption of red, green and blue, as measured on HAM10000's segmented lesions against the skin
# around them: naevi and melanomas for melanin, vascular lesions for blood. Melanin that lies deep
# looks blue, for short waves are scattered back above it.
MELANIN = np.array([0.50, 0.88, 1.08], np.float32)
BLOOD = np.array([0.30, 1.00, 0.55], np.float32)
DEEP_MELANIN = np.array([1.00, 0.93, 0.58], np.float32)
WHITE = np.array([0.90, 0.82, 0.84], np.float32)
KERATIN = np.array([0.93, 0.82, 0.72], np.float32)

ATLAS_SIDE, ATLAS_WAVELENGTH = 1024, 24


class NoiseAtlas:
    """Periodic noise of one wavelength and unit variance, read at any place and scale.

    All textures come from one picture: a texture is a wavelength and an offset, so it can be seen
    from any angle and at any resolution, and costs one look-up a pixel.
    """

    def __init__(self, random: np.random.Generator) -> None:
        frequencies = np.fft.fftfreq(ATLAS_SIDE), np.fft.rfftfreq(ATLAS_SIDE)
        radius = np.hypot(frequencies[0][:, None], frequencies[1][None, :])
        ring = np.exp(-0.5 * ((radius * ATLAS_WAVELENGTH - 1.0) / 0.45) ** 2)
        white = np.fft.rfft2(random.standard_normal((ATLAS_SIDE, ATLAS_SIDE)))
        noise = np.fft.irfft2(white * ring, s=(ATLAS_SIDE, ATLAS_SIDE))
        self._noise = ((noise - noise.mean()) / noise.std()).astype(np.float32).ravel()

    def read(self, x: Field, y: Field, offsets: Float32[np.ndarray, "n 2"]) -> Field:
        """Noise at (x, y), given in wavelengths, from each image's own part of the atlas."""
        places = (offsets * ATLAS_SIDE)[:, None, None]
        column, row = x * ATLAS_WAVELENGTH + places[..., 0], y * ATLAS_WAVELENGTH + places[..., 1]
        # Coarser than the image, the atlas would show its steps: interpolate. Finer, it can't.
        if x.shape[-1] < 2 or float(np.abs(column[:, 0, 1] - column[:, 0, 0]).mean()) > 1.2:
            return self._at(np.rint(column).astype(np.int32), np.rint(row).astype(np.int32))
        left, top = np.floor(column), np.floor(row)
        right_share, bottom_share = column - left, row - top
        i, j = left.astype(np.int32), top.astype(np.int32)
        upper = self._at(i, j) * (1 - right_share) + self._at(i + 1, j) * right_share
        lower = self._at(i, j + 1) * (1 - right_share) + self._at(i + 1, j + 1) * right_share
        return np.asarray(upper + (lower - upper) * bottom_share)

    def _at(self, column: np.ndarray, row: np.ndarray) -> Field:
        last = ATLAS_SIDE - 1  # a power of two: `and` wraps around, below zero too
        return np.take(self._noise, (row & last) * ATLAS_SIDE + (column & last))


class LesionDrawing:
    """One chunk of views: the lesions' textures, read in the frame of each.

    Args:
        atlas: Where all textures come from.
        lesions: One a view.
        x: Place of each pixel in the lesion's frame, in half widths of the image at scale 1.
        y: The same, downwards.
    """

    def __init__(self, atlas: NoiseAtlas, lesions: Lesions, x: Field, y: Field) -> None:
        self._atlas, self._lesions, self._x, self._y = atlas, lesions, x, y
        radius = np.exp(lesions.trait("log_radius"))
        self._inner_x, self._inner_y = x / radius, y / radius  # lesion radii
        self._next_offset = 0

    def draw(self) -> tuple[Float32[np.ndarray, "n h w 3"], Bool[np.ndarray, "n h w"]]:
        """Colour under white light, 0 to 1, and the lesion's mask."""
        level = self._level()
        body = sigmoid((1.0 - level) / (0.03 + 0.5 * self._trait("softness")))
        skin_melanin, skin_blood = self._bare_skin()
        lines = np.exp(-np.square(self._texture(0.30) / 0.45))
        pigment, white, keratin = self._pigment(level, body, lines)
        blood, follicles = self._redness(level, body, lines)
        deep, haze = self._deep_pigment(body)
        white = np.clip(white + haze, 0.0, 0.75)
        keratin = np.clip(keratin + follicles + self._scale(body), 0.0, 0.85)
        patchless = 1.0 - 0.7 * white
        density = (skin_melanin + pigment * patchless)[..., None] * MELANIN
        density += (skin_blood + blood * patchless)[..., None] * BLOOD
        density += deep[..., None] * DEEP_MELANIN
        colour = np.exp(-density)
        for cover, paint in ((white, WHITE), (keratin, KERATIN)):
            colour += cover[..., None] * (paint - colour)
        return colour, level < 1.0

    def _trait(self, name: str) -> Float32[np.ndarray, "n 1 1"]:
        return self._lesions.trait(name)

    def _offset(self) -> Float32[np.ndarray, "n 2"]:
        self._next_offset += 1
        return self._lesions.offsets[:, self._next_offset - 1]

    def _texture(self, wavelength: float) -> Field:
        """Noise of a wavelength in half widths: structures whose size the lesion's doesn't set."""
        period = wavelength * self._lesions.texture_scale[:, None, None]
        return self._atlas.read(self._x / period, self._y / period, self._offset())

    def _form(self, wavelength: float) -> Field:
        """Noise of a wavelength in lesion radii: what grows with the lesion."""
        x, y = self._inner_x / wavelength, self._inner_y / wavelength
        return self._atlas.read(x, y, self._offset())

    def _level(self) -> Field:
        """Distance from the centre along each ray, in units of the border's: the border is 1."""
        distortion, roughness = self._trait("distortion"), self._trait("roughness")
        stretch = np.exp(0.5 * self._trait("elongation"))
        along = (self._inner_x + distortion * self._form(1.9)) / stretch
        across = (self._inner_y + distortion * self._form(1.9)) * stretch
        level: Field = np.hypot(along, across)
        level += roughness * (self._form(0.75) + 0.55 * self._form(0.33))
        # Noise read on a circle is constant along each ray: it draws radial streaks at the rim.
        ray = np.maximum(np.hypot(self._inner_x, self._inner_y), 1e-3)
        x, y = 2.2 * self._inner_x / ray, 2.2 * self._inner_y / ray
        spokes = self._atlas.read(x, y, self._offset())
        level += self._trait("streaks") * spokes * np.clip(1.5 * level - 0.5, 0.0, 1.2)
        return level

    def _bare_skin(self) -> tuple[Field, Field]:
        """Melanin and blood of the skin around: mottling, freckles, fine furrows, flushes."""
        melanin, blood, strength = (self._lesions.skin[:, k, None, None] for k in range(3))
        damage = self._trait("sun_damage")
        furrows = self._texture(0.16) + self._texture(0.09)
        mottling = self._texture(0.55)
        freckles = sigmoid((mottling + 0.35 * furrows - 1.9) / 0.35)
        flush = self._texture(0.9) + 0.6 * self._texture(0.25)
        skin_melanin = melanin * (1.0 + 0.22 * damage * mottling) + 0.25 * damage * freckles
        skin_blood = blood * (1.0 + (0.05 + 0.30 * damage) * flush)
        furrow_density = strength * furrows
        melanin, blood = skin_melanin + furrow_density, skin_blood + furrow_density
        return np.maximum(melanin, 0.0), np.maximum(blood, 0.0)

    def _pigment(self, level: Field, body: Field, lines: Field) -> tuple[Field, Field, Field]:
        """Melanin of the lesion; white of cysts, scars and the central patch; keratin of ridges."""
        direction = self._lesions.direction[:, None, None]
        lean = self._inner_x * np.cos(direction) + self._inner_y * np.sin(direction)
        fine, blotch = self._form(0.30), self._form(0.95)
        cloud = 1.0 + self._trait("blotches") * (blotch + 0.5 * fine) + 0.10 * fine
        cloud += self._trait("asymmetry") * np.clip(lean, -1.2, 1.2)
        cloud += self._trait("centre") * (0.6 - np.minimum(level, 1.3))
        cloud += 0.75 * self._trait("network") * (lines - 0.45) * np.clip(level + 0.4, 0.0, 1.0)
        dots = sigmoid((self._texture(0.21) - 0.95) / 0.25)
        cloud += 0.9 * self._trait("globules") * dots
        ridges = self._form(0.42)
        cloud += 0.55 * self._trait("ridges") * ridges
        openings = self._spots(self._lesions.openings, 0.075)
        pigment = self._trait("melanin") * body * np.maximum(cloud, 0.05)
        pigment += 1.1 * self._trait("openings") * openings * body
        patch = np.exp(-np.square(level / 0.55)) * (1.0 + 0.35 * fine + 0.3 * (lines - 0.5))
        white = 0.62 * self._trait("patch") * patch
        keratin = 0.75 * self._trait("cysts") * self._spots(self._lesions.cysts, 0.06)
        keratin += 0.16 * self._trait("ridges") * np.maximum(-ridges, 0.0)
        return pigment, np.maximum(white, 0.0), keratin * body

    def _redness(self, level: Field, body: Field, lines: Field) -> tuple[Field, Field]:
        """Blood in tissue, in lacunae and in arborising vessels; pale follicles of a strawberry."""
        strawberry, lacunae = self._trait("strawberry"), self._trait("lacunae")
        lumps = sigmoid((self._form(0.55) + 0.15) / 0.28)
        amount = 1.0 + 0.5 * self._trait("blotches") * self._form(0.8)
        amount += 0.9 * lacunae * (lumps - 0.45) + 0.8 * strawberry * (lines - 0.3)
        blood = self._trait("blood") * body * np.maximum(amount, 0.05)
        follicles = sigmoid((self._texture(0.24) - 1.0) / 0.2) * body
        blood *= 1.0 - 0.6 * np.minimum(strawberry, 1.0) * follicles
        blood += 1.3 * np.minimum(self._trait("vessels"), 1.0) * self._vessels(level)
        return blood, 0.40 * strawberry * follicles

    def _deep_pigment(self, body: Field) -> tuple[Field, Field]:
        """Deep melanin of veil, nests and clotted lacunae, and the milky haze that veils it."""
        nests = sigmoid((self._form(0.72) - 1.15) / 0.26)
        region = sigmoid((self._form(1.5) - 0.1) / 0.35) * body * body
        veil = self._trait("veil")
        deep = 0.8 * veil * region + 0.95 * self._trait("nests") * nests * body
        clotted = np.maximum(self._trait("lacunae") - 0.75, 0.0)
        return deep + 1.8 * clotted * body, 0.32 * np.minimum(veil, 1.0) * region

    def _scale(self, body: Field) -> Field:
        flakes = self._texture(0.42) + 0.6 * self._texture(0.12)
        return np.asarray(0.55 * self._trait("scale") * sigmoid((flakes - 0.75) / 0.25) * body)

    def _spots(self, spots: Float32[np.ndarray, "n c 3"], radius: float) -> Field:
        """Small discs at places in lesion radii; `radius` is in half widths."""
        covered = np.zeros_like(self._x)
        lesion_radius = np.exp(self._trait("log_radius"))
        for x, y, size in np.moveaxis(spots[..., None, None], (1, 2), (0, 1)):
            squared = np.square(self._inner_x - x) + np.square(self._inner_y - y)
            covered += np.exp(-squared * np.square(lesion_radius / (radius * size)))
        return np.asarray(np.minimum(covered, 1.0))

    def _vessels(self, level: Field) -> Field:
        rows = np.flatnonzero(self._trait("vessels") > 0.0)
        vessels = np.zeros_like(level)
        if len(rows):
            slots = self._lesions.vessels[rows].copy()
            radius = np.exp(self._trait("log_radius"))[rows, 0]
            slots[..., 5] *= 0.040 / radius
            drawn = strokes(self._inner_x[rows], self._inner_y[rows], slots)
            vessels[rows] = drawn * sigmoid((1.1 - level[rows]) / 0.08)
        return vessels


def strokes(x: Field, y: Field, slots: Float32[np.ndarray, "n k 6"]) -> Field:
    """Bent, tapering lines: the share of each pixel that they cover.

    Args:
        x: Place of each pixel, in any unit.
        y: The same, downwards.
        slots: x, y, angle (radians), length, bend (1 / unit) and width of each line in that unit;
            a width of 0 is no line.
    """
    pixel = np.hypot(x[:, :1, 1:2] - x[:, :1, :1], y[:, :1, 1:2] - y[:, :1, :1])
    covered = np.zeros_like(x)
    for start_x, start_y, angle, length, bend, width in np.moveaxis(
        slots[..., None, None], (1, 2), (0, 1)
    ):
        cosine, sine = np.cos(angle), np.sin(angle)
        along = (x - start_x) * cosine + (y - start_y) * sine
        across = (y - start_y) * cosine - (x - start_x) * sine
        distance = np.abs(across - bend * along * along)
        distance /= np.sqrt(1.0 + np.square(2.0 * bend * along))
        half = 0.5 * width * (1.0 - 0.6 * np.clip(along / length, 0.0, 1.0))
        line = np.clip((half - distance) / pixel + 0.5, 0.0, 1.0)
        line *= np.minimum(2.0 * half / pixel, 1.0)  # thinner than a pixel: paler instead
        line *= np.clip(along / pixel, 0.0, 1.0) * np.clip((length - along) / pixel, 0.0, 1.0)
        np.maximum(covered, line, out=covered)
    return covered


def sigmoid(field: Field) -> Field:
    """Smooth step from 0 to 1."""
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * field), np.float32)
