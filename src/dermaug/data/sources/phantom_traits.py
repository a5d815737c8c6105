"""What phantom lesions of each class are like: traits and patients, drawn once per lesion."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import pandas as pd
from jaxtyping import Float32, Int

LABELS = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
NUM_OFFSETS, NUM_CYSTS, NUM_VESSELS = 24, 7, 8

# Trait -> (mean of each class in the order of LABELS, spread within every class). Lengths are in
# half widths of the image, absorbers in optical density, the others amplitudes; negative draws
# become 0, so a small mean says that few lesions of the class show the structure. Sizes, colours
# and contrasts follow HAM10000's segmented lesions; structures follow dermoscopy's criteria
# (Kittler et al., J Am Acad Dermatol 74:1093, 2016).
TRAITS: dict[str, tuple[tuple[float, ...], float]] = {
    #                 akiec   bcc   bkl    df   mel    nv  vasc
    "log_radius":  ((-0.48, -0.62, -0.60, -0.58, -0.53, -0.66, -0.88), 0.26),
    "elongation":  (( 0.18,  0.20,  0.24,  0.12,  0.26,  0.18,  0.14), 0.14),
    "distortion":  (( 0.11,  0.10,  0.10,  0.05,  0.12,  0.05,  0.05), 0.04),
    "roughness":   (( 0.15,  0.09,  0.11,  0.07,  0.12,  0.06,  0.05), 0.04),
    "streaks":     ((-0.08, -0.08, -0.05, -0.08,  0.03, -0.05, -0.08), 0.04),
    "softness":    (( 0.22,  0.17,  0.09,  0.28,  0.12,  0.14,  0.11), 0.06),
    "melanin":     (( 0.16,  0.16,  0.50,  0.28,  0.96,  0.76,  0.04), 0.20),
    "blood":       (( 0.30,  0.24,  0.05,  0.14,  0.05,  0.04,  0.85), 0.11),
    "blotches":    (( 0.38,  0.40,  0.20,  0.12,  0.40,  0.10,  0.10), 0.10),
    "asymmetry":   (( 0.20,  0.22,  0.18,  0.08,  0.42,  0.12,  0.10), 0.14),
    "centre":      (( 0.00,  0.05,  0.02,  0.00,  0.15,  0.30,  0.20), 0.25),
    "network":     ((-0.20, -0.20,  0.00,  0.22,  0.42,  0.40, -0.30), 0.26),
    "globules":    ((-0.15, -0.15,  0.02, -0.25,  0.24,  0.15, -0.25), 0.25),
    "ridges":      ((-0.15, -0.25,  0.50, -0.25, -0.05, -0.08, -0.25), 0.23),
    "cysts":       ((-0.25, -0.15,  0.60, -0.25, -0.25, -0.25, -0.40), 0.30),
    "openings":    ((-0.10,  0.05,  0.35, -0.30, -0.10, -0.15, -0.30), 0.28),
    "vessels":     ((-0.05,  0.75, -0.25, -0.10, -0.05, -0.35, -0.15), 0.30),
    "nests":       ((-0.30,  0.58, -0.15, -0.40,  0.00, -0.40, -0.10), 0.32),
    "veil":        ((-0.20,  0.00, -0.10, -0.25,  0.42, -0.20,  0.02), 0.30),
    "lacunae":     ((-0.20, -0.15, -0.40, -0.40, -0.25, -0.40,  0.60), 0.30),
    "strawberry":  (( 0.56, -0.10, -0.25, -0.30, -0.35, -0.45, -0.35), 0.27),
    "scale":       (( 0.58, -0.02,  0.06, -0.15, -0.25, -0.35, -0.35), 0.27),
    "patch":       ((-0.20, -0.10, -0.15,  0.62, -0.05, -0.20, -0.20), 0.24),
    "sun_damage":  (( 0.55,  0.45,  0.40,  0.15,  0.35,  0.18,  0.20), 0.20),
}  # fmt: skip

# Which classes a lesion of each class may resemble. A lesion's traits lie between those of its own
# class and those of one look-alike: that is what makes the classes overlap as the real ones do.
LOOK_ALIKES: dict[str, tuple[str, ...]] = {
    "akiec": ("bcc", "bcc", "bkl", "df"),
    "bcc": ("akiec", "akiec", "df", "bkl", "mel"),
    "bkl": ("nv", "mel", "akiec", "bcc"),
    "df": ("nv", "nv", "bcc", "akiec"),
    "mel": ("nv", "nv", "bkl", "bcc"),
    "nv": ("mel", "mel", "bkl", "df"),
    "vasc": ("bcc", "mel", "nv", "akiec"),
}
# Beta distribution of the look-alike's share: most lesions are typical, a few mislead everyone.
LOOK_ALIKE_SHARE = (0.50, 2.90)
FAINTEST = 0.28  # optical density of melanin and blood together

UNKNOWN_SEX = 0.006
SITES = (
    "abdomen", "back", "chest", "face", "foot", "hand", "lower extremity", "neck", "scalp",
    "trunk", "unknown", "upper extremity",
)  # fmt: skip
# Patients in HAM10000: mean and SD of the age, share without it, share of women; how a diagnosis
# was made (histopathology has the rest); percent of each of SITES.
PATIENTS: dict[str, tuple[float, float, float, float, dict[str, float], tuple[int, ...]]] = {
    "akiec": (66.5, 11.5, 0.0, 0.32, {}, (2, 9, 4, 35, 0, 4, 20, 3, 4, 0, 0, 19)),
    "bcc": (66.8, 13.7, 0.0, 0.38, {}, (4, 36, 9, 20, 1, 0, 11, 3, 4, 2, 1, 10)),
    "bkl": (64.3, 14.1, 0.009, 0.42, {"confocal": 0.06, "consensus": 0.24},
            (4, 18, 7, 29, 0, 1, 16, 3, 3, 7, 2, 9)),
    "df": (53.0, 13.6, 0.0, 0.45, {"consensus": 0.52}, (3, 2, 0, 0, 2, 0, 71, 0, 0, 0, 0, 21)),
    "mel": (60.7, 15.2, 0.002, 0.38, {}, (6, 29, 6, 9, 3, 0, 17, 3, 1, 4, 1, 19)),
    "nv": (46.5, 15.2, 0.007, 0.48, {"follow_up": 0.55, "consensus": 0.08},
           (13, 21, 3, 1, 4, 1, 22, 2, 1, 19, 3, 10)),
    "vasc": (51.4, 21.6, 0.0, 0.51, {"consensus": 0.53}, (19, 15, 4, 6, 0, 4, 19, 1, 0, 22, 0, 8)),
}  # fmt: skip


@dataclass(frozen=True)
class Rows:
    """Arrays whose first axis is the same thing."""

    def take(self, rows: Int[np.ndarray, " m"]) -> Self:
        """Some rows of all arrays, repeated as often as they are named."""
        return type(self)(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


@dataclass(frozen=True)
class Lesions(Rows):
    """Everything that a lesion keeps from view to view; the first axis is the lesion."""

    traits: Float32[np.ndarray, "n t"]  # in the order of TRAITS
    skin: Float32[np.ndarray, "n 3"]  # optical density of melanin and blood, strength of texture
    texture_scale: Float32[np.ndarray, " n"]  # factor on the wavelength of the structures
    light: Float32[np.ndarray, "n 3"]  # brightness and white balance of the visit, as factors
    direction: Float32[np.ndarray, " n"]  # in which pigment grows denser, radians
    offsets: Float32[np.ndarray, "n k 2"]  # where each texture is read in the noise, in periods
    cysts: Float32[np.ndarray, "n c 3"]  # place in lesion radii, and size relative to the others'
    openings: Float32[np.ndarray, "n c 3"]
    vessels: Float32[np.ndarray, "n v 6"]  # x, y, angle, length, bend and width, in lesion radii

    def trait(self, name: str) -> Float32[np.ndarray, "n 1 1"]:
        """One trait, shaped to meet fields of (n, height, width)."""
        return self.traits[:, list(TRAITS).index(name), None, None]


def draw_lesions(classes: Int[np.ndarray, " n"], random: np.random.Generator) -> Lesions:
    """Draw lesions of the given classes (indices into `LABELS`)."""
    number = len(classes)
    colour = random.normal(size=(number, 3))
    skin = np.exp(colour * (0.50, 0.32, 0.38) + np.log((0.19, 0.24, 0.011)))
    return Lesions(
        traits=_draw_traits(classes, random),
        skin=skin.astype(np.float32),
        texture_scale=np.exp(random.normal(0.0, 0.18, number)).astype(np.float32),
        light=_draw_light(number, random),
        direction=random.uniform(0.0, 2.0 * np.pi, number).astype(np.float32),
        offsets=random.random((number, NUM_OFFSETS, 2), dtype=np.float32),
        cysts=_draw_spots(number, random),
        openings=_draw_spots(number, random),
        vessels=_draw_vessels(number, random),
    )


def draw_patients(classes: Int[np.ndarray, " n"], random: np.random.Generator) -> pd.DataFrame:
    """Draw dx, dx_type, age (text; empty when unknown), sex and localization of each lesion."""
    columns = ["dx_type", "age", "sex", "localization"]
    table = pd.DataFrame("", index=range(len(classes)), columns=columns, dtype=object)
    table.insert(0, "dx", np.array(LABELS, dtype=object)[classes])
    for place in np.unique(classes):
        rows = np.flatnonzero(classes == place)
        age, spread, ageless, women, confirmed, sites = PATIENTS[LABELS[place]]
        weights, sexes = (
            np.array(sites),
            {"female": women * (1 - UNKNOWN_SEX), "unknown": UNKNOWN_SEX},
        )
        table.loc[rows, "dx_type"] = _choose(confirmed, "histo", len(rows), random)
        years = np.round(random.normal(age, spread, size=len(rows)) / 5) * 5  # as in HAM10000
        ages = np.array([f"{each:.1f}" for each in np.clip(years, 5, 85)], dtype=object)
        ages[random.random(len(rows)) < ageless] = ""
        table.loc[rows, "age"] = ages
        table.loc[rows, "sex"] = _choose(sexes, "male", len(rows), random)
        table.loc[rows, "localization"] = random.choice(SITES, len(rows), p=weights / weights.sum())
    return table


def _draw_traits(
    classes: Int[np.ndarray, " n"], random: np.random.Generator
) -> Float32[np.ndarray, "n t"]:
    means = np.array([row for row, _ in TRAITS.values()]).T
    spreads = np.array([spread for _, spread in TRAITS.values()])
    sizes = np.array([len(LOOK_ALIKES[label]) for label in LABELS])
    picks = np.floor(random.random(len(classes)) * sizes[classes]).astype(np.int64)
    others = [
        LABELS.index(LOOK_ALIKES[LABELS[own]][pick])
        for own, pick in zip(classes, picks, strict=True)
    ]
    share = random.beta(*LOOK_ALIKE_SHARE, len(classes))[:, None]
    centre = (1 - share) * means[classes] + share * means[others]
    traits = centre + spreads * random.normal(size=centre.shape)
    radius = np.array([name == "log_radius" for name in TRAITS])
    lowest, highest = np.where(radius, -1.35, 0.0), np.where(radius, -0.25, 1.6)
    clipped: Float32[np.ndarray, "n t"] = np.clip(traits, lowest, highest).astype(np.float32)
    melanin, blood = (list(TRAITS).index(name) for name in ("melanin", "blood"))
    # A lesion nobody could see would have no business in the picture.
    clipped[:, blood] = np.maximum(clipped[:, blood], FAINTEST - clipped[:, melanin])
    return clipped


def _draw_light(number: int, random: np.random.Generator) -> Float32[np.ndarray, "n 3"]:
    brightness = random.normal(0.06, 0.06, (number, 1))
    # Green varies least: skin photographed green would look ill.
    balance = random.normal(0.0, 0.05, (number, 3)) * (1.0, 0.6, 1.3)
    factors: Float32[np.ndarray, "n 3"] = np.exp(brightness + balance).astype(np.float32)
    return factors


def _draw_spots(number: int, random: np.random.Generator) -> Float32[np.ndarray, "n c 3"]:
    shape = (number, NUM_CYSTS)
    distance, angle = 0.8 * np.sqrt(random.random(shape)), random.uniform(0.0, 2.0 * np.pi, shape)
    size = np.exp(random.normal(0.0, 0.3, shape))
    spots = np.stack([distance * np.cos(angle), distance * np.sin(angle), size], axis=-1)
    return spots.astype(np.float32)


def _draw_vessels(number: int, random: np.random.Generator) -> Float32[np.ndarray, "n v 6"]:
    """Two trunks that enter from the rim, and three branches off each."""
    half, shape = NUM_VESSELS // 2, (number, 2)
    rim = random.uniform(0.0, 2.0 * np.pi, shape)
    angle = rim + np.pi + random.normal(0.0, 0.45, shape)
    length, bend = random.uniform(0.9, 1.7, shape), random.normal(0.0, 0.25, shape)
    x, y = np.cos(rim)[..., None], np.sin(rim)[..., None]
    along = length[..., None] * random.uniform(0.15, 0.8, (*shape, half - 1))
    across = bend[..., None] * along**2
    cosine, sine = np.cos(angle)[..., None], np.sin(angle)[..., None]
    side = np.where(random.random(along.shape) < 0.5, -1.0, 1.0)
    tangent = angle[..., None] + np.arctan(2 * bend[..., None] * along)
    branches = (
        x + along * cosine - across * sine,
        y + along * sine + across * cosine,
        tangent + side * random.uniform(0.4, 1.0, along.shape),
        random.uniform(0.3, 0.8, along.shape),
        random.normal(0.0, 0.5, along.shape),
        random.uniform(0.5, 0.8, along.shape),
    )
    trunks = (x[..., 0], y[..., 0], angle, length, bend, np.ones(shape))
    vessels = np.concatenate([np.stack(trunks, -1)[:, :, None], np.stack(branches, -1)], axis=2)
    return vessels.reshape(number, NUM_VESSELS, 6).astype(np.float32)


def _choose(
    shares: dict[str, float], rest: str, number: int, random: np.random.Generator
) -> np.ndarray:
    names = np.array([*shares, rest], dtype=object)
    return random.choice(names, number, p=[*shares.values(), 1.0 - sum(shares.values())])
