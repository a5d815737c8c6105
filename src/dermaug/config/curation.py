"""Curation: selection among the generated images of an arm."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from dermaug.config.section import Section

Quantile = Annotated[float, Field(ge=0.0, le=1.0)]


class CurationConfig(Section):
    """Selection among the generated images of an arm; all rules are off by default.

    Images are assessed by a reference classifier: that of the first arm without synthetic images,
    with the same model and fold but the next seed, so that no network learns from a copy of itself.
    Its probabilities are prior-adjusted: p / q, renormalised, where q is the share of the class
    seen by its loss.
    """

    drop_copies: bool = False
    """Leave out images that are closer to a training image than unrelated lesions are."""
    drop_duplicates: bool = False
    """Leave out images that nearly repeat an earlier one."""
    confidence: float = Field(default=0.0, ge=0.0, le=1.0)
    """Smallest probability of the image's own class from the reference classifier."""
    band: tuple[Quantile, ...] = ()
    """Lower and upper quantile, for example [0.1, 0.9], of the probability of real training images
    for their own class, predicted by networks that were not trained on them: two further networks
    of the reference arm, one on each half of the lesions. Generated images whose probability (mean
    of the two) lies outside are left out as too hard or too easy. Empty switches the rule off."""
    pool: float = Field(default=2.0, ge=1.0, le=100.0)
    """Number of images drawn per image of the dose."""

    @model_validator(mode="after")
    def _band_has_two_ends(self) -> Self:
        if self.band and not (len(self.band) == 2 and self.band[0] < self.band[1]):
            raise ValueError(
                "band: expected two quantiles in increasing order, for example [0.1, 0.9]; found "
                f"{list(self.band)}"
            )
        return self
