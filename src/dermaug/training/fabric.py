"""The device and precision of one training, by Lightning Fabric."""

import logging
import warnings
from typing import Literal, get_args

import torch
from lightning_fabric import Fabric

from dermaug.errors import DermaugError
from dermaug.whole_numbers import whole_number

Precision = Literal["auto", "32-true", "bf16-mixed"]

# Lightning prints the precision with every training.
logging.getLogger("lightning_fabric").setLevel(logging.WARNING)


def start_fabric(device: str = "auto", precision: str = "auto") -> Fabric:
    """Start Lightning Fabric with one process on one device.

    Args:
        device: auto (CUDA, then MPS, then CPU), cpu, cuda, cuda:N (the N-th GPU, from 0) or mps.
        precision: auto is bfloat16 autocast on devices that multiply bfloat16 matrices faster
            (CUDA, and CPUs with AMX or AVX-512 BF16), and float32 on others, whatever the network
            (`precision.measured_precision` measures one).

    Raises:
        DermaugError: The device is not available, or the precision does not exist.
    """
    if precision not in get_args(Precision):
        known = ", ".join(get_args(Precision))
        raise DermaugError(f"--precision {precision}: expected one of {known}")
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": _mps_available()}
    if device == "auto":
        device = next(name for name in ("cuda", "mps", "cpu") if available[name])
    device, index = _split(device)
    number = torch.cuda.device_count() if available["cuda"] else 0
    if not available.get(device, False) or index >= max(1, number):
        here = ", ".join(name for name, is_here in available.items() if is_here)
        here += f" (cuda:0 to cuda:{number - 1})" if number > 1 else ""
        asked = f"{device}:{index}" if index else device
        if device not in available:
            known = "auto, cpu, cuda, cuda:N or mps"
            raise DermaugError(f"--device {asked}: expected {known}; this machine has {here}")
        raise DermaugError(f"--device {asked}: not available on this machine, which has {here}")
    if precision == "auto":
        fast = multiplies_bfloat16(torch.device(device))
        precision = "bf16-mixed" if fast else "32-true"
    if device == "cuda":
        # Without cudnn.benchmark: on an H100 it took 30 s for a MobileNet's first steps, and which
        # algorithms it finds fastest differs from run to run.
        torch.set_float32_matmul_precision("high")
        torch.cuda.set_device(index)
    with warnings.catch_warnings():
        # Lightning recommends srun wherever SLURM is installed.
        warnings.filterwarnings("ignore", message=".*srun.*")
        devices: list[int] | int = [index] if device == "cuda" else 1
        return Fabric(accelerator=device, devices=devices, precision=precision)  # type: ignore[arg-type]


def _split(device: str) -> tuple[str, int]:
    """A kind of device and its number, which only GPUs have.

    Example:
        >>> _split("cuda:1"), _split("cpu")
        (('cuda', 1), ('cpu', 0))
    """
    kind, _, number = device.partition(":")
    index = whole_number(number)
    return (device, 0) if kind != "cuda" or index is None else (kind, index)


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies matrices faster in bfloat16; False where torch is too old."""
    if device.type != "cpu":
        return device.type == "cuda"
    told: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    tiles = told.get("amx_tile") and told.get("amx_bf16")
    return bool(tiles or told.get("avx512_bf16"))


def _mps_available() -> bool:
    return torch.backends.mps.is_available()
