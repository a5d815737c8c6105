"""What every table of the experiment file has in common; imports no torch."""

from pydantic import BaseModel, ConfigDict, Field

Name = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$", max_length=60)


class Section(BaseModel):
    """Base of every table of the experiment file: immutable; a misspelt key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
