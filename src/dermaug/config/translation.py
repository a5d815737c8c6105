"""Translation: images drawn from real ones instead of from noise (SDEdit, arXiv:2108.01073)."""

from pydantic import Field

from dermaug.config.section import Section


class Translation(Section):
    """How a set of images is drawn from training images, besides the one drawn from noise.

    Example:
        >>> Translation(start=0.5, start_class="nv").words
        'from nv at 0.5'
    """

    start: float = Field(gt=0.0, lt=1.0)
    """Time on the path from noise (0) to image (1) from which a class is drawn."""
    start_class: str = ""
    """Class of the training images; empty: each class from its own."""

    @property
    def key(self) -> str:
        """Part of the names of its files: `0.5` or `0.5-nv`."""
        return "-".join(filter(None, (repr(self.start), self.start_class)))

    @property
    def source(self) -> str:
        """The class of its training images, in words."""
        return self.start_class or "their own class"

    @property
    def words(self) -> str:
        """What tells its images from others of their generator, in tables."""
        return f"from {self.source} at {self.start!r}"

    @property
    def note(self) -> str:
        """How its images are drawn, for their provenance."""
        return (
            f"translated from training images of {self.source}, from time {self.start!r} of the "
            "path from noise to image"
        )


def set_name(generator: str, translation: Translation | None) -> str:
    """Name of a set of images in tables; no generator's own name has a comma.

    Example:
        >>> set_name("flow", None), set_name("flow", Translation(start=0.5))
        ('flow', 'flow, from their own class at 0.5')
    """
    return f"{generator}, {translation.words}" if translation else generator


def generator_of_set(name: str) -> str:
    """The generator that drew a set, from the name of the set.

    Example:
        >>> generator_of_set("flow, from nv at 0.5")
        'flow'
    """
    return name.partition(", ")[0]
