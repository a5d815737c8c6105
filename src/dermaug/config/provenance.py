"""What the user declares of images that another tool has drawn."""

from typing import Literal

from pydantic import Field

from dermaug.config.section import Section

TRAINED_ON = {
    "training split": "the training split of the fold that is run",
    "other data": "other data only",
    "unknown": "unknown data",
}
"""What a generator was trained on, as declared -> in words."""


class ProvenanceConfig(Section):
    """Where the images of a folder come from; nothing of it can be checked."""

    tool: str = Field(min_length=1, max_length=200)
    """Tool and version that drew the images, for example `StyleGAN3`."""
    trained_on: Literal["training split", "other data", "unknown"] = "unknown"
    """Images that its generator was trained on. `training split`: only those of the training split
    of the fold that is run, so that only one fold can be run. `other data`: none of these images.
    `unknown`: it may have seen the test lesions."""
    licence: str = Field(default="", max_length=200)
    """Licence of the images, for example `CC BY-NC 4.0`."""

    @property
    def words(self) -> str:
        """The declaration, to be put into a sentence.

        Example:
            >>> ProvenanceConfig(tool="StyleGAN3", trained_on="other data").words
            'drawn by StyleGAN3, trained on other data only, licence not declared'
        """
        licence = f"licence {self.licence}" if self.licence else "licence not declared"
        return f"drawn by {self.tool}, trained on {TRAINED_ON[self.trained_on]}, {licence}"
