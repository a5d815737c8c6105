"""The device and precision of one training, by Lightning Fabric."""

import logging
import warnings
from typing import Literal, get_args

import torch
from lightning_fabric import Fabric

from dermaug.errors import DermaugError

Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["auto", "32-true", "bf16-mixed"]

# Lightning prints the precision with every training.
logging.getLogger("lightning_fabric").setLevel(logging.WARNING)


def start_fabric(device: str = "auto", precision: str = "auto") -> Fabric:
    """Start Lightning Fabric with one process on one device.

    Args:
        device: auto (CUDA, then MPS, then CPU), cpu, cuda or mps.
        precision: auto is bfloat16 autocast on devices that multiply bfloat16 matrices faster
            (CUDA, and CPUs with AMX or AVX-512 BF16), and float32 on others.

    Raises:
        DermaugError: The device is not available, or the precision does not exist.
    """
    if precision not in get_args(Precision):
        known = ", ".join(get_args(Precision))
        raise DermaugError(f"--precision {precision}: expected one of {known}")
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": _mps_available()}
    if device == "auto":
        device = next(name for name in ("cuda", "mps", "cpu") if available[name])
    if not available.get(device, False):
        here = ", ".join(name for name, is_here in available.items() if is_here)
        raise DermaugError(f"--device {device}: not available on this machine, which has {here}")
    if precision == "auto":
        fast = device == "cuda" or (device == "cpu" and _multiplies_bfloat16())
        precision = "bf16-mixed" if fast else "32-true"
    if device == "cuda":
        torch.backends.cudnn.benchmark = True
        torch.set_float32_matmul_precision("high")
    with warnings.catch_warnings():
        # Lightning recommends srun wherever SLURM is installed.
        warnings.filterwarnings("ignore", message=".*srun.*")
        return Fabric(accelerator=device, devices=1, precision=precision)  # type: ignore[arg-type]


def _multiplies_bfloat16() -> bool:
    """Whether the CPU has instructions for products in bfloat16; False if torch is too old."""
    told: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    tiles = told.get("amx_tile") and told.get("amx_bf16")
    return bool(tiles or told.get("avx512_bf16"))


def _mps_available() -> bool:
    return torch.backends.mps.is_available()
