"""What the tests of a GPU share: skipped, and saying so, where there is none."""

from collections.abc import Iterator

import pytest
import torch
from lightning_fabric import Fabric

from dermaug.training import graphs
from dermaug.training.fabric import start_fabric


@pytest.fixture(scope="session", autouse=True)
def _needs_a_gpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device, which this machine does not have: nothing was tested")


@pytest.fixture
def gpu() -> Fabric:
    """The first GPU in float32, its products not rounded to TF32, so that tolerances are small."""
    fabric = start_fabric("cuda", "32-true")
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False
    return fabric


@pytest.fixture
def without_graphs(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Steps run one operation after the other, as on a CPU."""
    with monkeypatch.context() as patch:
        patch.setattr(graphs, "WARM_UP", 10**9)
        yield patch
