"""dermaug tells whether synthetic images improve a skin-lesion classifier, and by how much."""

from importlib.metadata import version

__version__ = version("dermaug")
