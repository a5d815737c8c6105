"""How fast a step could be at best: its operations at the rate of large matrix products."""

import time
from collections.abc import Callable

import torch
from lightning_fabric import Fabric
from rich.console import Console
from rounds import Way
from torch.utils.flop_counter import FlopCounterMode

PRODUCTS = 2


def matrix_rate(fabric: Fabric) -> Way:
    """Operations per second of large products, in the precision that the step computes in."""
    side = 2_048 if fabric.device.type == "cpu" else 8_192
    with fabric.autocast():
        small = torch.ones(8, 8, device=fabric.device)
        kind = torch.mm(small, small).dtype
    left, right = torch.rand(2, side, side, device=fabric.device).to(kind)

    def multiply() -> float:
        begin = time.perf_counter()
        for _ in range(PRODUCTS):
            product = torch.mm(left, right)
        product[0, 0].item()  # waits for the device
        return PRODUCTS * 2 * side**3 / (time.perf_counter() - begin)

    return multiply


def operations_of(step: Callable[[], object]) -> int:
    """Floating-point operations of matrix products and convolutions, a multiply-add being two."""
    with FlopCounterMode(display=False) as counter:
        step()
    return int(counter.get_total_flops())


def print_floor(operations: float, textbook: float, products: float, rate: float) -> None:
    """What the matrix rate would allow, and the share of it that was reached.

    Args:
        operations: Of dermaug's training step, an image.
        textbook: Of the textbook's, an image.
        products: Operations per second of large matrix products.
        rate: Images per second that dermaug reached.
    """
    best = products / operations
    Console(width=100, highlight=False).print(
        f"A step takes {operations / 1e9:.3f} GFLOP an image (textbook: {textbook / 1e9:.3f}); at "
        f"the {products / 1e9:,.0f} GFLOP/s of large torch.mm that is {best:,.0f} img/s at best: "
        f"dermaug reaches {rate / best:.0%} of it.",
        soft_wrap=True,
    )
