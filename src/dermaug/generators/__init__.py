"""Generator families, one per file; a new one is a file here and a line in `FAMILIES`."""

from dermaug.config import GeneratorConfig
from dermaug.errors import DermaugError
from dermaug.generators.acgan import Acgan
from dermaug.generators.cgan import Cgan
from dermaug.generators.dcgan import Dcgan
from dermaug.generators.family import Family
from dermaug.generators.flow import Flow
from dermaug.generators.projected import Projected

FAMILIES: dict[str, type[Family]] = {
    "dcgan": Dcgan,
    "acgan": Acgan,
    "cgan": Cgan,
    "projected": Projected,
    "flow": Flow,
}
"""Name in experiment files -> class, built from its configuration and the images' side."""


def family_named(name: str) -> type[Family]:
    """Look up a family by name.

    Raises:
        DermaugError: There is no such family; the message lists the known ones.
    """
    if name not in FAMILIES:
        raise DermaugError(
            f"unknown generator family {name!r}; expected one of {', '.join(FAMILIES)}"
        )
    return FAMILIES[name]


def build_family(config: GeneratorConfig, size: int, num_classes: int = 1) -> Family:
    """Build the untrained networks and optimisers of `config.family`.

    Args:
        config: Family, widths and options.
        size: Side of the square images in pixels.
        num_classes: Number of classes that one network draws; only a conditional family allows
            several.

    Raises:
        DermaugError: The family does not exist, lacks an option, or cannot draw images of the size.
    """
    return family_named(config.family)(config, size, num_classes)
