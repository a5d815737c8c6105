"""Upload an exported folder to the Hugging Face Hub."""

import re
from pathlib import Path
from typing import Literal

from dermaug.errors import DermaugError

NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def check_name(name: str) -> None:
    """Refuse a name that is none of a repository.

    Raises:
        DermaugError: It is not owner/name.
    """
    if not NAME.fullmatch(name):
        raise DermaugError(f"--push {name}: expected owner/name, for example my-lab/melanomas")


def push(folder: Path, name: str, kind: Literal["model", "dataset"]) -> str:
    """Upload a folder to a private repository, which is created if it does not exist.

    Returns:
        Address of the repository.

    Raises:
        DermaugError: The Hub refuses, or cannot be reached.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

    api = HfApi(library_name="dermaug")
    try:
        address = api.create_repo(name, repo_type=kind, private=True, exist_ok=True)
        api.upload_folder(folder_path=folder, repo_id=name, repo_type=kind)
    except (HfHubHTTPError, LocalTokenNotFoundError, OSError) as error:
        raise DermaugError(
            f"--push {name}: the Hub did not take the files ({str(error).splitlines()[0]}); the "
            f"export itself is complete in {folder}; log in with `hf auth login` and check the "
            "owner's name"
        ) from None
    return str(address)
