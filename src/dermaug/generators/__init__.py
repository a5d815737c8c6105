"""Generator families, one a file; a new one is a file here and a line in `FAMILIES`."""

from dermaug.config import GeneratorConfig
from dermaug.errors import DermaugError
from dermaug.generators.dcgan import Dcgan
from dermaug.generators.family import Family

FAMILIES: dict[str, type[Family]] = {"dcgan": Dcgan}
"""Name in experiment files -> class, built from its configuration and the images' side."""


def family_named(name: str) -> type[Family]:
    """The family of that name.

    Raises:
        DermaugError: There is none; names those there are.
    """
    if name not in FAMILIES:
        raise DermaugError(f"unknown generator family {name!r}; there are {', '.join(FAMILIES)}")
    return FAMILIES[name]


def build_family(config: GeneratorConfig, size: int) -> Family:
    """Untrained networks and optimisers of `config.family` for square images of `size` pixels."""
    return family_named(config.family)(config, size)
