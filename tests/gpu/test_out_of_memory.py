"""A GPU whose memory does not suffice: said with advice, like any memory."""

import pytest
import torch
from lightning_fabric import Fabric

from dermaug.cli.app import _of_the_system


def test_memory_that_does_not_suffice_is_said(gpu: Fabric) -> None:
    with pytest.raises(torch.OutOfMemoryError) as caught:
        torch.ones(1 << 48, device=gpu.device)
    told = _of_the_system(caught.value)
    assert told is not None
    assert "use --precision bf16-mixed on a GPU" in told.message
