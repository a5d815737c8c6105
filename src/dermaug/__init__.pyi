from dermaug.api import audit as audit
from dermaug.api import compare as compare
from dermaug.api import generate as generate
from dermaug.api import open_data as open_data
from dermaug.api import paired_difference as paired_difference
from dermaug.api import train as train

__version__: str
__all__ = ["audit", "compare", "generate", "open_data", "paired_difference", "train"]
