"""The names in full of the classes that ISIC and HAM10000 abbreviate."""

ALL = "all"
"""The name of all classes together, in results and folders; no class bears it."""
FULL_NAMES = {
    "akiec": "actinic keratosis or intraepithelial carcinoma",
    "bcc": "basal cell carcinoma",
    "bkl": "benign keratosis",
    "df": "dermatofibroma",
    "mel": "melanoma",
    "nv": "melanocytic nevus",
    "scc": "squamous cell carcinoma",
    "vasc": "vascular lesion",
}


def class_words(label: str) -> str:
    """A class's name in full and its code; other labels stay as they are.

    Example:
        >>> class_words("mel"), class_words("my class")
        ('melanoma (mel)', 'my class')
    """
    name = FULL_NAMES.get(label.lower())
    return f"{name} ({label})" if name else label
